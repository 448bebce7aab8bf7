/** Serves the queues of endpoints: whose turn it is, and an intent for each call that may be made now. */
import type { WebhookCallRequest } from '../../ports/sender.ts'
import { webhookPool } from '../../ports/sender.ts'
import type { DeliveryStatus } from '../../schemas/index.ts'
import type { SkipReason } from './decide-retry.ts'
import type { EndpointBook } from './endpoint-book.ts'
import { type EndpointQueue, type EndpointQueues, type Lane, laneOf } from './endpoint-queues.ts'
import type { Held, Ledger } from './ledger.ts'
import type { DeliverRules } from './rules.ts'
import { type DeliverContext, type DeliverTimes, deliverCounters } from './shape.ts'

export interface QueueServer {
  /** Calls or skips what may be, in turn, until a credit, a gate or the queue ends it. */
  serve(endpointId: string): void
  /** Serves on where `serve` stopped because it had done much, and what `resume` marked. */
  serveUnfinished(): void
  /** The task opened: marks all that is queued, to be served at the first wake-up. */
  resume(): void
  /** Serves every endpoint with something queued: a global table wakes nobody. */
  serveAll(): void
}

export interface QueueServerParts {
  readonly context: DeliverContext
  readonly queues: EndpointQueues
  readonly book: EndpointBook
  readonly ledger: Ledger
  readonly rules: Pick<DeliverRules, 'decideTurn' | 'hasCredit'>
  readonly times: DeliverTimes
}

/** A disabled endpoint may have a long queue to skip: so many in one go, then others have their turn. */
const skipsPerTurnMax = 256

/** Names the nth call of a delivery; an id is never used twice. */
export const callId = (deliveryId: string, calls: number): string => `${deliveryId}#${calls}`

/** The server of one task's queues. */
export function makeQueueServer(parts: QueueServerParts): QueueServer {
  const { context, queues, book, ledger, rules, times } = parts
  const unfinished = new Set<string>()

  const serve = (endpointId: string): void => {
    const queue = queues.of(endpointId)
    if (queue.length === 0) return
    const standing = book.standing(endpointId)
    for (let skips = 0; skips < skipsPerTurnMax; ) {
      // Asked before anything is read: under load this is how nearly every call of `serve` ends.
      if (standing.kind === 'active' && !rules.hasCredit(standing.endpoint.max_concurrent, queue.open)) return
      const next = nextHeld(queue, ledger)
      if (!next) return
      const { held, lane } = next
      const turn = rules.decideTurn({
        body: held.body,
        trigger: held.status.trigger,
        since: held.status.since,
        standing,
        configPatienceMs: times.configPatienceMs,
        now: context.now(),
      })
      if (turn.kind === 'wait') return
      queue.shift(lane, turn.kind === 'call')
      if (turn.kind === 'call') {
        startCall(context, ledger, held, turn.notAfter)
      } else {
        skip(context, ledger, held, turn.reason)
        skips++
      }
    }
    unfinished.add(endpointId)
    context.wakeAt(context.now())
  }

  return {
    serve,
    serveUnfinished() {
      const endpointIds = [...unfinished]
      unfinished.clear()
      endpointIds.forEach(serve)
    },
    resume() {
      for (const endpointId of queues.waiting()) unfinished.add(endpointId)
      if (unfinished.size > 0) context.wakeAt(context.now())
    },
    serveAll() {
      queues.waiting().forEach(serve)
    },
  }
}

/** The delivery whose turn it is. Entries whose delivery no longer waits there are dropped on the way. */
function nextHeld(queue: EndpointQueue, ledger: Ledger): { held: Held; lane: Lane } | undefined {
  for (let lane = queue.nextLane(); lane !== undefined; lane = queue.nextLane()) {
    const id = queue.peek(lane)
    const held = id === undefined ? undefined : ledger.find(id)
    if (held && waitsIn(lane, held.status)) return { held, lane }
    queue.shift(lane, false)
  }
  return undefined
}

const waitsIn = (lane: Lane, status: DeliveryStatus): boolean =>
  status.phase === 'queued' && laneOf(status.trigger) === lane

/** Takes a credit and writes the intent; the call starts after the commit that holds both. */
function startCall(context: DeliverContext, ledger: Ledger, held: Held, notAfter: number): void {
  const { id, status, body } = ledger.move(held, 'call', { calls: held.status.calls + 1 })
  const request: WebhookCallRequest = {
    delivery_id: id,
    endpoint_id: status.endpoint_id,
    partner_id: body.partner_id,
    attempt_no: status.attempts + 1,
    retry_count: status.requests,
    trigger: status.trigger,
    first_attempted_at: status.first_attempted_at,
  }
  context.effects.call.start({
    id: callId(id, status.calls),
    key: status.endpoint_id,
    pool: webhookPool,
    priority: laneOf(status.trigger) === 'retry' ? 1 : 0,
    notAfter,
    request,
  })
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
