/**
 * The statements that read the log. Lists are cut out of one index each, newest first; only the rows of the page
 * are then looked at in full.
 */
import type { EventFilter, Scope, StatusFilter } from '../../ports/delivery-log.ts'
import type { PagePlace } from '../../ports/page-cursor.ts'
import { testOrderPrefix } from '../../schemas/index.ts'
import { keyText } from './log-writes.ts'
import type { Sql, SqlValue } from './sql-database.ts'

/** Which rows of a list to fetch. */
export interface Listing {
  readonly scope: Scope
  readonly filter: EventFilter
  readonly after: PagePlace | undefined
  /** Rows to fetch: one more than a page shows tells whether another follows. */
  readonly rows: number
}

/** A delivery's columns with its attempts counted and the latest outcome. */
const deliveryColumns = `d.*, coalesce(a.attempts, 0) as attempts, l.outcome as last_outcome,
  l.status_code as last_status_code`

const attemptsOf = (schema: string) => `
  left join lateral (
    select count(*)::integer as attempts from ${schema}.attempts where delivery_id = d.delivery_id
  ) a on true
  left join lateral (
    select outcome, status_code from ${schema}.attempts
    where delivery_id = d.delivery_id order by attempt_id desc limit 1
  ) l on true`

/**
 * A page of events. Whether it is cut out of `events` or of `deliveries` depends on what is rare: a state other
 * than delivered, retries, an endpoint, a redrive and what was sent out of order have indexes of their own there; an
 * order has few events, and `delivered` is found wherever one looks.
 */
export function listEvents(schema: string, listing: Listing): Sql {
  const { filter, rows } = listing
  const values: SqlValue[] = []
  const bind = (value: SqlValue) => `$${values.push(value)}`
  const ofDeliveries = filter.orderId === undefined && isRare(filter)
  const page = ofDeliveries
    ? `select d.occurred_at, d.event_id from ${schema}.deliveries d
       where ${all([...eventConditions(listing, 'd', bind), ...deliveryConditions(filter, 'd', bind)])}
       group by d.occurred_at, d.event_id`
    : `select e.occurred_at, e.event_id from ${schema}.events e
       where ${all([...eventConditions(listing, 'e', bind), ...existence(schema, filter, bind)])}`
  return {
    text: `
      with page as materialized (${page} order by occurred_at desc, event_id desc limit ${bind(rows)})
      select e.event_id, e.partner_id, e.order_id, e.event, p.occurred_at, e.routed_at, f.*
      from page p join ${schema}.events e on e.event_id = p.event_id
      cross join lateral (
        select count(*) filter (where state = 'waiting')::integer as waiting,
               count(*) filter (where state = 'delivered')::integer as delivered,
               count(*) filter (where state = 'dead')::integer as dead,
               count(*) filter (where state = 'skipped')::integer as skipped,
               coalesce(max(retry_count), 0) as retry_count, max(changed_at) as last_change_at,
               max(order_sequence) as order_sequence
        from ${schema}.deliveries d where d.event_id = p.event_id
      ) f
      order by p.occurred_at desc, p.event_id desc`,
    values,
  }
}

/** A page of deliveries, cut out of the same tables by the same rule. */
export function listDeliveries(schema: string, listing: Listing): Sql {
  const { filter, rows } = listing
  const values: SqlValue[] = []
  const bind = (value: SqlValue) => `$${values.push(value)}`
  const ofDeliveries = filter.orderId === undefined && isRare(filter)
  // Ordered by the columns of the table that it is cut out of: only so is the index's order of use.
  const table = ofDeliveries ? 'd' : 'e'
  const from = ofDeliveries
    ? `${schema}.deliveries d`
    : `${schema}.events e join ${schema}.deliveries d on d.event_id = e.event_id`
  const conditions = [
    ...eventConditions({ ...listing, after: undefined }, table, bind),
    ...deliveryConditions(filter, 'd', bind),
    ...afterDelivery(listing.after, table, bind),
  ]
  return {
    text: `
      with page as materialized (
        select d.* from ${from} where ${all(conditions)}
        order by ${table}.occurred_at desc, ${table}.event_id desc, d.endpoint_id desc limit ${bind(rows)}
      )
      select ${deliveryColumns} from page d ${attemptsOf(schema)}
      order by d.occurred_at desc, d.event_id desc, d.endpoint_id desc`,
    values,
  }
}

/** In two steps, of which the first is an index's: a page may end between two deliveries of one event. */
function afterDelivery(after: PagePlace | undefined, table: string, bind: Bind): string[] {
  if (!after) return []
  const [occurredAt, eventId] = [`${bind(after.occurredAt)}::bigint`, `${bind(after.eventId)}::uuid`]
  const endpointId = bind(after.endpointId ?? '')
  return [
    `(${table}.occurred_at, ${table}.event_id) <= (${occurredAt}, ${eventId})`,
    `((${table}.occurred_at, ${table}.event_id) <> (${occurredAt}, ${eventId}) or d.endpoint_id < ${endpointId})`,
  ]
}

const isRare = ({ status, endpointId, redriveId, outOfOrder }: EventFilter): boolean =>
  endpointId !== undefined ||
  redriveId !== undefined ||
  outOfOrder === true ||
  (status !== undefined && status !== 'delivered')

type Bind = (value: SqlValue) => string

function eventConditions({ scope, filter, after }: Listing, table: string, bind: Bind): string[] {
  const conditions: string[] = []
  const add = (condition: string) => conditions.push(condition)
  if (scope.partnerId !== null) add(`${table}.partner_id = ${bind(keyText(scope.partnerId))}`)
  if (filter.type !== undefined) add(`${table}.event = ${bind(keyText(filter.type))}`)
  if (filter.orderId !== undefined) add(`${table}.order_id = ${bind(keyText(filter.orderId))}`)
  if (filter.sinceMs !== undefined) add(`${table}.occurred_at >= ${bind(filter.sinceMs)}`)
  if (filter.untilMs !== undefined) add(`${table}.occurred_at < ${bind(filter.untilMs)}`)
  if (filter.test !== undefined) add(testCondition(filter.test, table))
  if (after) {
    add(
      `(${table}.occurred_at, ${table}.event_id) < (${bind(after.occurredAt)}::bigint, ${bind(after.eventId)}::uuid)`,
    )
  }
  return conditions
}

/** A range, so that the index of orders finds the few that there are. */
function testCondition(test: boolean, table: string): string {
  // The first text after all that begin with the prefix: it ends with a hyphen, and a full stop follows that.
  const end = `${testOrderPrefix.slice(0, -1)}.`
  const [first, beyond] = [`${table}.order_id >= '${testOrderPrefix}'`, `${table}.order_id < '${end}'`]
  return test ? `${first} and ${beyond}` : `not (${first} and ${beyond})`
}

function deliveryConditions(filter: EventFilter, table: string, bind: Bind): string[] {
  const conditions: string[] = []
  if (filter.status !== undefined) conditions.push(statusCondition(filter.status, table))
  if (filter.endpointId !== undefined) {
    conditions.push(`${table}.endpoint_id = ${bind(keyText(filter.endpointId))}`)
  }
  if (filter.redriveId !== undefined) {
    conditions.push(`${table}.redrive_id = ${bind(keyText(filter.redriveId))}`)
  }
  if (filter.outOfOrder !== undefined) {
    conditions.push(filter.outOfOrder ? `${table}.out_of_order` : `not ${table}.out_of_order`)
  }
  return conditions
}

/** Literals, not parameters: only so can the partial indexes be used. */
function statusCondition(status: StatusFilter, table: string): string {
  switch (status) {
    case 'retried':
      return `${table}.retry_count > 0`
    case 'failed':
    case 'dead':
      return `${table}.state = 'dead'`
    case 'delivered':
    case 'waiting':
    case 'skipped':
      return `${table}.state = '${status}'`
  }
}

function existence(schema: string, filter: EventFilter, bind: Bind): string[] {
  const conditions = deliveryConditions(filter, 'd', bind)
  if (conditions.length === 0) return []
  return [`exists (select from ${schema}.deliveries d where d.event_id = e.event_id and ${all(conditions)})`]
}

const all = (conditions: readonly string[]): string =>
  conditions.length === 0 ? 'true' : conditions.join(' and ')

/** One event's row, deliveries, verdicts and payloads, in this order. */
export function eventDetail(schema: string, scope: Scope, eventId: string): Sql[] {
  const values = scope.partnerId === null ? [eventId] : [eventId, keyText(scope.partnerId)]
  const partner = scope.partnerId === null ? '' : 'and e.partner_id = $2'
  // What hangs on an event is read only through the event itself, so that the scope stands in one place.
  const of = (table: string, columns: string, order: string) =>
    `select ${columns} from ${schema}.events e join ${schema}.${table} d on d.event_id = e.event_id
     ${table === 'deliveries' ? attemptsOf(schema) : ''} where e.event_id = $1 ${partner} order by ${order}`
  return [
    { text: `select e.* from ${schema}.events e where e.event_id = $1 ${partner}`, values },
    { text: of('deliveries', deliveryColumns, 'd.endpoint_id'), values },
    { text: of('verdicts', 'd.*', 'd.endpoint_id'), values },
    { text: of('payloads', 'd.*', 'd.payload_version'), values },
  ]
}

/** One delivery with its payload, and its attempts, oldest first. */
export function deliveryDetail(schema: string, scope: Scope, deliveryId: string): Sql[] {
  const values = scope.partnerId === null ? [deliveryId] : [deliveryId, keyText(scope.partnerId)]
  const partner = scope.partnerId === null ? '' : 'and d.partner_id = $2'
  return [
    {
      text: `select ${deliveryColumns}, p.payload from ${schema}.deliveries d ${attemptsOf(schema)}
        left join ${schema}.payloads p on p.event_id = d.event_id and p.payload_version = d.payload_version
        where d.delivery_id = $1 ${partner}`,
      values,
    },
    {
      text: `select t.* from ${schema}.deliveries d join ${schema}.attempts t on t.delivery_id = d.delivery_id
        where d.delivery_id = $1 ${partner} order by t.attempt_id`,
      values,
    },
  ]
}

export function listHealth(schema: string, scope: Scope): Sql {
  return {
    text: `select * from ${schema}.endpoint_health where $1::text is null or partner_id = $1 order by endpoint_id`,
    values: [scope.partnerId],
  }
}

/** Rows of every table, deliveries by state. */
export function counts(schema: string, scope: Scope): Sql[] {
  const values = [scope.partnerId]
  const mine = '($1::text is null or partner_id = $1)'
  const ofEvents = `($1::text is null or exists (
    select from ${schema}.events e where e.event_id = t.event_id and e.partner_id = $1))`
  const ofDeliveries = `($1::text is null or exists (
    select from ${schema}.deliveries d where d.delivery_id = t.delivery_id and d.partner_id = $1))`
  return [
    { text: `select count(*)::integer as n from ${schema}.events where ${mine}`, values },
    { text: `select count(*)::integer as n from ${schema}.attempts t where ${ofDeliveries}`, values },
    { text: `select count(*)::integer as n from ${schema}.verdicts t where ${ofEvents}`, values },
    { text: `select count(*)::integer as n from ${schema}.endpoint_health where ${mine}`, values },
    {
      text: `select state, count(*)::integer as n from ${schema}.deliveries where ${mine} group by state`,
      values,
    },
  ]
}

export const positions = (schema: string): Sql => ({
  text: `select source, partition, "offset", "at" from ${schema}.positions order by source, partition`,
})
