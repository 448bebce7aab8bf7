/** Wires the parts of DELIVER together for one task, and gives each record, result and tick to the part it is for. */
import type { ProcessorHandlers } from '../../engine/index.ts'
import { type Delivery, maskBody, type TestEvent } from '../../schemas/index.ts'
import { makeAlarm } from './alarm.ts'
import { makeAutoRedrive } from './auto-redrive.ts'
import type { BreakerRules } from './breaker.ts'
import { makeCommands } from './commands.ts'
import { makeEndpointBook } from './endpoint-book.ts'
import { makeEndpointControl } from './endpoint-control.ts'
import { makeEndpointQueues } from './endpoint-queues.ts'
import { type Held, makeLedger } from './ledger.ts'
import { makeMemory } from './memory.ts'
import { makeOrderLines } from './order-lines.ts'
import { makeOutcomes } from './outcomes.ts'
import { makeRedrives } from './redrives.ts'
import type { DeliverRules } from './rules.ts'
import { makeQueueServer } from './serve-queue.ts'
import {
  type DeliverContext,
  type DeliverOptions,
  type DeliverShape,
  type DeliverTimes,
  deliverCounters,
  type RetryTier,
} from './shape.ts'
import { makeTicketWatch } from './ticket-watch.ts'
import { rewriteOverdueTickets, takeTicket } from './tickets.ts'
import type { WaitingBoard } from './waiting-board.ts'
import { makeWaitingRoom } from './waiting-room.ts'

export interface HandlerParts {
  readonly context: DeliverContext
  readonly rules: DeliverRules
  readonly tiers: readonly RetryTier[]
  readonly times: DeliverTimes
  readonly breaker: BreakerRules
  readonly sealer: DeliverOptions['sealer']
  readonly waiting?: WaitingBoard
}

/** The handlers of one task. */
export function makeHandlers(parts: HandlerParts): ProcessorHandlers<DeliverShape> {
  const { context, rules, tiers, times, sealer } = parts
  const statusOf = (id: string) => context.stores.states.get(id)
  const alarm = makeAlarm(context)
  const queues = makeEndpointQueues()
  const lines = makeOrderLines(statusOf)
  const watch = makeTicketWatch()
  const memory = makeMemory(context, times)
  const book = makeEndpointBook(context)
  parts.waiting?.show(context.partition, { queues, book })
  const control = makeEndpointControl({ context, book, rules, breakerRules: parts.breaker })
  const room = makeWaitingRoom({ queues, lines, book, rules, statusOf, now: context.now })
  const onSettled = (held: Held, at: 'delivered' | 'dead' | 'skipped'): void => redrives.ended(held, at)
  const ledger = makeLedger({ context, queues, lines, room, watch, memory, rules, onSettled })
  const server = makeQueueServer({
    context,
    queues,
    room,
    book,
    control,
    ledger,
    memory,
    alarm,
    rules,
    times,
  })
  const redrives = makeRedrives({ context, book, ledger, memory, server, alarm, rules })
  const auto = makeAutoRedrive({ context, queues, book, redrives, times })
  const finish = makeOutcomes({
    context,
    queues,
    book,
    control,
    ledger,
    server,
    rules,
    tiers,
    times,
    onRecovered: auto.recovered,
  })

  /** Accepts a delivery unless it is known. */
  const accept = (delivery: Delivery, trigger: 'FIRST' | 'MANUAL' | 'TEST'): void => {
    const { delivery_id: id, endpoint_id: endpointId } = delivery
    const known = { hasState: statusOf(id) !== undefined, isRemembered: memory.isPairRemembered(id) }
    if (rules.isRepeat(known)) {
      context.count(deliverCounters.repeats)
      return
    }
    book.register(endpointId, delivery.partner_id)
    const payload = maskBody(sealer.openBytes(delivery.body))
    ledger.accept(delivery, { trigger, isOrdered: trigger !== 'TEST' && isOrdered(delivery), payload })
    context.count(deliverCounters.accepted)
  }

  /** Settings older than the delivery decide nothing: its place is kept in case they turn out to be strict. */
  const isOrdered = ({ endpoint_id, config_version }: Delivery): boolean => {
    const standing = book.standing(endpoint_id)
    const isKnown = standing.kind !== 'unknown' && standing.configVersion >= config_version
    return !isKnown || book.isStrict(endpoint_id)
  }

  const acceptTest = (test: TestEvent, endpointId: string): void => {
    const now = context.now()
    accept(
      {
        ...test,
        endpoint_id: endpointId,
        occurred_at: now,
        routed_at: now,
        order_sequence: null,
        by_hand: true,
      },
      'TEST',
    )
  }

  const obey = makeCommands({ context, book, control, ledger, memory, server, redrives, rules, acceptTest })

  /** An endpoint is one task's alone: a record that came to the wrong one must not be acted on. */
  const checkKey = (key: string, endpointId: string): void => {
    if (key !== endpointId)
      context.reject('key_mismatch', `the key is ${key}, the value is about endpoint ${endpointId}`)
  }

  const setAlarm = (): void => {
    for (const next of [room.nextRelease(), server.next(), redrives.next()]) alarm.at(next)
  }

  const forget = (id: string, since: number, now: number): void => {
    const status = statusOf(id)
    // Redriven since then, and perhaps settled anew: then a later entry speaks of it.
    if ((status?.phase !== 'dead' && status?.phase !== 'skipped') || status.since !== since) return
    ledger.forget(id)
    if (times.pairMemoryMs > times.redrivableMs) memory.rememberPair(id, status.phase, now)
    context.count(deliverCounters.forgotten)
  }

  return {
    load: {
      endpoints: book.load,
      states: ledger.load,
      queues: memory.load.queues,
      redrives: redrives.load,
    },
    opened() {
      room.loaded()
      watch.loaded()
      server.resume()
      setAlarm()
    },
    inputs: {
      delivery({ key, value: delivery }) {
        checkKey(key, delivery.endpoint_id)
        accept(delivery, delivery.by_hand ? 'MANUAL' : 'FIRST')
        server.serve(delivery.endpoint_id)
        setAlarm()
      },
      command({ key, value: command }) {
        checkKey(key, command.endpoint_id)
        obey(command)
        setAlarm()
      },
      ticket({ key, value: ticket }) {
        checkKey(key, ticket.endpoint_id)
        takeTicket({ context, ledger, watch, tiers, rules, times }, ticket)
        server.serve(ticket.endpoint_id)
        setAlarm()
      },
    },
    results: {
      call(intent, result) {
        finish(intent, result)
        setAlarm()
      },
    },
    due(now) {
      alarm.rang()
      for (const endpointId of room.release(now)) server.serve(endpointId)
      server.serveUnfinished(now)
      redrives.run(now)
      setAlarm()
    },
    punctuate: {
      sweep(now) {
        rewriteOverdueTickets({ context, ledger, watch, tiers, rules, times })
        memory.sweep(now, {
          delivery: (id, since) => forget(id, since, now),
          redrive: redrives.forget,
        })
        for (const endpointId of room.releaseUnordered()) server.serve(endpointId)
        server.serveAll()
        auto.probe(now)
        redrives.report()
        setAlarm()
      },
    },
  }
}
