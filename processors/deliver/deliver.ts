/**
 * DELIVER: every decision about a delivery is taken here, one task for each partition of endpoints.
 *
 * A delivery's way: `accept` (ledger.ts) → queue of its endpoint (endpoint-queues.ts) → its turn (turn.ts) → intent
 * (serve-queue.ts) → outcome (outcomes.ts, decide-retry.ts) → delivered, dead, skipped, or a ticket into a tier
 * (tickets.ts) and back into the queue. Commands (commands.ts) change where it stands; lifecycle.ts holds all the
 * ways there are.
 *
 * Invariants (each has a test that fails without its guard; see rules.ts):
 *   1. An accepted delivery is waiting, delivered, dead or skipped, never gone, and is never accepted twice:
 *      accepted = delivered + waiting + dead + skipped.
 *   2. A delivery has at most one open intent, and after a success none ever again.
 *   3. An endpoint has at most `max_concurrent` open intents when one is written; each returns its credit once.
 *   4. A ticket of another generation does nothing.
 *   5. A round has at most one request and three retries; `dead` comes after the last of them.
 *   6. Nothing is sent under a config older than the one that routed it.
 *   7. A body exists exactly as long as its state does.
 *   8. What is in memory follows from the stores: a task that opens goes on where the last one stopped.
 */
import { effect, type ProcessorDefinition, store } from '../../engine/index.ts'
import { maskBody } from '../../schemas/index.ts'
import { makeCommands } from './commands.ts'
import { makeEndpointBook } from './endpoint-book.ts'
import { makeEndpointQueues } from './endpoint-queues.ts'
import { makeLedger } from './ledger.ts'
import { makeMemory } from './memory.ts'
import { makeOutcomes } from './outcomes.ts'
import { type DeliverRules, deliverRules } from './rules.ts'
import { makeQueueServer } from './serve-queue.ts'
import {
  type DeliverOptions,
  type DeliverShape,
  defaultDeliverTimes,
  defaultRetryTiers,
  deliverCounters,
} from './shape.ts'
import { makeTicketWatch } from './ticket-watch.ts'
import { rewriteOverdueTickets, takeTicket } from './tickets.ts'

export {
  type DeliverOptions,
  type DeliverShape,
  type DeliverTimes,
  defaultDeliverTimes,
  defaultRetryTiers,
  deliverCounters,
  type RetryTier,
} from './shape.ts'

/** The definition of DELIVER. */
export const deliver = (options: DeliverOptions): ProcessorDefinition<DeliverShape> =>
  deliverWith(deliverRules, options)

/** DELIVER under given rules: with others than `deliverRules` it keeps no promise; tests prove that they notice. */
export function deliverWith(rules: DeliverRules, options: DeliverOptions): ProcessorDefinition<DeliverShape> {
  const { codecs, sealer } = options
  const tiers = options.tiers ?? defaultRetryTiers
  const times = { ...defaultDeliverTimes, ...options.times }
  return {
    stores: {
      bodies: store(codecs.of('store.deliver.bodies-value')),
      states: store(codecs.of('store.deliver.states-value')),
      endpoints: store(codecs.of('store.deliver.endpoints-value')),
      remembered: store(codecs.of('store.deliver.remembered-value')),
      expiries: store(codecs.of('store.deliver.expiries-value')),
      queues: store(codecs.of('store.deliver.queues-value')),
    },
    effects: { call: effect(codecs.of('store.deliver.call-value')) },
    punctuators: { sweep: { everyMs: 1000, on: 'pipeline' } },
    create(context) {
      const queues = makeEndpointQueues()
      const watch = makeTicketWatch()
      const memory = makeMemory(context, times)
      const book = makeEndpointBook(context)
      const ledger = makeLedger({ context, queues, watch, memory, rules })
      const server = makeQueueServer({ context, queues, book, ledger, rules, times })
      const finish = makeOutcomes({ context, book, ledger, server, rules, tiers })
      const obey = makeCommands({ context, book, ledger, memory, server })

      /** An endpoint is one task's alone: a record that came to the wrong one must not be acted on. */
      const checkKey = (key: string, endpointId: string): void => {
        if (key !== endpointId)
          context.reject('key_mismatch', `the key is ${key}, the value is about endpoint ${endpointId}`)
      }

      return {
        load: {
          states: ledger.load,
          queues: memory.load.queues,
        },
        opened() {
          queues.loaded()
          watch.loaded()
          server.resume()
        },
        inputs: {
          delivery({ key, value: delivery }) {
            checkKey(key, delivery.endpoint_id)
            const { delivery_id: id } = delivery
            const known = {
              hasState: ledger.statusOf(id) !== undefined,
              isRemembered: memory.isPairRemembered(id),
            }
            if (rules.isRepeat(known)) {
              context.count(deliverCounters.repeats)
              return
            }
            book.register(delivery.endpoint_id, delivery.partner_id)
            ledger.accept(delivery, maskBody(sealer.openBytes(delivery.body)))
            context.count(deliverCounters.accepted)
            server.serve(delivery.endpoint_id)
          },
          command({ key, value: command }) {
            checkKey(key, command.endpoint_id)
            obey(command)
          },
          ticket({ key, value: ticket }) {
            checkKey(key, ticket.endpoint_id)
            takeTicket(context, ledger, rules, ticket)
            server.serve(ticket.endpoint_id)
          },
        },
        results: { call: finish },
        due: server.serveUnfinished,
        punctuate: {
          sweep(now) {
            rewriteOverdueTickets({ context, ledger, watch, tiers, times })
            memory.sweep(now, (id, since) => {
              const status = ledger.statusOf(id)
              // Redriven since then, and perhaps settled anew: then a later entry speaks of it.
              if ((status?.phase !== 'dead' && status?.phase !== 'skipped') || status.since !== since) return
              ledger.forget(id)
              if (times.pairMemoryMs > times.redrivableMs) memory.rememberPair(id, status.phase, now)
              context.count(deliverCounters.forgotten)
            })
            server.serveAll()
          },
        },
      }
    },
  }
}
