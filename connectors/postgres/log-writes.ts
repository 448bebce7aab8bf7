/**
 * The statements that write rows: one per table, whatever the number of rows, over arrays. Each says what happens
 * when the row is there already, so that a repeat changes nothing and an older version overwrites nothing.
 */
import { binaryArrays, type Column } from './binary-arrays.ts'
import type { LogRows } from './log-rows.ts'
import { followDeliveries, unfollow } from './side-tables.ts'
import type { Sql } from './sql-database.ts'

/** The statements for these rows, in one fixed order of tables: with sorted rows, no two writers can block each other for ever. */
export function writeStatements(schema: string, rows: LogRows): Sql[] {
  return [
    upsert(
      `${schema}.events as known`,
      rows.events,
      eventColumns,
      `(event_id) do update set routed_at = excluded.routed_at where excluded.routed_at < known.routed_at`,
      unknownEvents(schema),
    ),
    upsert(`${schema}.payloads`, rows.payloads, payloadColumns, `(event_id, payload_version) do nothing`),
    upsert(
      `${schema}.verdicts as known`,
      rows.verdicts,
      verdictColumns,
      `(event_id, endpoint_id) do update set ${assign(verdictColumns.slice(2))}
       where (excluded.verdict = 'ROUTED', excluded.decided_at) > (known.verdict = 'ROUTED', known.decided_at)`,
    ),
    upsert(
      `${schema}.deliveries as known`,
      rows.deliveries,
      deliveryColumns,
      `(delivery_id) do update set ${assign(changingColumns)} where excluded.version > known.version`,
    ),
    ...followDeliveries(schema, rows.deliveries),
    upsert(`${schema}.attempts`, rows.attempts, attemptColumns, `(delivery_id, attempt_id) do nothing`),
    upsert(
      `${schema}.endpoint_health as known`,
      rows.health,
      healthColumns,
      `(endpoint_id) do update set ${assign(healthColumns.slice(1))}
       where excluded.reported_at >= known.reported_at`,
    ),
    upsert(
      `${schema}.positions as known`,
      rows.positions,
      positionColumns,
      `(source, partition) do update set ${assign(positionColumns.slice(2))}
       where excluded."offset" > known."offset"`,
    ),
  ].filter((sql) => sql !== undefined)
}

/** Empties every table but that of the migrations. */
export const clearStatement = (schema: string): Sql => ({
  text: `truncate ${[
    'events',
    'payloads',
    'verdicts',
    'deliveries',
    'waiting',
    'exceptions',
    'attempts',
    'endpoint_health',
    'positions',
  ]
    .map((table) => `${schema}.${table}`)
    .join(', ')}`,
})

/** The oldest events that occurred before; how many at most. */
export const expiredEvents = (schema: string, beforeMs: number, most: number): Sql => ({
  text: `select event_id from ${schema}.events where occurred_at < $1 order by occurred_at, event_id limit $2`,
  values: [beforeMs, most],
})

/** Removes these events, and first what hangs on them. */
export function removeStatements(schema: string, eventIds: readonly string[]): Sql[] {
  const ofEvents = 'event_id = any($1::uuid[])'
  return [
    ...unfollow(schema, `d.${ofEvents}`),
    `${schema}.attempts where delivery_id in (select delivery_id from ${schema}.deliveries where ${ofEvents})`,
    ...['payloads', 'verdicts', 'deliveries', 'events'].map(
      (table) => `${schema}.${table} where ${ofEvents}`,
    ),
  ].map((rows) => ({ text: `delete from ${rows}`, values: [eventIds] }))
}

type Row<N extends keyof LogRows> = LogRows[N][number]

const eventColumns: readonly Column<Row<'events'>>[] = [
  ['event_id', 'uuid', (row) => row.event_id],
  ['partner_id', 'text', (row) => keyText(row.partner_id)],
  ['order_id', 'text', (row) => keyText(row.order_id)],
  ['event', 'text', (row) => keyText(row.event)],
  ['occurred_at', 'bigint', (row) => row.occurred_at],
  ['routed_at', 'bigint', (row) => row.routed_at],
]

const payloadColumns: readonly Column<Row<'payloads'>>[] = [
  ['event_id', 'uuid', (row) => row.event_id],
  ['payload_version', 'text', (row) => keyText(row.payload_version)],
  ['payload', 'text', (row) => storable(row.payload ?? '')],
]

const verdictColumns: readonly Column<Row<'verdicts'>>[] = [
  ['event_id', 'uuid', (row) => row.event_id],
  ['endpoint_id', 'text', (row) => keyText(row.endpoint_id ?? '')],
  ['verdict', 'text', (row) => row.verdict],
  ['delivery_id', 'uuid', (row) => row.delivery_id],
  ['payload_version', 'text', (row) => row.payload_version && keyText(row.payload_version)],
  ['decided_at', 'bigint', (row) => row.at],
]

/** What a later record about the same delivery may change. */
const changingColumns: readonly Column<Row<'deliveries'>>[] = [
  ['version', 'integer', (row) => row.version],
  ['changed_at', 'bigint', (row) => row.at],
  ['change', 'text', (row) => row.change],
  ['state', 'text', (row) => row.state],
  ['retry_count', 'integer', (row) => row.retry_count],
  ['next_due_at', 'bigint', (row) => row.next_due_at],
  ['reason', 'text', (row) => row.reason && storable(row.reason)],
  ['by_hand', 'boolean', (row) => row.by_hand],
  ['out_of_order', 'boolean', (row) => row.out_of_order],
  ['waited_for_order_ms', 'bigint', (row) => row.waited_for_order_ms],
  ['redrive_id', 'text', (row) => row.redrive_id && keyText(row.redrive_id)],
]

const deliveryColumns: readonly Column<Row<'deliveries'>>[] = [
  ['delivery_id', 'uuid', (row) => row.delivery_id],
  ['event_id', 'uuid', (row) => row.event_id],
  ['endpoint_id', 'text', (row) => keyText(row.endpoint_id)],
  ['partner_id', 'text', (row) => keyText(row.partner_id)],
  ['order_id', 'text', (row) => keyText(row.order_id)],
  ['event', 'text', (row) => keyText(row.event)],
  ['payload_version', 'text', (row) => keyText(row.payload_version)],
  ['occurred_at', 'bigint', (row) => row.occurred_at],
  ['routed_at', 'bigint', (row) => row.routed_at],
  ['order_sequence', 'bigint', (row) => row.order_sequence],
  ...changingColumns,
]

const attemptColumns: readonly Column<Row<'attempts'>>[] = [
  ['delivery_id', 'uuid', (row) => row.history.delivery_id],
  ['attempt_id', 'uuid', (row) => row.attempt.attempt_id],
  ['version', 'integer', (row) => row.history.version],
  ['retry_count', 'integer', (row) => row.attempt.retry_count],
  ['trigger', 'text', (row) => row.attempt.trigger],
  ['started_at', 'bigint', (row) => row.attempt.started_at],
  ['reported_at', 'bigint', (row) => row.history.at],
  ['outcome', 'text', (row) => storable(row.attempt.outcome.class)],
  ['status_code', 'integer', (row) => row.attempt.outcome.status_code],
  ['detail', 'text', (row) => row.attempt.outcome.detail && storable(row.attempt.outcome.detail)],
  ['duration_ms', 'integer', (row) => row.attempt.outcome.duration_ms],
  ['queued_ms', 'bigint', (row) => row.history.queued_ms],
  ['retry_after_ms', 'bigint', (row) => row.attempt.retry_after_ms],
  ['again', 'boolean', (row) => row.attempt.again],
  ['resulting_state', 'text', (row) => row.history.state],
]

const healthColumns: readonly Column<Row<'health'>>[] = [
  ['endpoint_id', 'text', (row) => keyText(row.endpoint_id)],
  ['partner_id', 'text', (row) => keyText(row.partner_id)],
  ['reported_at', 'bigint', (row) => row.reported_at],
  ['health', 'text', (row) => storable(row.health)],
]

const positionColumns: readonly Column<Row<'positions'>>[] = [
  ['source', 'text', (row) => row.source],
  ['partition', 'integer', (row) => row.partition],
  ['"offset"', 'bigint', (row) => row.offset],
  ['"at"', 'bigint', (row) => row.at],
]

/**
 * Every record tells its event again. `on conflict` would lock the row of each that is known, and write that to the
 * log; a look costs less. With `limit`, because a join would read all events to find a few.
 */
const unknownEvents = (schema: string): string => `
  left join lateral (
    select true as known from ${schema}.events
    where event_id = given.event_id and routed_at <= given.routed_at limit 1
  ) as event on true
  where event.known is null`

function upsert<T>(
  table: string,
  rows: readonly T[],
  columns: readonly Column<T>[],
  onConflict: string,
  those = '',
): Sql | undefined {
  if (rows.length === 0) return undefined
  const names = columns.map(([name]) => name).join(', ')
  const arrays = columns.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ')
  return {
    text: `insert into ${table} (${names})
      select given.* from unnest(${arrays}) as given (${names}) ${those} on conflict ${onConflict}`,
    values: binaryArrays(columns, rows),
  }
}

const assign = (columns: readonly Column<never>[]): string =>
  columns.map(([name]) => `${name} = excluded.${name}`).join(', ')

/** PostgreSQL's text holds every character but NUL, and the first bytes of a response may well be one. */
const storable = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text)

/**
 * An index entry holds at most 2,704 bytes, of up to two keys at three bytes a character. A longer key is cut,
 * when it is written and when it is looked for alike.
 */
const keyCharactersMax = 256

/** Text as it stands in an indexed column. */
export function keyText(text: string): string {
  const characters = text.length <= keyCharactersMax ? text : text.slice(0, keyCharactersMax)
  return storable(characters)
}
