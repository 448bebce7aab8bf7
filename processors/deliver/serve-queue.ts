/** Serves the queues of endpoints: whose turn it is, and an intent for each call that may be made now. */
import type { WebhookCallRequest } from '../../ports/sender.ts'
import type { DeliveryStatus, Endpoint } from '../../schemas/index.ts'
import type { Alarm } from './alarm.ts'
import type { SkipReason } from './decide-retry.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { EndpointControl } from './endpoint-control.ts'
import { type EndpointQueue, type EndpointQueues, type Lane, laneOf, lanes } from './endpoint-queues.ts'
import type { Gate } from './gate.ts'
import type { Held, Ledger } from './ledger.ts'
import type { Memory } from './memory.ts'
import type { DeliverRules } from './rules.ts'
import { type DeliverContext, type DeliverTimes, deliverCounters } from './shape.ts'
import { isByHand } from './turn.ts'
import type { WaitingRoom } from './waiting-room.ts'
import { makeWakeups } from './wakeups.ts'

export interface QueueServer {
  /** Calls or skips what may be, in turn, until a gate or the queue ends it. */
  serve(endpointId: string): void
  /** Serves on where `serve` stopped because it had done much or for the rate, and what `resume` marked. */
  serveUnfinished(now: number): void
  /** The task opened: marks all that is queued, to be served at the first wake-up. */
  resume(): void
  /** Serves every endpoint with something queued: a global table wakes nobody. */
  serveAll(): void
  /** When there is something to serve by itself. */
  next(): number | undefined
}

export interface QueueServerParts {
  readonly context: DeliverContext
  readonly queues: EndpointQueues
  readonly room: WaitingRoom
  readonly book: EndpointBook
  readonly control: EndpointControl
  readonly ledger: Ledger
  readonly memory: Memory
  readonly alarm: Alarm
  readonly rules: Pick<DeliverRules, 'decideTurn'>
  readonly times: DeliverTimes
}

/** A disabled endpoint may have a long queue to skip: so many in one go, then others have their turn. */
const skipsPerTurnMax = 256

/** Names the nth call of a delivery; an id is never used twice. */
export const callId = (deliveryId: string, calls: number): string => `${deliveryId}#${calls}`

/** The server of one task's queues. */
export function makeQueueServer(parts: QueueServerParts): QueueServer {
  const { context, queues, book, control, ledger, alarm, rules, times } = parts
  const unfinished = new Set<string>()
  const rated = makeWakeups<string>()
  /** Endpoints in `rated`: one wake-up each is enough. */
  const awaited = new Set<string>()

  const waitForRate = (endpointId: string, until: number): void => {
    if (awaited.has(endpointId)) return
    awaited.add(endpointId)
    rated.add(until, endpointId)
    alarm.at(rated.next())
  }

  const serve = (endpointId: string): void => {
    const queue = queues.of(endpointId)
    if (queue.length === 0) return
    for (let skips = 0; skips < skipsPerTurnMax; ) {
      const standing = book.standing(endpointId)
      // Asked before anything is read: under load this is how nearly every call of `serve` ends.
      const gate = standing.kind === 'active' ? control.gate(standing.endpoint, queue.open) : undefined
      if (gate?.kind === 'wait') {
        if (gate.why === 'rate') waitForRate(endpointId, gate.until)
        return
      }
      const next = nextHeld(queue, gate?.probe === true, parts)
      if (!next) return
      const { held, lane } = next
      const turn = rules.decideTurn({
        body: held.body,
        byHand: isByHand(held.status),
        since: held.status.since,
        standing,
        configPatienceMs: times.configPatienceMs,
        now: context.now(),
      })
      if (turn.kind === 'wait') return
      queue.shift(lane, turn.kind === 'call')
      if (turn.kind === 'call') {
        if (gate === undefined) throw new Error(`${endpointId} is called past its gate`)
        startCall(parts, held, { endpoint: turn.endpoint, notAfter: turn.notAfter, pool: gate.pool })
      } else {
        skip(context, ledger, held, turn.reason)
        skips++
      }
    }
    unfinished.add(endpointId)
    alarm.at(context.now())
  }

  return {
    serve,
    serveUnfinished(now) {
      const endpointIds = new Set([...rated.take(now), ...unfinished])
      unfinished.clear()
      for (const endpointId of endpointIds) {
        awaited.delete(endpointId)
        serve(endpointId)
      }
    },
    resume() {
      for (const endpointId of queues.waiting()) unfinished.add(endpointId)
      if (unfinished.size > 0) alarm.at(context.now())
    },
    serveAll() {
      queues.waiting().forEach(serve)
    },
    next: () => (unfinished.size > 0 ? context.now() : rated.next()),
  }
}

interface Turn {
  readonly held: Held
  readonly lane: Lane
}

type TurnParts = Pick<QueueServerParts, 'ledger' | 'room'>

/** The delivery whose turn it is; for a probe the one that has waited longest. */
function nextHeld(queue: EndpointQueue, probe: boolean, parts: TurnParts): Turn | undefined {
  if (probe) return oldestHeld(queue, parts)
  for (let lane = queue.nextLane(); lane !== undefined; lane = queue.nextLane()) {
    const held = headOf(queue, lane, parts)
    if (held) return { held, lane }
  }
  return undefined
}

function oldestHeld(queue: EndpointQueue, parts: TurnParts): Turn | undefined {
  let oldest: Turn | undefined
  for (const lane of lanes) {
    const held = headOf(queue, lane, parts)
    if (held && (!oldest || held.status.position < oldest.held.status.position)) oldest = { held, lane }
  }
  return oldest
}

/** The first of a lane that may go. Entries whose delivery no longer waits there are dropped on the way, those that
 * must wait for an earlier event are parked. */
function headOf(queue: EndpointQueue, lane: Lane, { ledger, room }: TurnParts): Held | undefined {
  for (let id = queue.peek(lane); id !== undefined; id = queue.peek(lane)) {
    const held = ledger.find(id)
    if (held && waitsIn(lane, held.status) && !room.parks(id, held.status)) return held
    queue.shift(lane, false)
  }
  return undefined
}

const waitsIn = (lane: Lane, status: DeliveryStatus): boolean =>
  status.phase === 'queued' && laneOf(status.trigger) === lane

interface CallTerms {
  readonly endpoint: Endpoint
  readonly notAfter: number
  readonly pool: Extract<Gate, { kind: 'call' }>['pool']
}

/** Takes a credit and writes the intent; the call starts after the commit that holds both. */
function startCall(parts: QueueServerParts, held: Held, { endpoint, notAfter, pool }: CallTerms): void {
  const { context, control, ledger } = parts
  const before = held.status
  const { id, status, body } = ledger.move(held, 'call', {
    calls: before.calls + 1,
    due_at: null,
    queued_ms: Math.max(0, context.now() - Math.max(before.since, before.due_at ?? 0)),
    out_of_order: before.out_of_order || isLate(parts, before, endpoint),
  })
  const request: WebhookCallRequest = {
    delivery_id: id,
    endpoint_id: status.endpoint_id,
    partner_id: body.partner_id,
    attempt_no: status.attempts + 1,
    retry_count: status.requests,
    trigger: status.trigger,
    first_attempted_at: status.first_attempted_at,
  }
  control.started(endpoint)
  context.effects.call.start({
    id: callId(id, status.calls),
    key: status.endpoint_id,
    pool,
    priority: laneOf(status.trigger) === 'retry' ? 1 : 0,
    notAfter,
    request,
  })
}

/** Whether a newer event of its order was delivered before, where that matters. */
export function isLate(
  { memory }: Pick<QueueServerParts, 'memory'>,
  { endpoint_id, order_id, order_sequence }: DeliveryStatus,
  { strict_order }: Pick<Endpoint, 'strict_order'>,
): boolean {
  if (!strict_order || order_id === null || order_sequence === null) return false
  const newest = memory.newestDelivered(endpoint_id, order_id)
  return newest !== undefined && newest > order_sequence
}

/** Skips a delivery without a request, and keeps it for a redrive. */
export function skip(context: DeliverContext, ledger: Ledger, held: Held, reason: SkipReason): void {
  const change = reason === 'cancelled' ? 'CANCELLED' : 'SKIPPED'
  ledger.move(
    held,
    'skip',
    { reason, due_at: null, cancel_requested: false, generation: held.status.generation + 1 },
    { change },
  )
  context.count(deliverCounters.skipped, { reason })
}
