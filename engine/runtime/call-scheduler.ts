/**
 * Starts the calls that committed intents ask for, and keeps what came back until a commit holds it.
 *
 * One per instance. A call lives longer than the task object that asked for it: it is known by (task, effect,
 * intent id), so after an abort a reopened task meets its running calls and finished results again instead of
 * repeating them.
 *
 * ```
 *   submit ──► queued ──► running ──► finished ──► handed out ──► settled (forgotten)
 *                │ withdraw                  ▲            │ abort
 *                ▼                           └────────────┘
 *             forgotten
 * ```
 */
import type { Clock } from '../clock.ts'
import type { EffectHandler, EffectResult, EffectView, Intent } from '../graph/processor.ts'
import { type CallPoolsOptions, callPools, type Pooled } from './call-pools.ts'
import type { Counters } from './counters.ts'

export interface Call {
  readonly taskId: string
  /** `<processor>.<effect>`. */
  readonly effect: string
  readonly intent: Intent<unknown>
  /** How often the call may have been started by earlier owners. */
  readonly starts: number
  readonly view: EffectView
}

export interface FinishedCall {
  readonly taskId: string
  readonly effect: string
  readonly intentId: string
  readonly result: EffectResult<unknown>
  /** Whether this is the result that stands in for one that could not be handled. */
  readonly minimal: boolean
}

export interface CallSchedulerOptions extends CallPoolsOptions {
  readonly handlers: ReadonlyMap<string, EffectHandler<unknown, unknown>>
  /** A call that was started this often without an outcome is not made again. */
  readonly maxStarts: number
  readonly pipelineClock: Clock
  /** Whether the instance's lease is fresh: without it nothing starts. */
  readonly leaseFresh: () => boolean
  readonly counters: Counters
  /** Called when a result is there. */
  readonly onFinished: () => void
}

export interface CallScheduler {
  /** Makes a committed intent startable, or matches it with the call that is already known. */
  submit(call: Call): void
  /** `started` when the call runs or has run; else it is forgotten and will not start. */
  withdraw(taskId: string, effect: string, intentId: string): 'withdrawn' | 'started'
  /** Starts what may start now. */
  pump(): void
  /** Finished results that were not handed out yet, oldest first, up to `most`. */
  takeFinished(accepts: (taskId: string) => boolean, most?: number): FinishedCall[]
  /** Handed-out results that were not handled come first the next time; `minimal` ones in place of the call's own. */
  giveBack(calls: readonly FinishedCall[]): void
  /** The commit that holds the handed-out results has ended. */
  settle(): void
  /** The commit was aborted: queued calls of these tasks are dropped, handed-out results come again on `submit`. */
  aborted(taskIds: ReadonlySet<string>): void
  /** A task was opened again and submitted what is open: handed-out results that it did not ask for are forgotten. */
  reopened(taskId: string): void
  /** Starts no more calls of these tasks. */
  pause(taskIds: ReadonlySet<string>): void
  /** Resolves when no call of these tasks runs, or when the signal is aborted. */
  drained(taskIds: ReadonlySet<string>, deadline: AbortSignal): Promise<void>
  /** The tasks went elsewhere: forgets their calls; running ones end unheard, counted. */
  forget(taskIds: ReadonlySet<string>): void
  /** Calls queued, running or finished and not settled. */
  open(): number
  running(): number
  /** Whether calls wait that nothing holds up but the lease. */
  awaitsLease(): boolean
  stop(): void
}

interface Entry extends Pooled {
  readonly call: Call
  state: 'queued' | 'running' | 'finished' | 'handed-out'
  result: EffectResult<unknown> | undefined
  minimal: boolean
}

export function callScheduler(options: CallSchedulerOptions): CallScheduler {
  const entries = new Map<string, Entry>()
  const paused = new Set<string>()
  const idleWaiters = new Set<() => void>()
  const stopping = new AbortController()
  /** Entries whose result nobody has taken yet, oldest first. */
  let finished: Entry[] = []
  let handedOut: Entry[] = []
  const pools = callPools<Entry>(options, pump)

  const keyOf = (taskId: string, effect: string, intentId: string) => `${taskId}|${effect}|${intentId}`
  const entryKey = ({ call }: Entry) => keyOf(call.taskId, call.effect, call.intent.id)

  function finish(entry: Entry, result: EffectResult<unknown>) {
    entry.state = 'finished'
    entry.result = result
    finished.push(entry)
    options.onFinished()
  }

  async function run(entry: Entry, handler: EffectHandler<unknown, unknown>) {
    const { call } = entry
    const starts = call.starts + 1
    entry.state = 'running'
    pools.begin(entry)
    let result: EffectResult<unknown>
    try {
      const again = call.starts > 0
      const value = await handler(call.intent, call.view, { signal: stopping.signal, again, starts })
      result = { kind: 'done', result: value, again, starts }
    } catch (error) {
      options.counters.add('effect.handler_failed', { effect: call.effect })
      result = { kind: 'handler_failed', message: messageOf(error), starts }
    }
    pools.end(entry)
    if (entries.get(entryKey(entry)) === entry) finish(entry, result)
    else options.counters.add('effect.result_unheard', { effect: call.effect })
    for (const wake of idleWaiters) wake()
    pump()
  }

  function start(entry: Entry) {
    const { call } = entry
    const answer = (result: EffectResult<unknown>) => {
      pools.release(entry)
      finish(entry, result)
    }
    if (options.pipelineClock.now() > call.intent.notAfter) return answer({ kind: 'expired' })
    if (call.starts >= options.maxStarts) {
      const message = `started ${call.starts} times without an outcome; not called again`
      return answer({ kind: 'handler_failed', message, starts: call.starts })
    }
    const handler = options.handlers.get(call.effect)
    if (!handler) throw new Error(`no handler is registered for effect ${call.effect}`)
    void run(entry, handler)
  }

  function pump() {
    if (stopping.signal.aborted || !options.leaseFresh()) return
    pools.fill(startable, start)
  }

  const startable = (entry: Entry) => !paused.has(entry.call.taskId)

  function drop(entry: Entry) {
    entries.delete(entryKey(entry))
    if (entry.state === 'queued') pools.remove(entry)
  }

  const runningOf = (taskIds: ReadonlySet<string>) =>
    [...entries.values()].some((entry) => entry.state === 'running' && taskIds.has(entry.call.taskId))

  return {
    submit(call) {
      const key = keyOf(call.taskId, call.effect, call.intent.id)
      const known = entries.get(key)
      if (known) {
        if (known.state !== 'handed-out') return
        // The commit that would have held this result was aborted: hand it out again, do not call again.
        known.state = 'finished'
        finished.push(known)
        options.onFinished()
        return
      }
      const entry: Entry = {
        call,
        place: call.intent,
        state: 'queued',
        result: undefined,
        minimal: false,
        slot: 'pool',
      }
      entries.set(key, entry)
      pools.add(entry)
    },
    withdraw(taskId, effect, intentId) {
      const entry = entries.get(keyOf(taskId, effect, intentId))
      if (!entry) return 'withdrawn'
      if (entry.state !== 'queued') return 'started'
      drop(entry)
      return 'withdrawn'
    },
    pump,
    takeFinished(accepts, most = Number.POSITIVE_INFINITY) {
      if (finished.length === 0) return []
      const taken: Entry[] = []
      const left: Entry[] = []
      for (const entry of finished) {
        const list = taken.length < most && accepts(entry.call.taskId) ? taken : left
        list.push(entry)
      }
      finished = left
      handedOut.push(...taken)
      return taken.map((entry) => {
        entry.state = 'handed-out'
        const { call, result } = entry
        if (!result) throw new Error(`call ${entryKey(entry)} finished without a result`)
        const { minimal } = entry
        return { taskId: call.taskId, effect: call.effect, intentId: call.intent.id, result, minimal }
      })
    },
    giveBack(calls) {
      const back: Entry[] = []
      for (const { taskId, effect, intentId, result, minimal } of calls) {
        const entry = entries.get(keyOf(taskId, effect, intentId))
        if (!entry) continue
        entry.state = 'finished'
        entry.result = result
        entry.minimal = minimal
        back.push(entry)
      }
      handedOut = handedOut.filter((entry) => !back.includes(entry))
      finished = [...back, ...finished]
    },
    settle() {
      for (const entry of handedOut) if (entry.state === 'handed-out') entries.delete(entryKey(entry))
      handedOut = []
    },
    aborted(taskIds) {
      for (const entry of [...entries.values()]) {
        if (entry.state === 'queued' && taskIds.has(entry.call.taskId)) drop(entry)
      }
      // Results not handed out yet wait for their task to come back; handed-out ones are matched on submit.
      handedOut = []
    },
    reopened(taskId) {
      for (const entry of [...entries.values()]) {
        if (entry.state === 'handed-out' && entry.call.taskId === taskId && !handedOut.includes(entry))
          drop(entry)
      }
    },
    pause(taskIds) {
      for (const taskId of taskIds) paused.add(taskId)
    },
    async drained(taskIds, deadline) {
      while (!deadline.aborted && runningOf(taskIds)) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            idleWaiters.delete(wake)
            deadline.removeEventListener('abort', wake)
            resolve()
          }
          idleWaiters.add(wake)
          deadline.addEventListener('abort', wake)
        })
      }
    },
    forget(taskIds) {
      for (const entry of [...entries.values()]) if (taskIds.has(entry.call.taskId)) drop(entry)
      finished = finished.filter((entry) => !taskIds.has(entry.call.taskId))
      handedOut = handedOut.filter((entry) => !taskIds.has(entry.call.taskId))
      for (const taskId of taskIds) paused.delete(taskId)
    },
    open: () => entries.size,
    running: pools.running,
    awaitsLease: () =>
      entries.size > 0 &&
      !stopping.signal.aborted &&
      !options.leaseFresh() &&
      [...entries.values()].some(({ state }) => state === 'queued'),
    stop() {
      stopping.abort()
      pools.stop()
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
