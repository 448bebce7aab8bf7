/**
 * One processor of one task: its context, its handlers, and what it asked for since the last commit (wake-up,
 * calls). Everything a handler does goes through here, so that a refused record can be undone whole.
 */
import { RecordRejected } from '../graph/errors.ts'
import { type AnyRecord, type Forward, type ProcessorNode, punctuatorsOf } from '../graph/node.ts'
import type {
  EffectPort,
  EffectResult,
  EffectView,
  GlobalTable,
  Intent,
  KeyValueStore,
  ProcessorContext,
  ProcessorHandlers,
  ProcessorShape,
} from '../graph/processor.ts'
import type { OverlayStore, Undo } from '../stores/overlay-store.ts'
import type { Call, CallScheduler } from './call-scheduler.ts'
import type { StoredIntent } from './intent-serde.ts'

/** What the task lends to its processors. */
export interface ProcessorServices {
  readonly taskId: string
  readonly partition: number
  now(): number
  streamTime(): number
  /** The record in hand, if one is. */
  current(): AnyRecord | undefined
  caughtUp(input: string): boolean
  /** By the processor's own store names. */
  readonly stores: ReadonlyMap<string, OverlayStore<unknown>>
  readonly intentStores: ReadonlyMap<string, OverlayStore<StoredIntent>>
  readonly globals: ReadonlyMap<string, GlobalTable<unknown>>
  /** The outputs that are connected. */
  readonly outputs: readonly string[]
  forward(port: string): Forward
  count(name: string, labels?: Record<string, string>): void
  readonly journal: Undo[]
  readonly scheduler: CallScheduler
}

export interface ProcessorInstance {
  readonly node: ProcessorNode
  process(input: string, record: AnyRecord): void
  /**
   * Makes new handlers, loads their indexes from the stores and asks again for the calls that are open. `continued`:
   * this instance ran the task before, and its scheduler knows which of them were started.
   */
  open(continued: boolean): Promise<void>
  /** The next wake-up that `wakeAt` asked for. */
  wakeTime(): number | undefined
  /** The next punctuation on pipeline time. */
  punctuationTime(): number | undefined
  /** Calls `due` and the punctuators on pipeline time whose time has come. */
  fire(now: number): number
  /** Calls the punctuators on stream time whose time has come. */
  punctuateStream(now: number, streamTime: number): number
  /** False when the result's intent is gone. */
  handleResult(effect: string, intentId: string, result: EffectResult<unknown>): boolean
  /** Calls asked for since the last commit; startable once it has ended. */
  takeNewCalls(): Call[]
}

interface Punctuation {
  readonly name: string
  readonly everyMs: number
  /** Set when time is first known: at opening, or with the first record. */
  next: number | undefined
}

export function processorInstance(node: ProcessorNode, services: ProcessorServices): ProcessorInstance {
  const { journal, scheduler, taskId } = services
  const newCalls = new Map<string, Call>()
  let wake: number | undefined
  const onStreamTime: Punctuation[] = []
  const onPipelineTime: Punctuation[] = []
  for (const [name, { everyMs, on }] of punctuatorsOf(node)) {
    const list = on === 'stream' ? onStreamTime : onPipelineTime
    list.push({ name, everyMs, next: undefined })
  }

  const view: EffectView = {
    read: <V>(store: string, key: string) => services.stores.get(store)?.readCommitted(key) as V | undefined,
    global: <V>(name: string, key: string) => services.globals.get(name)?.get(key) as V | undefined,
  }

  function callOf(effect: string, { intent, starts }: StoredIntent): Call {
    return { taskId, effect: `${node.name}.${effect}`, intent, starts, view }
  }

  function effectPort(effect: string, intents: OverlayStore<StoredIntent>): EffectPort<unknown> {
    const newKey = (id: string) => `${effect}|${id}`
    return {
      start(intent: Intent<unknown>) {
        if (intents.get(intent.id))
          throw new Error(`${node.name}: intent ${intent.id} of ${effect} is open already`)
        const stored = { intent, starts: 0 }
        intents.put(intent.id, stored)
        newCalls.set(newKey(intent.id), callOf(effect, stored))
        journal.push(() => newCalls.delete(newKey(intent.id)))
      },
      withdraw(id) {
        const stored = intents.get(id)
        if (!stored) return 'unknown'
        const fresh = newCalls.get(newKey(id))
        if (fresh) {
          newCalls.delete(newKey(id))
          journal.push(() => newCalls.set(newKey(id), fresh))
        } else {
          // When the record is refused, the reload that follows asks for the call again.
          if (scheduler.withdraw(taskId, `${node.name}.${effect}`, id) === 'started') return 'started'
        }
        intents.delete(id)
        return 'withdrawn'
      },
    }
  }

  function emitter(port: string) {
    const forward = services.forward(port)
    return (
      key: unknown,
      value: unknown,
      options: { timestamp?: number; headers?: AnyRecord['headers'] } = {},
    ) => {
      const current = services.current()
      forward({
        key,
        value,
        timestamp: options.timestamp ?? current?.timestamp ?? services.now(),
        headers: options.headers ?? [],
        topic: current?.topic ?? '',
        partition: services.partition,
        offset: current?.offset ?? -1,
      })
    }
  }

  const context: ProcessorContext<ProcessorShape> = {
    taskId,
    partition: services.partition,
    now: services.now,
    streamTime: services.streamTime,
    caughtUp: services.caughtUp,
    stores: Object.fromEntries(services.stores) as Record<string, KeyValueStore<unknown>>,
    globals: Object.fromEntries(services.globals),
    emit: emitters(services.outputs, node.name, emitter),
    effects: Object.fromEntries(
      [...services.intentStores].map(([effect, intents]) => [effect, effectPort(effect, intents)]),
    ),
    wakeAt(time) {
      wake = time
    },
    count: services.count,
    reject(reason, detail) {
      throw new RecordRejected(reason, detail)
    },
  }

  let opened: ProcessorHandlers<ProcessorShape> | undefined

  function handlersOf(): ProcessorHandlers<ProcessorShape> {
    if (!opened) throw new Error(`${node.name} was used before it was opened`)
    return opened
  }

  async function load(handlers: ProcessorHandlers<ProcessorShape>) {
    for (const [name, entryLoaded] of Object.entries(handlers.load ?? {})) {
      const entries = services.stores.get(name)
      if (!entries) throw new Error(`${node.name} loads the unknown store ${name}`)
      if (!entryLoaded) continue
      for await (const [key, value] of entries.committedEntries()) entryLoaded(key, value)
    }
  }

  async function resumeCalls(continued: boolean) {
    for (const [effect, intents] of services.intentStores) {
      for await (const [id, stored] of intents.committedEntries()) {
        if (continued) {
          scheduler.submit(callOf(effect, stored))
          continue
        }
        // An earlier owner may have started it. The count is raised before it starts again, so that a call
        // that kills the process every time is not repeated for ever.
        const suspected = { ...stored, starts: stored.starts + 1 }
        intents.put(id, suspected)
        newCalls.set(`${effect}|${id}`, callOf(effect, suspected))
      }
    }
  }

  function punctuate(punctuations: readonly Punctuation[], time: number, now: number): number {
    let fired = 0
    for (const punctuation of punctuations) {
      punctuation.next ??= time + punctuation.everyMs
      if (time < punctuation.next) continue
      punctuation.next = time + punctuation.everyMs
      handlersOf().punctuate?.[punctuation.name]?.(now)
      fired++
    }
    return fired
  }

  return {
    node,
    process(input, record) {
      const handle = handlersOf().inputs[input]
      if (!handle) throw new Error(`${node.name} has no handler for its input ${input}`)
      handle(record)
    },
    async open(continued) {
      const handlers = node.definition.create(context)
      opened = handlers
      wake = undefined
      newCalls.clear()
      for (const punctuation of onPipelineTime) punctuation.next ??= services.now() + punctuation.everyMs
      await load(handlers)
      await resumeCalls(continued)
      journal.length = 0
      handlers.opened?.()
      if (journal.length > 0)
        throw new Error(`${node.name} wrote while it was opened: only a wake-up may be set`)
    },
    wakeTime: () => wake,
    punctuationTime() {
      let earliest: number | undefined
      for (const { next } of onPipelineTime) {
        if (next !== undefined && (earliest === undefined || next < earliest)) earliest = next
      }
      return earliest
    },
    fire(now) {
      let fired = 0
      if (wake !== undefined && wake <= now) {
        wake = undefined
        handlersOf().due?.(now)
        fired++
      }
      return fired + punctuate(onPipelineTime, now, now)
    },
    punctuateStream: (now, streamTime) => punctuate(onStreamTime, streamTime, now),
    handleResult(effect, intentId, result) {
      const intents = services.intentStores.get(effect)
      const stored = intents?.get(intentId)
      if (!intents || !stored) return false
      const handle = handlersOf().results?.[effect]
      if (!handle) throw new Error(`${node.name} has no handler for results of ${effect}`)
      handle(stored.intent, result)
      intents.delete(intentId)
      return true
    },
    takeNewCalls() {
      const calls = [...newCalls.values()]
      newCalls.clear()
      return calls
    },
  }
}

/** The emit functions of the connected outputs; emitting to another one is a bug and says so. */
function emitters<T>(ports: readonly string[], node: string, make: (port: string) => T): Record<string, T> {
  const unconnected = new Proxy(
    {},
    {
      get(_, port) {
        throw new Error(`output ${String(port)} of ${node} is connected to nothing`)
      },
    },
  )
  const record: Record<string, T> = Object.create(unconnected)
  for (const port of ports) record[port] = make(port)
  return record
}
