/**
 * Runs DELIVER without the engine: stores as maps of encoded values, emitted records in lists, delay topics that
 * hold tickets back, an effect port whose calls end when the test says so, and a clock moved by hand. Every value
 * passes through its codec, so what the schemas refuse fails here. It can be restarted, and rolled back to the
 * last commit, as the engine does after a crash or an abort.
 */
import type { EffectResult, InputRecord, Intent, ProcessorHandlers } from '../../../engine/index.ts'
import type { WebhookCallRequest, WebhookCallResult } from '../../../ports/sender.ts'
import type {
  Delivery,
  DeliveryCommand,
  DeliveryStatus,
  PartnerConfig,
  RedriveProgress,
  RetryTicket,
} from '../../../schemas/index.ts'
import {
  createWaitingBoard,
  type DeliverOptions,
  type DeliverShape,
  defaultRetryTiers,
  deliverWith,
} from '../deliver.ts'
import { type DeliverRules, deliverRules } from '../rules.ts'
import { codecs, sealer, startMs } from './builders.ts'
import { deliverContext, Rejection, type Standing } from './deliver-context.ts'
import { encodedStores } from './encoded-stores.ts'
import { copyWorld, emptyWorld, type StoreName, storeNames, type World } from './world.ts'

export interface HarnessOptions {
  readonly rules?: Partial<DeliverRules>
  readonly deliver?: Partial<DeliverOptions>
  /** Called for every intent with all that are open, the new one included. */
  readonly onStart?: (intent: Intent<WebhookCallRequest>, open: readonly Intent<WebhookCallRequest>[]) => void
}

export function makeHarness(options: HarnessOptions = {}) {
  const board = createWaitingBoard()
  const definition = deliverWith(
    // Without jitter a ticket that is released is queued at once: only tests about jitter want to wait for it.
    { ...deliverRules, jitterMs: () => 0, ...options.rules },
    { codecs, sealer, waiting: board, ...options.deliver },
  )
  const partners = new Map<string, PartnerConfig>()
  const counts = new Map<string, number>()
  const rejected: string[] = []
  const standing: Standing = { now: startMs, caughtUp: true, wakeAt: undefined }
  let world = emptyWorld()
  let offset = 0
  let handlers: ProcessorHandlers<DeliverShape>

  const stored = encodedStores(definition, () => world)
  const context = deliverContext({
    definition,
    stores: stored.stores,
    world: () => world,
    standing,
    tiers: options.deliver?.tiers ?? defaultRetryTiers,
    partners,
    counts,
    ...(options.onStart && { onStart: options.onStart }),
  })

  /** Makes new handlers over what is stored. */
  const open = (from: World): void => {
    world = copyWorld(from)
    standing.wakeAt = undefined
    handlers = definition.create(context)
    stored.loadAll(handlers)
    handlers.opened?.()
  }

  const wake = (): void => {
    while (standing.wakeAt !== undefined && standing.wakeAt <= standing.now) {
      standing.wakeAt = undefined
      handlers.due?.(standing.now)
    }
  }

  const record = <V>(topic: string, key: string, value: V): InputRecord<string, V> => ({
    key,
    value,
    timestamp: standing.now,
    headers: [],
    topic,
    partition: 0,
    offset: offset++,
  })

  const emitted = () => world.history.length + world.tickets.length + world.calls.size

  /** One record: handled, or refused; then what it put into stores is undone. A refused one has emitted nothing. */
  const handle = (act: () => void): void => {
    stored.mark()
    const before = emitted()
    try {
      act()
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      if (emitted() !== before) throw new Error('refused too late')
      rejected.push(error.message)
      stored.undo()
      open(world)
    }
    wake()
  }

  let committed = copyWorld(world)
  open(committed)

  const harness = {
    partners,
    counts,
    rejected,
    redrives: (): ReadonlyMap<string, RedriveProgress> => world.redrives,
    /** Everything emitted to the history, or that of one delivery. */
    history: (id?: string) => world.history.filter((entry) => id === undefined || entry.delivery_id === id),
    dead: () => world.dead,
    tickets: () => world.tickets,
    calls: () => [...world.calls.values()],
    now: () => standing.now,
    /** When the task wants to be woken next. */
    wakeAt: () => standing.wakeAt,
    state: (id: string): DeliveryStatus | undefined => context.stores.states.get(id),
    /** What the task shows of what waits with it. */
    waiting: () => board.at(new Set([0])),
    states: (): Map<string, DeliveryStatus> => {
      const { value: serde } = definition.stores.states
      return new Map([...world.stores.states].map(([id, bytes]) => [id, serde.deserialize(bytes)]))
    },
    keys: (name: StoreName) => [...world.stores[name].keys()],
    bytes: () => storeNames.flatMap((name) => [...world.stores[name].values()]),

    deliver(value: Delivery, key = value.endpoint_id) {
      handle(() => handlers.inputs.delivery(record('deliveries', key, value)))
    },
    command(value: DeliveryCommand, key = value.endpoint_id) {
      handle(() => handlers.inputs.command(record('delivery.commands', key, value)))
    },
    ticket(value: RetryTicket, key = value.endpoint_id) {
      handle(() => handlers.inputs.ticket(record('deliveries.retry', key, value)))
    },
    /** A commit makes intents startable: their calls go out. */
    startCalls() {
      for (const [id, call] of world.calls) world.calls.set(id, { ...call, started: true })
    },
    /** Ends an open call. */
    finish(id: string, result: EffectResult<WebhookCallResult>) {
      const call = world.calls.get(id)
      if (!call) throw new Error(`no open call ${id}`)
      world.calls.delete(id)
      harness.result(call.intent, result)
    },
    /** Hands over a result, whether its call is open or not. */
    result(intent: Intent<WebhookCallRequest>, result: EffectResult<WebhookCallResult>) {
      handlers.results?.call(intent, result)
      wake()
    },
    /** Ends an open call with a result of its own. */
    done(id: string, result: WebhookCallResult, again = false) {
      harness.finish(id, { kind: 'done', result, again, starts: 1 })
    },
    sweep() {
      handlers.punctuate?.sweep?.(standing.now)
      wake()
    },
    /** Moves the clock; only what asked to be woken happens. */
    advance(ms: number) {
      standing.now += ms
      wake()
    },
    /** Moves the clock at once, then sweeps. */
    jump(ms: number) {
      standing.now += ms
      wake()
      harness.sweep()
    },
    /** Releases what is due from the delay topics. */
    releaseTickets() {
      const due = world.tickets.filter((held) => held.dueAt <= standing.now)
      world.tickets = world.tickets.filter((held) => held.dueAt > standing.now)
      for (const { ticket } of due) harness.ticket(ticket)
    },
    loseTickets() {
      world.tickets = []
    },
    setCaughtUp(is: boolean) {
      standing.caughtUp = is
    },
    commit() {
      committed = copyWorld(world)
    },
    /** The process died, or the transaction was aborted: back to the last commit. */
    abort() {
      open(committed)
      wake()
    },
    /** The task was closed cleanly and opens elsewhere. */
    restart() {
      committed = copyWorld(world)
      open(committed)
      wake()
    },
  }
  return harness
}

export type Harness = ReturnType<typeof makeHarness>
