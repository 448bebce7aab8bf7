/**
 * The delivery log on PostgreSQL, embedded or on a server: the same tables, the same statements. What is behind
 * the port is here put together; the SQL stands in `log-writes.ts` and `log-queries.ts`.
 */
import {
  type Backlog,
  type DeliveryDetail,
  type DeliveryLog,
  DeliveryLogError,
  type DeliveryPageResult,
  type DeliveryRow,
  type EventDetail,
  type EventPageResult,
  type LogCounts,
  type LogPosition,
  type PageRequest,
  pageLimitMax,
  type StateCounts,
} from '../../ports/delivery-log.ts'
import { completeUpTo } from '../../ports/delivery-log-freshness.ts'
import {
  decodeCursor,
  encodeCursor,
  isUuid,
  type PagePlace,
  type PageQuestion,
} from '../../ports/page-cursor.ts'
import { groupedWrites } from './grouped-writes.ts'
import * as queries from './log-queries.ts'
import { foldBatch } from './log-rows.ts'
import { clearStatement, expiredEvents, removeStatements, writeStatements } from './log-writes.ts'
import { createMaintenance } from './maintenance.ts'
import { defaultSchema, migrate } from './migrate.ts'
import {
  attemptRow,
  deliveryRow,
  eventRow,
  healthRow,
  noDeliveries,
  positionRow,
  verdictRow,
} from './read-rows.ts'
import { readRow } from './row-reader.ts'
import type { Sql, SqlDatabase, SqlRow } from './sql-database.ts'

export interface PostgresDeliveryLogOptions {
  /** Its owner's to close. */
  readonly database: SqlDatabase
  /** Default: `waybill`. */
  readonly schema?: string
  /** What LOG has yet to read; see the port. */
  readonly backlog?: Backlog
}

/** Few enough that a page waits for one step and no longer. */
const expireStepEvents = 200

/** Brings the schema up to date, then opens the log on it. */
export async function createPostgresDeliveryLog(options: PostgresDeliveryLogOptions): Promise<DeliveryLog> {
  const { backlog } = options
  const schema = options.schema ?? defaultSchema
  let closed = false
  const database = untilClosed(options.database, () => closed)
  await migrate(database, schema)
  const maintenance = database.autovacuum ? undefined : createMaintenance(database, schema)

  async function positions(): Promise<LogPosition[]> {
    return (await database.query(queries.positions(schema))).map(positionRow)
  }
  const asOf = async () => completeUpTo(await positions(), await backlog?.())

  async function readPage(
    question: PageQuestion,
    { limit, cursor }: PageRequest,
    query: (schema: string, listing: queries.Listing) => Sql,
  ) {
    if (!Number.isInteger(limit) || limit < 1 || limit > pageLimitMax) {
      throw new RangeError(`a page has 1 to ${pageLimitMax} rows, not ${limit}`)
    }
    const after = cursor === undefined ? undefined : decodeCursor(cursor, question)
    if (cursor !== undefined && !after) return 'bad_cursor' as const
    const as_of = await asOf()
    const { scope, filter } = question
    // One more than is shown tells whether another page follows.
    const found = await database.query(query(schema, { scope, filter, after, rows: limit + 1 }))
    const rows = found.slice(0, limit)
    const last = found.length > limit ? rows.at(-1) : undefined
    return { rows, cursor: last ? encodeCursor(placeOf(last, question), question) : null, as_of }
  }

  const write = groupedWrites(async (batch) => {
    const rows = foldBatch(batch)
    const statements = writeStatements(schema, rows)
    if (statements.length === 0) return
    await database.transaction(statements)
    await maintenance?.wrote(rows)
  })

  return {
    asOf,
    positions,
    async listEvents(scope, filter, request): Promise<EventPageResult> {
      const page = await readPage({ list: 'events', scope, filter }, request, queries.listEvents)
      if (page === 'bad_cursor') return page
      return { events: page.rows.map(eventRow), cursor: page.cursor, as_of: page.as_of }
    },
    async listDeliveries(scope, filter, request): Promise<DeliveryPageResult> {
      const page = await readPage({ list: 'deliveries', scope, filter }, request, queries.listDeliveries)
      if (page === 'bad_cursor') return page
      return { deliveries: page.rows.map(deliveryRow), cursor: page.cursor, as_of: page.as_of }
    },
    async getEvent(scope, eventId): Promise<EventDetail | undefined> {
      if (!isUuid(eventId)) return undefined
      const found = await database.transaction(queries.eventDetail(schema, scope, eventId))
      const [[row] = [], deliveries = [], verdicts = [], payloads = []] = found
      return row && eventOf(row, deliveries.map(deliveryRow), verdicts, payloads)
    },
    async getDelivery(scope, deliveryId): Promise<DeliveryDetail | undefined> {
      if (!isUuid(deliveryId)) return undefined
      const found = await database.transaction(queries.deliveryDetail(schema, scope, deliveryId))
      const [[row] = [], attempts = []] = found
      if (!row) return undefined
      return {
        delivery: deliveryRow(row),
        attempts: attempts.map(attemptRow),
        payload: readRow(row).maybeText('payload'),
      }
    },
    listHealth: async (scope) => (await database.query(queries.listHealth(schema, scope))).map(healthRow),
    async counts(scope): Promise<LogCounts> {
      const [events, attempts, verdicts, endpoints, byState] = await database.transaction(
        queries.counts(schema, scope),
      )
      const count = (rows: SqlRow[] | undefined) => readRow(rows?.[0] ?? {}).number('n')
      const deliveries: Record<string, number> = { ...noDeliveries }
      for (const row of (byState ?? []).map(readRow)) deliveries[row.text('state')] = row.number('n')
      return {
        events: count(events),
        attempts: count(attempts),
        verdicts: count(verdicts),
        endpoints: count(endpoints),
        deliveries: deliveries as StateCounts,
      }
    },
    write,
    async clear() {
      await database.transaction([clearStatement(schema)])
      maintenance?.cleared()
    },
    async expire(beforeMs, { signal } = {}) {
      let removed = 0
      while (!signal?.aborted) {
        const found = await database.query(expiredEvents(schema, beforeMs, expireStepEvents))
        const ids = found.map((row) => readRow(row).text('event_id'))
        if (ids.length > 0) await database.transaction(removeStatements(schema, ids))
        removed += ids.length
        if (ids.length < expireStepEvents) break
      }
      if (removed > 0) await maintenance?.removed()
      return removed
    },
    async ping() {
      await database.query({ text: 'select 1 as one' })
    },
    async close() {
      closed = true
    },
  }
}

/** The database as this log sees it: closing the log ends its use, not the database. */
function untilClosed(database: SqlDatabase, isClosed: () => boolean): SqlDatabase {
  const guard = () => {
    if (isClosed()) throw new DeliveryLogError('closed', `the delivery log in ${database.name} is closed`)
  }
  return {
    ...database,
    async query(sql) {
      guard()
      return database.query(sql)
    },
    async transaction(statements) {
      guard()
      return database.transaction(statements)
    },
  }
}

function placeOf(columns: SqlRow, { list }: PageQuestion): PagePlace {
  const row = readRow(columns)
  return {
    occurredAt: row.number('occurred_at'),
    eventId: row.text('event_id'),
    endpointId: list === 'deliveries' ? row.text('endpoint_id') : null,
  }
}

/** The fold over the very rows that are shown, so that the two always agree. */
function eventOf(
  row: SqlRow,
  deliveries: readonly DeliveryRow[],
  verdicts: readonly SqlRow[],
  payloads: readonly SqlRow[],
): EventDetail {
  const states = { ...noDeliveries }
  let fold = { retry_count: 0, last_change_at: null as number | null, order_sequence: null as number | null }
  for (const delivery of deliveries) {
    states[delivery.state]++
    fold = {
      retry_count: Math.max(fold.retry_count, delivery.retry_count),
      last_change_at: Math.max(fold.last_change_at ?? 0, delivery.changed_at),
      order_sequence: delivery.order_sequence ?? fold.order_sequence,
    }
  }
  return {
    event: eventRow({ ...row, ...states, ...fold }),
    deliveries,
    verdicts: verdicts.map(verdictRow),
    payloads: payloads.map(readRow).map((payload) => ({
      payload_version: payload.text('payload_version'),
      payload: payload.text('payload'),
    })),
  }
}
