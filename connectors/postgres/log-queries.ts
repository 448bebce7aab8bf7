/**
 * The statements that read the log. Lists are cut out of one index each, newest first; only the rows of the page
 * are then looked at in full.
 */
import type { EventFilter, Scope } from '../../ports/delivery-log.ts'
import {
  type Asked,
  afterDelivery,
  all,
  type Bind,
  deliveryConditions,
  eventConditions,
  existence,
} from './log-conditions.ts'
import { keyText } from './log-writes.ts'
import type { Sql, SqlValue } from './sql-database.ts'

/** Which rows of a list to fetch. */
export interface Listing extends Asked {
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

/** A page of events: of its place in the order, and then of what is shown. */
export function listEvents(schema: string, listing: Listing): Sql {
  const { filter, rows } = listing
  const values: SqlValue[] = []
  const bind = (value: SqlValue) => `$${values.push(value)}`
  const source = sourceOf(filter)
  const conditions = (table: string) => [
    ...eventConditions(listing, table, bind),
    ...deliveryConditions(filter, table, bind),
  ]
  const newest = () => `order by occurred_at desc, event_id desc limit ${bind(rows)}`
  const page = () => {
    switch (source) {
      case 'waiting':
        return `select occurred_at, event_id
          from (${waitingPage(schema, 'event', listing, eventConditions(listing, 'd', bind), bind)}) d`
      case 'exceptions':
      case 'deliveries':
        return `select d.occurred_at, d.event_id from ${schema}.${source} d where ${all(conditions('d'))}
          group by d.occurred_at, d.event_id`
      case 'events':
        return `select e.occurred_at, e.event_id from ${schema}.events e
          where ${all([...eventConditions(listing, 'e', bind), ...existence(schema, filter, bind)])}`
    }
  }
  return {
    text: `
      with page as materialized (${page()} ${newest()})
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
  const source = sourceOf(filter)
  // Ordered by the columns of the table that it is cut out of: only so is the index's order of use.
  const table = source === 'events' ? 'e' : 'd'
  const facts = [
    ...eventConditions({ ...listing, after: undefined }, table, bind),
    ...afterDelivery(listing.after, table, bind),
  ]
  const from = {
    deliveries: `${schema}.deliveries d`,
    exceptions: `${schema}.exceptions d`,
    events: `${schema}.events e join ${schema}.deliveries d on d.event_id = e.event_id`,
    waiting: '',
  }[source]
  const places =
    source === 'waiting'
      ? waitingPage(schema, 'delivery', listing, facts, bind)
      : `select d.occurred_at, d.event_id, d.endpoint_id from ${from}
         where ${all([...facts, ...deliveryConditions(filter, 'd', bind)])}
         order by ${table}.occurred_at desc, ${table}.event_id desc, d.endpoint_id desc limit ${bind(rows)}`
  return {
    text: `
      with page as materialized (${places})
      select ${deliveryColumns} from page p
      join ${schema}.deliveries d
        on d.event_id = p.event_id and d.endpoint_id = p.endpoint_id and d.occurred_at = p.occurred_at
      ${attemptsOf(schema)}
      order by d.occurred_at desc, d.event_id desc, d.endpoint_id desc limit ${bind(rows)}`,
    values,
  }
}

/**
 * What a page is cut out of depends on what is rare: what waits and what is an exception has a table of its own, an
 * endpoint an index; an order has few events, and `delivered` is found wherever one looks.
 */
function sourceOf(filter: EventFilter): 'waiting' | 'exceptions' | 'deliveries' | 'events' {
  const { status, endpointId, orderId, redriveId, outOfOrder } = filter
  if (orderId !== undefined) return 'events'
  if (redriveId !== undefined || outOfOrder === true) return 'exceptions'
  if (status === 'waiting') return 'waiting'
  if (status !== undefined && status !== 'delivered') return 'exceptions'
  return endpointId === undefined ? 'events' : 'deliveries'
}

/**
 * The newest of what is waiting. All of it has an index in its order; of a partner or an endpoint each endpoint's
 * newest are taken, one endpoint after the other, and the newest of them are the page.
 */
function waitingPage(
  schema: string,
  what: 'event' | 'delivery',
  { scope, filter, rows }: Listing,
  facts: readonly string[],
  bind: Bind,
): string {
  const place = what === 'event' ? ['occurred_at', 'event_id'] : ['occurred_at', 'event_id', 'endpoint_id']
  const columns = place.map((name) => `d.${name}`).join(', ')
  // An event is one row, however many of its deliveries wait.
  const newest = `${what === 'event' ? `group by ${columns}` : ''}
    order by ${place.map((name) => `d.${name} desc`).join(', ')} limit ${bind(rows)}`
  // What else is asked for, the delivery knows; and it has the last word. With `limit`: looked up row by row, until
  // the page is full; a join would begin with all deliveries that wait.
  const really = `${schema}.waiting d cross join lateral (
      select from ${schema}.deliveries s
      where s.event_id = d.event_id and s.endpoint_id = d.endpoint_id and s.occurred_at = d.occurred_at
        and ${all(deliveryConditions(filter, 's', bind))} limit 1
    ) really`
  const waiting = (conditions: readonly string[]) =>
    `select ${columns} from ${really} where ${all([...conditions, ...facts])} ${newest}`

  if (scope.partnerId === null && filter.endpointId === undefined) return waiting([])
  const mine = scope.partnerId === null ? 'true' : `partner_id = ${bind(keyText(scope.partnerId))}`
  const asked =
    filter.endpointId === undefined ? 'true' : `n.endpoint_id = ${bind(keyText(filter.endpointId))}`
  return `
    with recursive endpoints as (
      (select partner_id, endpoint_id from ${schema}.waiting where ${mine}
       order by partner_id, endpoint_id limit 1)
      union all
      select next.* from endpoints n cross join lateral (
        select partner_id, endpoint_id from ${schema}.waiting
        where ${mine} and (partner_id, endpoint_id) > (n.partner_id, n.endpoint_id)
        order by partner_id, endpoint_id limit 1
      ) next
    )
    select ${columns} from endpoints n cross join lateral (
      ${waiting(['d.partner_id = n.partner_id', 'd.endpoint_id = n.endpoint_id'])}
    ) d where ${asked} ${newest}`
}

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
