/**
 * What a reader, a filter and a cursor mean in SQL: conditions on the rows of the log. Values are bound; what partial
 * indexes have to see stands in the text.
 */
import type { EventFilter, Scope, StatusFilter } from '../../ports/delivery-log.ts'
import type { PagePlace } from '../../ports/page-cursor.ts'
import { testOrderPrefix } from '../../schemas/index.ts'
import { keyText } from './log-writes.ts'
import type { SqlValue } from './sql-database.ts'

/** Adds a value to a statement and answers how its text refers to it. */
export type Bind = (value: SqlValue) => string

/** Which rows are asked for. */
export interface Asked {
  readonly scope: Scope
  readonly filter: EventFilter
  readonly after: PagePlace | undefined
}

/** In two steps, of which the first is an index's: a page may end between two deliveries of one event. */
export function afterDelivery(after: PagePlace | undefined, table: string, bind: Bind): string[] {
  if (!after) return []
  const [occurredAt, eventId] = [`${bind(after.occurredAt)}::bigint`, `${bind(after.eventId)}::uuid`]
  const endpointId = bind(after.endpointId ?? '')
  return [
    `(${table}.occurred_at, ${table}.event_id) <= (${occurredAt}, ${eventId})`,
    `((${table}.occurred_at, ${table}.event_id) <> (${occurredAt}, ${eventId}) or d.endpoint_id < ${endpointId})`,
  ]
}

/** What `table` knows of an event: `events` itself, or another that has its columns too. */
export function eventConditions({ scope, filter, after }: Asked, table: string, bind: Bind): string[] {
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

/** What is asked of one and the same delivery. */
export function deliveryConditions(filter: EventFilter, table: string, bind: Bind): string[] {
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

/** That an event has a delivery of which all of it is true. */
export function existence(schema: string, filter: EventFilter, bind: Bind): string[] {
  const conditions = deliveryConditions(filter, 'd', bind)
  if (conditions.length === 0) return []
  return [`exists (select from ${schema}.deliveries d where d.event_id = e.event_id and ${all(conditions)})`]
}

export const all = (conditions: readonly string[]): string =>
  conditions.length === 0 ? 'true' : conditions.join(' and ')
