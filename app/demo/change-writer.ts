/**
 * Writes row changes as Debezium's MariaDB connector does (3.5, JSON without schema): envelope, source position,
 * transaction and headers as in recorded messages. Two connectors read one server: orders and assignments share
 * its GTIDs and its binlog.
 */

import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import type { Random } from '../../engine/index.ts'
import { capturedTopics } from '../../topology/topics.ts'

export type TableName = 'orders' | 'assignments'

/** Where the server's log goes on. */
export interface BinlogPosition {
  /** The sequence number of the next GTID. */
  readonly transaction: number
  readonly file: number
  readonly pos: number
}

export interface RowChange {
  readonly table: TableName
  readonly id: number
  /** Rows as JSON text: the `after` of one change is the `before` of the next. */
  readonly before: string | null
  readonly after: string
}

export interface ChangeWriter {
  /** One transaction: its changes share a GTID. `lagMs` is how much later than usual they arrive. */
  commit(atMs: number, changes: readonly RowChange[], lagMs?: number): CapturedRecord[]
  /**
   * Starts a connector again after a crash: a new run id, and `records`, which it had sent and not noted, once more
   * with new times. Their source positions are the old ones: that is how a repeat is known.
   */
  restart(table: TableName, atMs: number, records: readonly CapturedRecord[]): CapturedRecord[]
  position(): BinlogPosition
}

/** From commit to record, in milliseconds: what was measured with `poll.interval.ms=10`. */
export const connectorLagMs = 12

const connectors = {
  orders: { topic: capturedTopics.orders, name: 'oms', db: 'oms' },
  assignments: { topic: capturedTopics.assignments, name: 'dispatch', db: 'dispatch' },
} as const

const serverId = 223344
/** MariaDB's default `max_binlog_size`. */
const binlogFileBytes = 1024 ** 3

/** Makes a writer that goes on at `start`. */
export function changeWriter(options: { start: BinlogPosition; random: Random }): ChangeWriter {
  let { transaction, file, pos } = options.start
  const runIds = { orders: runId(options.random), assignments: runId(options.random) }

  const headers = (table: TableName) => ({
    '__debezium.context.connectorLogicalName': connectors[table].name,
    '__debezium.context.taskId': '0',
    '__debezium.context.connectorName': 'mariadb',
    '__debezium.context.runId': runIds[table],
  })

  const advance = (bytes: number) => {
    pos += bytes
    if (pos < binlogFileBytes) return
    file++
    pos = 4
  }

  return {
    position: () => ({ transaction, file, pos }),
    commit(atMs, changes, lagMs = 0) {
      const gtid = `0-${serverId}-${transaction++}`
      const tables = new Map<TableName, number>()
      return changes.map((change, index) => {
        const order = (tables.get(change.table) ?? 0) + 1
        tables.set(change.table, order)
        const source = sourceText(change.table, { atMs, gtid, file, pos })
        advance(change.after.length + (change.before?.length ?? 0) + 90)
        const seenMs = atMs + lagMs + connectorLagMs - 5
        const value =
          `{"before":${change.before ?? 'null'},"after":${change.after},"source":${source},` +
          `"transaction":{"id":"${gtid}","total_order":${index + 1},"data_collection_order":${order}},` +
          `"op":"${change.before === null ? 'c' : 'u'}",${seenAt(seenMs)}}`
        return {
          topic: connectors[change.table].topic,
          partition: null,
          timestamp: atMs + lagMs + connectorLagMs,
          key: `{"id":${change.id}}`,
          value,
          headers: headers(change.table),
        }
      })
    },
    restart(table, atMs, records) {
      runIds[table] = runId(options.random)
      return records.map((record) => ({
        ...record,
        timestamp: atMs,
        value:
          typeof record.value === 'string' ? record.value.replace(lastTimes, `${seenAt(atMs - 5)}}`) : null,
        headers: headers(table),
      }))
    },
  }
}

/** The connector's own times at the end of the envelope. */
const seenAt = (ms: number): string => `"ts_ms":${ms},${microAndNano(ms, (ms * 7919) % 1000)}`
const lastTimes = /"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+\}$/

/** Nanoseconds have 19 digits and do not fit a number: they are written as text. */
function microAndNano(ms: number, micros: number): string {
  const us = `${ms}${String(micros).padStart(3, '0')}`
  return `"ts_us":${us},"ts_ns":${us}${micros === 0 ? '000' : String((micros * 31) % 1000).padStart(3, '0')}`
}

function sourceText(table: TableName, at: { atMs: number; gtid: string; file: number; pos: number }): string {
  const { name, db } = connectors[table]
  // The binlog keeps whole seconds.
  const commitMs = Math.floor(at.atMs / 1000) * 1000
  const log = `binlog.${String(at.file).padStart(6, '0')}`
  return (
    `{"version":"3.5.0.Final","connector":"mariadb","name":"${name}","ts_ms":${commitMs},"snapshot":"false",` +
    `"db":"${db}","sequence":null,${microAndNano(commitMs, 0)},"table":"${table}","server_id":${serverId},` +
    `"gtid":"${at.gtid}","file":"${log}","pos":${at.pos},"row":0,"thread":null,"query":null}`
  )
}

/** Looks like the UUID that the worker makes at each start. */
function runId(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20)}`
}
