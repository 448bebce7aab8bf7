/**
 * The delivery log in memory: for tests, for replays that leave nothing behind, and as the plain statement of what
 * the port means. It keeps the best record of each key and works everything else out when it is asked.
 */
import type { DeliveryHistory, RoutingVerdict } from '../schemas/index.ts'
import {
  type AttemptRow,
  type Backlog,
  type DeliveryLog,
  DeliveryLogError,
  type DeliveryRow,
  type EventRow,
  type HealthRow,
  type LogBatch,
  type LogPosition,
  type PageRequest,
  pageLimitMax,
} from './delivery-log.ts'
import { completeUpTo } from './delivery-log-freshness.ts'
import { isIn, matches, matchesDelivery, matchesFacts } from './memory-log-filter.ts'
import {
  attemptRow,
  countStates,
  type EventFacts,
  factsOf,
  foldDelivery,
  foldEvent,
  verdictRow,
} from './memory-log-rows.ts'
import { decodeCursor, encodeCursor, type PagePlace, type PageQuestion } from './page-cursor.ts'

/** Opens an empty one. */
export function createMemoryDeliveryLog(options: { readonly backlog?: Backlog } = {}): DeliveryLog {
  const events = new Map<string, EventFacts>()
  const payloads = new Map<string, { event_id: string; payload_version: string; payload: string }>()
  const verdicts = new Map<string, RoutingVerdict>()
  const deliveries = new Map<string, DeliveryHistory>()
  const attempts = new Map<string, AttemptRow>()
  const health = new Map<string, HealthRow>()
  const positions = new Map<string, LogPosition>()
  const tables = [events, payloads, verdicts, deliveries, attempts, health, positions]
  let closed = false

  const guard = () => {
    if (closed) throw new DeliveryLogError('closed', 'the delivery log in memory is closed')
  }
  const attemptsOf = (id: string) =>
    [...attempts.values()].filter((row) => row.delivery_id === id).sort(by((row) => row.attempt_id))
  const deliveriesOf = (id: string) =>
    [...deliveries.values()].filter((row) => row.event_id === id).sort(by((row) => row.endpoint_id))
  const eventRow = (facts: EventFacts): EventRow => foldEvent(facts, deliveriesOf(facts.event_id))
  const deliveryRow = (latest: DeliveryHistory): DeliveryRow =>
    foldDelivery(latest, attemptsOf(latest.delivery_id))
  const asOf = async () => {
    guard()
    return completeUpTo([...positions.values()], await options.backlog?.())
  }

  async function cutPage<T extends Placed>(question: PageQuestion, request: PageRequest, rows: readonly T[]) {
    const { limit, cursor } = request
    if (!Number.isInteger(limit) || limit < 1 || limit > pageLimitMax) {
      throw new RangeError(`a page has 1 to ${pageLimitMax} rows, not ${limit}`)
    }
    const after = cursor === undefined ? undefined : decodeCursor(cursor, question)
    if (cursor !== undefined && !after) return 'bad_cursor' as const
    const as_of = await asOf()
    const isAfter = (row: T) => !after || comparePlaces(placeOf(row), after) < 0
    const left = rows.filter(isAfter).sort((one, other) => -comparePlaces(placeOf(one), placeOf(other)))
    const page = left.slice(0, limit)
    const last = left.length > limit ? page.at(-1) : undefined
    return { rows: page, page: { cursor: last ? encodeCursor(placeOf(last), question) : null, as_of } }
  }

  function takeHistory(record: DeliveryHistory) {
    if (record.delivery_id === '') return
    keep(events, record.event_id, factsOf(record, record.routed_at), earlierRouted)
    keep(deliveries, record.delivery_id, record, (one, other) => one.version > other.version)
    const { attempt, payload, event_id, payload_version } = record
    if (attempt) keep(attempts, attempt.attempt_id, attemptRow(record, attempt), known)
    if (payload !== null) {
      keep(payloads, `${event_id} ${payload_version}`, { event_id, payload_version, payload }, known)
    }
  }

  return {
    asOf,
    async listEvents(scope, filter, request) {
      const found = [...events.values()].filter(
        (facts) => isIn(scope, facts) && matches(filter, facts, deliveriesOf(facts.event_id)),
      )
      const cut = await cutPage({ list: 'events', scope, filter }, request, found)
      return cut === 'bad_cursor' ? cut : { ...cut.page, events: cut.rows.map(eventRow) }
    },
    async listDeliveries(scope, filter, request) {
      const found = [...deliveries.values()].filter(
        (latest) => isIn(scope, latest) && matchesFacts(filter, latest) && matchesDelivery(filter, latest),
      )
      const cut = await cutPage({ list: 'deliveries', scope, filter }, request, found)
      return cut === 'bad_cursor' ? cut : { ...cut.page, deliveries: cut.rows.map(deliveryRow) }
    },
    async getEvent(scope, eventId) {
      guard()
      const facts = events.get(eventId)
      if (!facts || !isIn(scope, facts)) return undefined
      return {
        event: eventRow(facts),
        deliveries: deliveriesOf(eventId).map(deliveryRow),
        verdicts: [...verdicts.values()]
          .filter((row) => row.event_id === eventId)
          .map(verdictRow)
          .sort(by((row) => row.endpoint_id ?? '')),
        payloads: [...payloads.values()]
          .filter((row) => row.event_id === eventId)
          .map(({ payload_version, payload }) => ({ payload_version, payload }))
          .sort(by((row) => row.payload_version)),
      }
    },
    async getDelivery(scope, deliveryId) {
      guard()
      const latest = deliveries.get(deliveryId)
      if (!latest || !isIn(scope, latest)) return undefined
      return {
        delivery: deliveryRow(latest),
        attempts: attemptsOf(deliveryId),
        payload: payloads.get(`${latest.event_id} ${latest.payload_version}`)?.payload ?? null,
      }
    },
    async listHealth(scope) {
      guard()
      return [...health.values()].filter((row) => isIn(scope, row)).sort(by((row) => row.endpoint_id))
    },
    async counts(scope) {
      guard()
      const mine = [...deliveries.values()].filter((row) => isIn(scope, row))
      const ids = new Set(mine.map((row) => row.delivery_id))
      const count = (rows: Iterable<unknown>) => [...rows].length
      return {
        events: count([...events.values()].filter((row) => isIn(scope, row))),
        attempts: count([...attempts.values()].filter((row) => ids.has(row.delivery_id))),
        verdicts: count([...verdicts.values()].filter((row) => isIn(scope, row))),
        endpoints: count([...health.values()].filter((row) => isIn(scope, row))),
        deliveries: countStates(mine),
      }
    },
    async write(batch: LogBatch) {
      guard()
      for (const record of batch.history) takeHistory(record)
      for (const verdict of batch.verdicts) {
        keep(events, verdict.event_id, factsOf(verdict, verdict.at), earlierRouted)
        keep(verdicts, `${verdict.event_id} ${verdict.endpoint_id ?? ''}`, verdict, betterVerdict)
      }
      for (const row of batch.health) {
        keep(health, row.endpoint_id, row, (one, other) => one.reported_at >= other.reported_at)
      }
      for (const row of batch.positions) {
        keep(positions, `${row.source}:${row.partition}`, row, (one, other) => one.offset > other.offset)
      }
    },
    async positions() {
      guard()
      return [...positions.values()].sort(by((row) => `${row.source}:${row.partition}`))
    },
    async clear() {
      guard()
      for (const table of tables) table.clear()
    },
    async expire(beforeMs, { signal } = {}) {
      guard()
      if (signal?.aborted) return 0
      const gone = new Set(
        [...events.values()].filter((row) => row.occurred_at < beforeMs).map((row) => row.event_id),
      )
      const goneDeliveries = new Set(
        [...gone].flatMap((id) => deliveriesOf(id).map((row) => row.delivery_id)),
      )
      const remove = <T>(rows: Map<string, T>, isGone: (row: T) => boolean) => {
        for (const [key, row] of rows) if (isGone(row)) rows.delete(key)
      }
      remove(attempts, (row) => goneDeliveries.has(row.delivery_id))
      for (const rows of [payloads, verdicts, deliveries, events]) {
        remove<{ readonly event_id: string }>(rows, (row) => gone.has(row.event_id))
      }
      return gone.size
    },
    ping: async () => guard(),
    async close() {
      closed = true
    },
  }
}

/** An event that went to an endpoint once went there, whatever a later repeat of it was told; else the latest word. */
function betterVerdict(one: RoutingVerdict, other: RoutingVerdict): boolean {
  if (one.verdict !== other.verdict && (one.verdict === 'ROUTED' || other.verdict === 'ROUTED')) {
    return one.verdict === 'ROUTED'
  }
  return one.at > other.at
}

/** A repeat is routed again later; the first time counts. */
const earlierRouted = (one: EventFacts, other: EventFacts) => one.routed_at < other.routed_at

/** What is known stays. */
const known = () => false

function keep<T>(rows: Map<string, T>, key: string, row: T, better: (one: T, other: T) => boolean): void {
  const before = rows.get(key)
  if (before === undefined || better(row, before)) rows.set(key, row)
}

/** What a list is ordered by; an event has no endpoint. */
interface Placed {
  readonly occurred_at: number
  readonly event_id: string
  readonly endpoint_id?: string
}

const placeOf = (row: Placed): PagePlace => ({
  occurredAt: row.occurred_at,
  eventId: row.event_id,
  endpointId: row.endpoint_id ?? null,
})

const comparePlaces = (left: PagePlace, right: PagePlace): number =>
  left.occurredAt - right.occurredAt ||
  compareText(left.eventId, right.eventId) ||
  compareText(left.endpointId ?? '', right.endpointId ?? '')

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const by =
  <T>(keyOf: (row: T) => string) =>
  (left: T, right: T): number =>
    compareText(keyOf(left), keyOf(right))
