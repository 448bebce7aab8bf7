/**
 * What is searched for among a million that are not stands in two small tables of its own: the deliveries that are
 * `waiting`, and the `exceptions`: dead, skipped, retried, redriven, or sent out of order. Both follow from
 * `deliveries`, row by row, in the transaction that changes it; so its own indexes name no column that changes, and
 * settling a delivery writes to none of them.
 *
 * Each statement looks at the delivery as it stands now, whose row the writer has locked: what comes again, late or
 * in another order leaves the same rows.
 */
import type { DeliveryHistory } from '../../schemas/index.ts'
import { binaryArrays } from './binary-arrays.ts'
import type { Sql } from './sql-database.ts'

/** Rows of `waiting` as they follow from these deliveries. */
const selectWaiting = (schema: string, those: string): string => `
  (partner_id, endpoint_id, occurred_at, event_id, event, order_id)
  select d.partner_id, d.endpoint_id, d.occurred_at, d.event_id, d.event, d.order_id
  from ${schema}.deliveries d where d.state = 'waiting' and ${those}`

const exceptionColumns = [
  'delivery_id',
  'event_id',
  'endpoint_id',
  'partner_id',
  'order_id',
  'event',
  'occurred_at',
  'state',
  'retry_count',
  'redrive_id',
  'out_of_order',
]

const isException = `(d.state in ('dead', 'skipped') or d.retry_count > 0 or d.redrive_id is not null or d.out_of_order)`

/** Rows of `exceptions` as they follow from these deliveries. */
const selectExceptions = (schema: string, those: string): string => `
  (${exceptionColumns.join(', ')})
  select ${exceptionColumns.map((name) => `d.${name}`).join(', ')}
  from ${schema}.deliveries d where ${isException} and ${those}`

const wasException = ({ state, retry_count, redrive_id, out_of_order }: DeliveryHistory): boolean =>
  state === 'dead' || state === 'skipped' || retry_count > 0 || redrive_id !== null || out_of_order

/**
 * Brings both tables up to date with deliveries that were just written. What the records say only tells where to
 * look: the first version of a delivery was in neither table before.
 */
export function followDeliveries(schema: string, deliveries: readonly DeliveryHistory[]): Sql[] {
  const changed = deliveries.filter(({ version }) => version > 1)
  const those = 'd.delivery_id = any($1::uuid[])'
  const statement = (rows: readonly DeliveryHistory[], text: string): Sql[] =>
    rows.length === 0 ? [] : [{ text, values: binaryArrays([['delivery_id', 'uuid', idOf]], rows) }]
  return [
    ...statement(
      deliveries.filter(({ state }) => state === 'waiting'),
      `insert into ${schema}.waiting ${selectWaiting(schema, those)} on conflict do nothing`,
    ),
    ...statement(
      changed.filter(({ state }) => state !== 'waiting'),
      `delete from ${schema}.waiting w using ${schema}.deliveries d
       where ${those} and d.state <> 'waiting' and ${sameDelivery}`,
    ),
    ...statement(
      deliveries.filter(wasException),
      `insert into ${schema}.exceptions as known ${selectExceptions(schema, those)}
       on conflict (delivery_id) do update set (state, retry_count, redrive_id, out_of_order) =
         (excluded.state, excluded.retry_count, excluded.redrive_id, excluded.out_of_order)`,
    ),
    ...statement(
      changed.filter((delivery) => !wasException(delivery)),
      `delete from ${schema}.exceptions known using ${schema}.deliveries d
       where ${those} and known.delivery_id = d.delivery_id and not ${isException}`,
    ),
  ]
}

/** A delivery has no row of its own id in `waiting`: its key is the order in which it is listed. */
const sameDelivery = `(w.partner_id, w.endpoint_id, w.occurred_at, w.event_id)
  = (d.partner_id, d.endpoint_id, d.occurred_at, d.event_id)`

/** Removes the rows of these deliveries, given as a condition on `d`. */
export const unfollow = (schema: string, those: string): string[] => [
  `${schema}.waiting w using ${schema}.deliveries d where ${those} and ${sameDelivery}`,
  `${schema}.exceptions known using ${schema}.deliveries d where ${those} and known.delivery_id = d.delivery_id`,
]

const idOf = ({ delivery_id }: DeliveryHistory): string => delivery_id
