/**
 * Writes the simulated orders into a real database, with the statements that an order system would run: change capture
 * then shows them as it shows anybody's. Works on MariaDB and MySQL with the schema of deploy/stack/mariadb/oms.sql.
 */
import mysql from 'mysql2/promise'
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import { capturedTopics } from '../../topology/topics.ts'

export interface SqlOrders {
  /** Where ids go on: after the highest that is there. */
  nextIds(): Promise<{ readonly orderId: number; readonly assignmentId: number }>
  /** Each transaction of the records is one of the database. */
  write(records: readonly CapturedRecord[]): Promise<void>
  close(): Promise<void>
}

const tables: Readonly<Record<string, string>> = {
  [capturedTopics.orders]: 'oms.orders',
  [capturedTopics.assignments]: 'dispatch.assignments',
}

/** Columns of the types DATETIME and TIMESTAMP; rows have them as milliseconds or as ISO text, both in UTC. */
const timeColumns = new Set([
  ...['sla_due_at', 'rescheduled_for', 'return_pickup_eta', 'created_at', 'updated_at', 'delivered_at'],
  ...['eta_start', 'eta_end', 'assigned_at'],
])

interface Change {
  readonly table: string
  readonly transaction: string
  readonly isNew: boolean
  readonly row: Readonly<Record<string, string | number | null>>
}

/** Connects; rejects when the database cannot be reached or refuses the user. */
export async function openSqlOrders(url: string): Promise<SqlOrders> {
  const connection = await mysql.createConnection({ uri: url, timezone: 'Z', charset: 'utf8mb4' })

  async function nextId(table: string): Promise<number> {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      `SELECT COALESCE(MAX(id), 1000) + 1 AS next FROM ${table}`,
    )
    return Number(rows[0]?.next ?? 1001)
  }

  return {
    nextIds: async () => ({
      orderId: await nextId('oms.orders'),
      assignmentId: await nextId('dispatch.assignments'),
    }),
    async write(records) {
      for (const changes of byTransaction(records.map(changeOf))) {
        await connection.beginTransaction()
        for (const change of changes) {
          const { sql, values } = statementOf(change)
          await connection.execute(sql, values)
        }
        await connection.commit()
      }
    },
    close: () => connection.end(),
  }
}

function changeOf({ topic, value }: CapturedRecord): Change {
  const table = tables[topic]
  if (table === undefined || typeof value !== 'string') throw new Error(`the demo wrote no row to ${topic}`)
  const { after, op, transaction } = JSON.parse(value) as {
    after: Change['row']
    op: string
    transaction: { id: string }
  }
  return { table, transaction: transaction.id, isNew: op === 'c', row: after }
}

function byTransaction(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = []
  for (const change of changes) {
    const last = groups.at(-1)
    if (last?.[0]?.transaction === change.transaction) last.push(change)
    else groups.push([change])
  }
  return groups
}

/** The statement for one change. Column names come from the simulation, never from outside. */
export function statementOf({ table, isNew, row }: Omit<Change, 'transaction'>): {
  sql: string
  values: (string | number | null)[]
} {
  const columns = Object.keys(row)
  const boundTo = (column: string) => sqlValue(column, row[column] ?? null)
  if (isNew) {
    const marks = columns.map(() => '?').join(', ')
    return {
      sql: `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks})`,
      values: columns.map(boundTo),
    }
  }
  const set = columns.filter((column) => column !== 'id')
  return {
    sql: `UPDATE ${table} SET ${set.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
    values: [...set.map(boundTo), boundTo('id')],
  }
}

function sqlValue(column: string, value: string | number | null): string | number | null {
  if (value === null || !timeColumns.has(column)) return value
  return new Date(value).toISOString().replace('T', ' ').replace('Z', '')
}
