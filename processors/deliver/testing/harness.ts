/**
 * Runs DELIVER without the engine: stores as maps of encoded values, emitted records in lists, delay topics that
 * hold tickets back, an effect port whose calls end when the test says so, and a clock moved by hand. Every value
 * passes through its codec, so what the schemas refuse fails here. It can be restarted, and rolled back to the
 * last commit, as the engine does after a crash or an abort.
 */
import type {
  EffectResult,
  InputRecord,
  Intent,
  KeyValueStore,
  ProcessorHandlers,
} from '../../../engine/index.ts'
import type { WebhookCallRequest, WebhookCallResult } from '../../../ports/sender.ts'
import type {
  DeadDelivery,
  Delivery,
  DeliveryCommand,
  DeliveryHistory,
  DeliveryStatus,
  PartnerConfig,
  RedriveProgress,
  RetryTicket,
} from '../../../schemas/index.ts'
import {
  createWaitingBoard,
  type DeliverOptions,
  type DeliverShape,
  defaultDeliverTimes,
  defaultRetryTiers,
  deliverWith,
} from '../deliver.ts'
import { type DeliverRules, deliverRules } from '../rules.ts'
import type { DeliverContext, RetryTier } from '../shape.ts'
import { codecs, sealer, startMs } from './builders.ts'

type StoreName = keyof DeliverShape['stores']

const storeNames: readonly StoreName[] = [
  'bodies',
  'states',
  'endpoints',
  'remembered',
  'expiries',
  'queues',
  'redrives',
]

const forgottenAfterMs = defaultDeliverTimes.pairMemoryMs

/** A ticket in a delay topic. */
export interface HeldTicket {
  readonly ticket: RetryTicket
  readonly dueAt: number
}

/** An intent that is written; `started` once its call may have gone out. */
export interface OpenCall {
  readonly intent: Intent<WebhookCallRequest>
  readonly started: boolean
}

/** All that a commit makes durable. */
interface World {
  readonly stores: Readonly<Record<StoreName, ReadonlyMap<string, Uint8Array>>>
  readonly history: readonly DeliveryHistory[]
  readonly dead: readonly DeadDelivery[]
  readonly tickets: readonly HeldTicket[]
  readonly calls: ReadonlyMap<string, OpenCall>
  readonly usedIds: ReadonlyMap<string, number>
  readonly redrives: ReadonlyMap<string, RedriveProgress>
}

export interface HarnessOptions {
  readonly rules?: Partial<DeliverRules>
  readonly deliver?: Partial<DeliverOptions>
  /** Called for every intent with all that are open, the new one included. */
  readonly onStart?: (intent: Intent<WebhookCallRequest>, open: readonly Intent<WebhookCallRequest>[]) => void
}

/** Thrown by `reject`, and caught by the harness. */
class Rejection extends Error {}

export function makeHarness(options: HarnessOptions = {}) {
  const tiers: readonly RetryTier[] = options.deliver?.tiers ?? defaultRetryTiers
  const board = createWaitingBoard()
  const definition = deliverWith(
    // Without jitter a ticket that is released is queued at once: only tests about jitter want to wait for it.
    { ...deliverRules, jitterMs: () => 0, ...options.rules },
    { codecs, sealer, waiting: board, ...options.deliver },
  )
  const partners = new Map<string, PartnerConfig>()
  const counts = new Map<string, number>()
  const rejected: string[] = []
  /** The latest report of each redrive. */
  let redrives = new Map<string, RedriveProgress>()
  let now = startMs
  let caughtUp = true
  let wakeAt: number | undefined
  let offset = 0
  let handlers: ProcessorHandlers<DeliverShape>
  let usedIds = new Map<string, number>()
  let history: DeliveryHistory[] = []
  let dead: DeadDelivery[] = []
  let tickets: HeldTicket[] = []
  let calls = new Map<string, OpenCall>()
  let stores = emptyStores()
  let undo: (() => void)[] = []

  const set = (name: StoreName, key: string, bytes: Uint8Array | undefined): void => {
    const before = stores[name].get(key)
    undo.push(() => write(stores[name], key, before))
    write(stores[name], key, bytes)
  }

  const storeOf = <N extends StoreName>(name: N): KeyValueStore<DeliverShape['stores'][N]> => {
    const { value: serde } = definition.stores[name]
    return {
      get(key) {
        const bytes = stores[name].get(key)
        return bytes && serde.deserialize(bytes)
      },
      put(key, value) {
        const bytes = serde.serialize(value)
        if (bytes === null) throw new Error(`${name} cannot hold null`)
        set(name, key, bytes)
      },
      delete(key) {
        set(name, key, undefined)
      },
    }
  }

  const keepTicket =
    (tier: RetryTier['output']) =>
    (key: string, ticket: RetryTicket): void => {
      codecs.retryTicket.serialize(ticket)
      if (key !== ticket.endpoint_id) throw new Error('a ticket is keyed by its endpoint')
      const delayMs = tiers.find((candidate) => candidate.output === tier)?.delayMs
      if (delayMs === undefined) throw new Error(`no tier ${tier}`)
      tickets.push({ ticket, dueAt: now + delayMs })
    }

  const context: DeliverContext = {
    taskId: 'deliver_0',
    partition: 0,
    now: () => now,
    streamTime: () => now,
    caughtUp: () => caughtUp,
    stores: {
      bodies: storeOf('bodies'),
      states: storeOf('states'),
      endpoints: storeOf('endpoints'),
      remembered: storeOf('remembered'),
      expiries: storeOf('expiries'),
      queues: storeOf('queues'),
      redrives: storeOf('redrives'),
    },
    globals: { partners: { get: (key) => partners.get(key), entries: () => partners.entries() } },
    emit: {
      history(_key, value) {
        codecs.deliveryHistory.serialize(value)
        history.push(value)
      },
      dead(_key, value) {
        codecs.deadDelivery.serialize(value)
        dead.push(value)
      },
      redrives(redriveId, value) {
        if (value) codecs.of('redrive.progress-value').serialize(value)
        if (value) redrives.set(redriveId, value)
        else redrives.delete(redriveId)
      },
      retry30s: keepTicket('retry30s'),
      retry2m: keepTicket('retry2m'),
      retry8m: keepTicket('retry8m'),
    },
    effects: {
      call: {
        start(intent) {
          // A delivery that comes anew after it was forgotten begins to count anew.
          const usedAt = usedIds.get(intent.id)
          if (usedAt !== undefined && now < usedAt + forgottenAfterMs)
            throw new Error(`intent ${intent.id} is written twice`)
          definition.effects.call.request.serialize(intent.request)
          usedIds.set(intent.id, now)
          calls.set(intent.id, { intent, started: false })
          options.onStart?.(
            intent,
            [...calls.values()].map((call) => call.intent),
          )
        },
        withdraw(id) {
          const call = calls.get(id)
          if (!call) return 'unknown'
          if (call.started) return 'started'
          calls.delete(id)
          return 'withdrawn'
        },
      },
    },
    wakeAt(time) {
      wakeAt = time
    },
    count(name, labels) {
      const label = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
      for (const key of [name, `${name}{${label.join(',')}}`]) counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    reject(reason) {
      throw new Rejection(reason)
    },
  }

  const world = (): World => ({
    stores: copyStores(stores),
    history: [...history],
    dead: [...dead],
    tickets: [...tickets],
    calls: new Map(calls),
    usedIds: new Map(usedIds),
    redrives: new Map(redrives),
  })

  /** Makes new handlers over what is stored, in the order of keys, as a disk would give it. */
  const open = (from: World): void => {
    stores = copyStores(from.stores)
    history = [...from.history]
    dead = [...from.dead]
    tickets = [...from.tickets]
    calls = new Map(from.calls)
    usedIds = new Map(from.usedIds)
    redrives = new Map(from.redrives)
    wakeAt = undefined
    handlers = definition.create(context)
    for (const name of storeNames) load(name)
    handlers.opened?.()
  }

  const load = <N extends StoreName>(name: N): void => {
    const take = handlers.load?.[name]
    if (!take) return
    const { value: serde } = definition.stores[name]
    for (const key of [...stores[name].keys()].sort()) {
      const bytes = stores[name].get(key)
      if (bytes) take(key, serde.deserialize(bytes))
    }
  }

  const wake = (): void => {
    while (wakeAt !== undefined && wakeAt <= now) {
      wakeAt = undefined
      handlers.due?.(now)
    }
  }

  const record = <V>(topic: string, key: string, value: V): InputRecord<string, V> => ({
    key,
    value,
    timestamp: now,
    headers: [],
    topic,
    partition: 0,
    offset: offset++,
  })

  /** One record: handled, or refused; then what it put into stores is undone. A refused one has emitted nothing. */
  const handle = (act: () => void): void => {
    undo = []
    const emitted = history.length + tickets.length + calls.size
    try {
      act()
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      if (history.length + tickets.length + calls.size !== emitted) throw new Error('refused too late')
      rejected.push(error.message)
      for (const step of undo.reverse()) step()
      open(world())
    }
    wake()
  }

  let committed = world()
  open(committed)

  const harness = {
    partners,
    counts,
    rejected,
    redrives: (): ReadonlyMap<string, RedriveProgress> => redrives,
    /** Everything emitted to the history, or that of one delivery. */
    history: (id?: string) => history.filter((entry) => id === undefined || entry.delivery_id === id),
    dead: () => dead,
    tickets: () => tickets,
    calls: () => [...calls.values()],
    now: () => now,
    state: (id: string): DeliveryStatus | undefined => context.stores.states.get(id),
    /** What the task shows of what waits with it. */
    waiting: () => board.at(new Set([0])),
    states: (): Map<string, DeliveryStatus> => {
      const { value: serde } = definition.stores.states
      return new Map([...stores.states].map(([id, bytes]) => [id, serde.deserialize(bytes)]))
    },
    keys: (name: StoreName) => [...stores[name].keys()],
    bytes: () => storeNames.flatMap((name) => [...stores[name].values()]),

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
      for (const [id, call] of calls) calls.set(id, { ...call, started: true })
    },
    /** Ends an open call. */
    finish(id: string, result: EffectResult<WebhookCallResult>) {
      const call = calls.get(id)
      if (!call) throw new Error(`no open call ${id}`)
      calls.delete(id)
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
      handlers.punctuate?.sweep?.(now)
      wake()
    },
    /** Moves the clock; only what asked to be woken happens. */
    advance(ms: number) {
      now += ms
      wake()
    },
    /** Moves the clock at once, then sweeps. */
    jump(ms: number) {
      now += ms
      wake()
      harness.sweep()
    },
    /** Releases what is due from the delay topics. */
    releaseTickets() {
      const due = tickets.filter((held) => held.dueAt <= now)
      tickets = tickets.filter((held) => held.dueAt > now)
      for (const { ticket } of due) harness.ticket(ticket)
    },
    loseTickets() {
      tickets = []
    },
    setCaughtUp(is: boolean) {
      caughtUp = is
    },
    commit() {
      committed = world()
    },
    /** The process died, or the transaction was aborted: back to the last commit. */
    abort() {
      open(committed)
      wake()
    },
    /** The task was closed cleanly and opens elsewhere. */
    restart() {
      committed = world()
      open(committed)
      wake()
    },
  }
  return harness
}

export type Harness = ReturnType<typeof makeHarness>

function write(store: Map<string, Uint8Array>, key: string, bytes: Uint8Array | undefined): void {
  if (bytes) store.set(key, bytes)
  else store.delete(key)
}

function emptyStores(): Record<StoreName, Map<string, Uint8Array>> {
  return {
    bodies: new Map(),
    states: new Map(),
    endpoints: new Map(),
    remembered: new Map(),
    expiries: new Map(),
    queues: new Map(),
    redrives: new Map(),
  }
}

function copyStores(
  from: Readonly<Record<StoreName, ReadonlyMap<string, Uint8Array>>>,
): Record<StoreName, Map<string, Uint8Array>> {
  const copy = emptyStores()
  for (const name of storeNames) copy[name] = new Map(from[name])
  return copy
}
