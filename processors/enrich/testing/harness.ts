/**
 * Runs ENRICH's handlers without an engine, for tests: stores as maps of encoded values (so that every value is one
 * the schemas accept), emits as arrays, an effect port that remembers, and pipeline time moved by hand.
 */
import type { EffectResult, Intent, ProcessorHandlers } from '../../../engine/index.ts'
import type { LookupRequest, LookupResult } from '../../../ports/dispatch.ts'
import {
  type AssignmentChange,
  type AssignmentState,
  makeCodecs,
  type OrderChange,
  type OrderCommand,
  type OrderEvent,
  type OrderGap,
  type OrderGaps,
  type OrderState,
  openFolderRegistry,
} from '../../../schemas/index.ts'
import { enrich } from '../enrich.ts'
import type { EnrichShape } from '../shape.ts'
import type { EnrichTiming } from '../timing.ts'

/** An event as it left. */
export interface EmittedEvent {
  readonly event: OrderEvent
  /** The timestamp of the emitted record. */
  readonly timestamp: number
}

export interface EnrichHarness {
  readonly emitted: EmittedEvent[]
  /** Intents started and neither answered nor withdrawn. */
  readonly open: Map<string, Intent<LookupRequest>>
  now(): number
  change(value: OrderChange, timestamp?: number): void
  assignment(value: AssignmentChange, timestamp?: number): void
  command(value: OrderCommand, timestamp?: number): void
  answer(id: string, result: EffectResult<LookupResult>): void
  /** Moves pipeline time, firing what falls due on the way. */
  advanceTo(time: number): void
  advance(ms: number): void
  /** Drops the handlers and makes new ones over the same stores, as after a crash. */
  restart(options?: { caughtUp: boolean }): void
  setCaughtUp(caughtUp: boolean): void
  punctuate(): void
  count(name: string, labels?: Record<string, string>): number
  order(id: string): OrderState | undefined
  /** What is listed of an order's gaps. */
  gaps(id: string): readonly OrderGap[]
  riders(id: string): AssignmentState | undefined
}

const codecs = makeCodecs(openFolderRegistry())

/** Makes a harness at `startMs`. */
export function enrichHarness(startMs: number, timing?: Partial<EnrichTiming>): EnrichHarness {
  const serdes = {
    orders: codecs.of('store.enrich.orders-value'),
    assignments: codecs.of('store.enrich.assignments-value'),
  }
  const definition = enrich({ serdes, ...(timing && { timing }) })
  const stores = { orders: encodedStore(serdes.orders), assignments: encodedStore(serdes.assignments) }
  const open = new Map<string, Intent<LookupRequest>>()
  const counts = new Map<string, number>()
  const gaps = new Map<string, OrderGaps>()
  const emitted: EmittedEvent[] = []
  let now = startMs
  let wake: number | undefined
  let caughtUp = true
  let recordTimestamp: number | undefined
  let offset = 0

  const context: Parameters<typeof definition.create>[0] = {
    taskId: 'enrich_0',
    partition: 0,
    now: () => now,
    streamTime: () => now,
    caughtUp: () => caughtUp,
    stores,
    globals: {},
    emit: {
      gaps: (key, value) => {
        if (value === null) gaps.delete(key)
        else
          gaps.set(
            key,
            codecs.of('order.gaps-value').deserialize(codecs.of('order.gaps-value').serialize(value)),
          )
      },
      event: (_key, value, options) => {
        codecs.orderEvent.deserialize(codecs.orderEvent.serialize(value))
        emitted.push({ event: value, timestamp: options?.timestamp ?? recordTimestamp ?? now })
      },
    },
    effects: {
      lookup: {
        start(intent) {
          if (open.has(intent.id)) throw new Error(`intent ${intent.id} started twice`)
          open.set(intent.id, intent)
        },
        withdraw: (id) => (open.delete(id) ? 'withdrawn' : 'unknown'),
      },
    },
    wakeAt: (time) => {
      wake = time
    },
    count(name, labels) {
      for (const key of labels ? [name, countKey(name, labels)] : [name]) {
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    },
    reject(reason, detail) {
      throw new Error(`rejected: ${reason}: ${detail}`)
    },
  }
  const start = (): ProcessorHandlers<EnrichShape> => {
    wake = undefined
    const made = definition.create(context)
    for (const [key, value] of stores.orders.entries()) made.load?.orders?.(key, value)
    for (const [key, value] of stores.assignments.entries()) made.load?.assignments?.(key, value)
    made.opened?.()
    return made
  }
  let handlers = start()

  const advanceTo = (time: number) => {
    while (wake !== undefined && wake <= time) {
      now = Math.max(now, wake)
      wake = undefined
      handlers.due?.(now)
    }
    now = Math.max(now, time)
  }
  const record = <V>(key: string, value: V, timestamp: number) => {
    advanceTo(timestamp)
    recordTimestamp = timestamp
    offset += 1
    return { key, value, timestamp, headers: [], topic: 'test', partition: 0, offset }
  }

  return {
    emitted,
    open,
    now: () => now,
    change(value, timestamp = now) {
      handlers.inputs.change(record(value.order_id, value, timestamp))
      recordTimestamp = undefined
    },
    assignment(value, timestamp = now) {
      handlers.inputs.assignment(record(value.order_id, value, timestamp))
      recordTimestamp = undefined
    },
    command(value, timestamp = now) {
      handlers.inputs.command(record(value.order_id, value, timestamp))
      recordTimestamp = undefined
    },
    answer(id, result) {
      const intent = open.get(id)
      if (!intent) throw new Error(`no open intent ${id}`)
      open.delete(id)
      handlers.results?.lookup(intent, result)
    },
    advanceTo,
    advance: (ms) => advanceTo(now + ms),
    restart(options) {
      caughtUp = options?.caughtUp ?? true
      handlers = start()
    },
    setCaughtUp(value) {
      caughtUp = value
    },
    punctuate: () => handlers.punctuate?.forget?.(now),
    count: (name, labels) => counts.get(labels ? countKey(name, labels) : name) ?? 0,
    order: stores.orders.get,
    gaps: (id) => gaps.get(id)?.gaps ?? [],
    riders: stores.assignments.get,
  }
}

const countKey = (name: string, labels: Record<string, string>): string => `${name} ${JSON.stringify(labels)}`

interface Codec<T> {
  serialize(value: T): Uint8Array | null
  deserialize(bytes: Uint8Array | null): T
}

/** Keeps bytes, so that a value which the schema does not take, or that was changed in place, shows at once. */
function encodedStore<T>(codec: Codec<T>) {
  const bytes = new Map<string, Uint8Array | null>()
  return {
    get: (key: string): T | undefined => {
      const found = bytes.get(key)
      return found === undefined ? undefined : codec.deserialize(found)
    },
    put: (key: string, value: T) => void bytes.set(key, codec.serialize(value)),
    delete: (key: string) => void bytes.delete(key),
    entries: (): [string, T][] => Array.from(bytes, ([key, value]) => [key, codec.deserialize(value)]),
  }
}
