/**
 * DELIVER: every decision about a delivery is taken here, one task for each partition of endpoints.
 *
 * A delivery's way: `accept` (ledger.ts) → queue of its endpoint (waiting-room.ts, endpoint-queues.ts) → through the
 * gate (gate.ts: credits, rate, breaker) → its turn (turn.ts) → intent (serve-queue.ts) → outcome (outcomes.ts,
 * decide-retry.ts) → delivered, dead, skipped, or a ticket into a tier (tickets.ts) and back into the queue. Commands
 * (commands.ts) and redrives (redrives.ts) change where it stands; lifecycle.ts holds all the ways there are, and
 * handlers.ts wires it all together.
 *
 * Invariants (each has a test that fails without its guard; see rules.ts):
 *   1. An accepted delivery is waiting, delivered, dead or skipped, never gone, and is never accepted twice:
 *      accepted = delivered + waiting + dead + skipped.
 *   2. A delivery has at most one open intent, and after a success none ever again.
 *   3. An endpoint has at most `max_concurrent` open intents when one is written, one while its breaker is half open
 *      or it does not answer, and none is written while its breaker is open; each returns its credit once.
 *   4. A ticket of another generation does nothing.
 *   5. A round has at most one request and three retries; `dead` comes after the last of them.
 *   6. Nothing is sent under a config older than the one that routed it.
 *   7. A body exists exactly as long as its state does.
 *   8. Under strict order, none is called while an earlier event of its order is not settled or another one is in
 *      flight; none comes after a newer one that was delivered but what a person confirmed or sent by hand.
 *   9. What is in memory follows from the stores: a task that opens goes on where the last one stopped.
 */
import { effect, type ProcessorDefinition, store } from '../../engine/index.ts'
import { breakerRules } from './breaker.ts'
import { makeHandlers } from './handlers.ts'
import { type DeliverRules, deliverRules } from './rules.ts'
import { type DeliverOptions, type DeliverShape, defaultDeliverTimes, defaultRetryTiers } from './shape.ts'

export {
  type DeliverOptions,
  type DeliverShape,
  type DeliverTimes,
  defaultDeliverTimes,
  defaultRetryTiers,
  deliverCounters,
  type RetryTier,
} from './shape.ts'
export { createWaitingBoard, type WaitingAt, type WaitingBoard } from './waiting-board.ts'

/** The definition of DELIVER. */
export const deliver = (options: DeliverOptions): ProcessorDefinition<DeliverShape> =>
  deliverWith(deliverRules, options)

/** DELIVER under given rules: with others than `deliverRules` it keeps no promise; tests prove that they notice. */
export function deliverWith(rules: DeliverRules, options: DeliverOptions): ProcessorDefinition<DeliverShape> {
  const { codecs, sealer, retryJitter: spread = true } = options
  const tiers = options.tiers ?? defaultRetryTiers
  const times = { ...defaultDeliverTimes, ...options.times }
  const breaker = { ...breakerRules, ...options.breaker }
  return {
    stores: {
      bodies: store(codecs.of('store.deliver.bodies-value')),
      states: store(codecs.of('store.deliver.states-value')),
      endpoints: store(codecs.of('store.deliver.endpoints-value')),
      remembered: store(codecs.of('store.deliver.remembered-value')),
      expiries: store(codecs.of('store.deliver.expiries-value')),
      // The ends of five queues, which move with every delivery.
      queues: store(codecs.of('store.deliver.queues-value'), { keeps: 'all', writtenAt: 'commit' }),
      redrives: store(codecs.of('store.deliver.redrives-value')),
    },
    effects: { call: effect(codecs.of('store.deliver.call-value')) },
    punctuators: { sweep: { everyMs: 1000, on: 'pipeline' } },
    create: (context) =>
      makeHandlers({
        context,
        rules: spread ? rules : { ...rules, jitterMs: () => 0 },
        tiers,
        times,
        breaker,
        sealer,
        ...(options.waiting && { waiting: options.waiting }),
      }),
  }
}
