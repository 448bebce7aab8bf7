/**
 * The loop of an instance: poll → process → commit. Processing is synchronous; the awaits are at the edges. Between
 * rounds it runs jobs that need a quiet moment (attaching and closing tasks), one at a time.
 */
import type { Clock } from '../clock.ts'
import type { FetchedPartition, Fetcher, FetchRequest } from '../record-log/port.ts'
import { partitionKey } from '../record-log/port.ts'
import type { CallScheduler } from './call-scheduler.ts'
import type { GlobalTables } from './global-tables.ts'
import type { OutputBuffer } from './output-buffer.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { sliceInTimeOrder, sliceInTurn } from './slice.ts'
import type { Task } from './task.ts'

export interface LoopOptions {
  readonly fetcher: Fetcher
  readonly globals: GlobalTables
  readonly scheduler: CallScheduler
  readonly output: OutputBuffer
  readonly pipelineClock: Clock
  readonly realClock: Clock
  /** `records`: pipeline time follows the records in hand (a replay). */
  readonly timeFrom: 'clock' | 'records'
  /** The log's clock, which delayed sources count by. */
  readonly logNow: () => number
  /** Commits at the latest after this many milliseconds, and not sooner than the floor after the last one. */
  readonly commitIntervalMs: number
  readonly commitFloorMs: number
  /** Writes one commit of all tasks; false when it failed and the tasks were closed. */
  readonly commit: (tasks: readonly Task[]) => Promise<boolean>
  /** The position of a queue is gone from the log, or its topic is. */
  readonly onFetchProblem: (fetched: FetchedPartition) => void
  readonly onFailure: (error: unknown) => void
}

export interface Loop {
  readonly tasks: Map<string, Task>
  run(): Promise<void>
  /** Runs a job between two rounds, alone. */
  exclusive<T>(job: () => Promise<T>): Promise<T>
  /** Commits everything now; for use inside `exclusive`. */
  commitNow(): Promise<boolean>
  /** Ends a wait: something happened. */
  wake(): void
  /** Resolves when nothing is left to do before the next due time: all read, processed, committed, no call open. */
  settled(): Promise<void>
  /** The earliest wake-up or delayed record that waits, in pipeline time; punctuation does not count. */
  nextDue(): number | undefined
  stop(): void
}

/** A partition with this many records waiting is not fetched. */
const queueRecordsMax = 2000
const fetchBytes = 1024 * 1024
const longestWaitMs = 60_000

const yieldToEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

export function makeLoop(options: LoopOptions): Loop {
  const { fetcher, globals, scheduler, output, pipelineClock, realClock } = options
  const tasks = new Map<string, Task>()
  const jobs: (() => Promise<void>)[] = []
  let settledWaiters: (() => void)[] = []
  let waiting: AbortController | undefined
  let awake = false
  let stopped = false
  let ended = false
  /** Real time since which there is something to commit. */
  let dirtySince: number | undefined
  let lastCommitAt = Number.NEGATIVE_INFINITY

  const sliceOptions = { tasks, realClock, pipelineClock, logNow: options.logNow }
  const slice = options.timeFrom === 'records' ? sliceInTimeOrder : sliceInTurn

  function wake() {
    awake = true
    waiting?.abort()
  }

  function requests(): FetchRequest[] {
    const wanted: FetchRequest[] = globals.requests().map((tp) => ({ ...tp, maxBytes: fetchBytes }))
    for (const task of tasks.values()) {
      for (const queue of task.queues) {
        if (queue.size() >= (queue.source.delayMs === undefined ? queueRecordsMax : 1)) continue
        wanted.push({ ...queue.tp, offset: queue.fetchOffset(), maxBytes: fetchBytes })
      }
    }
    return wanted
  }

  async function poll(maxWaitMs: number, signal?: AbortSignal): Promise<boolean> {
    const wanted = requests()
    if (wanted.length === 0) {
      if (signal) await aborted(signal)
      return false
    }
    const fetched = await fetcher.fetch(wanted, {
      isolation: 'read_committed',
      maxWaitMs,
      ...(signal && { signal }),
    })
    let got = await globals.apply(fetched)
    const queues = new Map<string, PartitionQueue>()
    for (const task of tasks.values())
      for (const queue of task.queues) queues.set(partitionKey(queue.tp), queue)
    for (const partition of fetched) {
      const queue = queues.get(partitionKey(partition))
      if (!queue) continue
      if (partition.problem) {
        options.onFetchProblem(partition)
        continue
      }
      const before = queue.fetchOffset()
      await prepare(queue, partition)
      queue.add(partition)
      if (queue.fetchOffset() !== before) got = true
    }
    return got
  }

  /** Handles finished calls; returns whether there were any. */
  function serveResults(): boolean {
    let served = false
    for (const finished of scheduler.takeFinished((taskId) => tasks.has(taskId))) {
      tasks.get(finished.taskId)?.handleResult(finished)
      served = true
    }
    return served
  }

  /** Fires what the clock says is due; returns whether anything was. */
  function serveTimers(): boolean {
    let served = false
    const now = pipelineClock.now()
    for (const task of tasks.values()) {
      const due = Math.min(
        task.nextDue() ?? Number.POSITIVE_INFINITY,
        task.nextPunctuation() ?? Number.POSITIVE_INFINITY,
      )
      if (due <= now && task.fire() > 0) served = true
    }
    return served
  }

  async function commit(): Promise<boolean> {
    dirtySince = undefined
    const dirty = [...tasks.values()].filter((task) => task.dirty())
    if (dirty.length === 0 && output.isEmpty()) return true
    const done = await options.commit(dirty)
    lastCommitAt = realClock.now()
    if (done) for (const task of tasks.values()) if (task.needsReload()) await task.open(true)
    return done
  }

  /** When the next commit is due, in real time. Drained queues commit early, but not within the floor. */
  function commitDue(drained: boolean): number | undefined {
    if (dirtySince === undefined) return undefined
    const latest = dirtySince + options.commitIntervalMs
    return drained ? Math.min(latest, lastCommitAt + options.commitFloorMs) : latest
  }

  async function round() {
    for (let job = jobs.shift(); job; job = jobs.shift()) await job()
    awake = false
    const got = await poll(0)
    let served = serveResults()
    // In a replay the slice itself fires wake-ups between the records; the clock's turn comes when those are taken.
    if (options.timeFrom === 'clock' && serveTimers()) served = true
    const { processed, drained } = slice(sliceOptions)
    if (options.timeFrom === 'records' && drained && serveTimers()) served = true
    if (served || processed || anyDirty()) dirtySince ??= realClock.now()
    const due = commitDue(drained)
    const commits = due !== undefined && due <= realClock.now()
    if (commits) await commit()
    scheduler.pump()
    // What a commit wrote may be another task's input: nobody is idle before it was looked for.
    if (got || served || processed || commits || awake || jobs.length > 0) await yieldToEventLoop()
    else await idle(commitDue(true))
  }

  const anyDirty = () => {
    for (const task of tasks.values()) if (task.dirty()) return true
    return false
  }

  const anyBusy = () => [...tasks.values()].some((task) => task.busy())

  /** Nothing to do: waits for records, a result, a due time or a job. */
  async function idle(commitAt: number | undefined) {
    if (commitAt === undefined && scheduler.open() === 0 && !anyBusy()) releaseSettled()
    const controller = new AbortController()
    waiting = controller
    const cancels = [
      ...(commitAt === undefined ? [] : [realClock.at(commitAt, () => controller.abort())]),
      ...timers(() => controller.abort()),
    ]
    try {
      if (!awake && jobs.length === 0 && !stopped) await poll(longestWaitMs, controller.signal)
      else await yieldToEventLoop()
    } finally {
      waiting = undefined
      for (const cancel of cancels) cancel()
    }
  }

  /** One timer for the earliest due time of any task. */
  function timers(wakeUp: () => void): (() => void)[] {
    let earliest = Number.POSITIVE_INFINITY
    for (const task of tasks.values()) {
      earliest = Math.min(earliest, task.nextDue() ?? earliest, task.nextPunctuation() ?? earliest)
    }
    return Number.isFinite(earliest) ? [pipelineClock.at(earliest, wakeUp)] : []
  }

  function releaseSettled() {
    const waiters = settledWaiters
    settledWaiters = []
    for (const resolve of waiters) resolve()
  }

  return {
    tasks,
    wake,
    async run() {
      try {
        while (!stopped) await round()
      } catch (error) {
        options.onFailure(error)
      }
      ended = true
      for (let job = jobs.shift(); job; job = jobs.shift()) await job()
      releaseSettled()
    },
    exclusive: (job) =>
      new Promise((resolve, reject) => {
        const run = () => job().then(resolve, reject)
        if (ended) void run()
        else jobs.push(run)
        wake()
      }),
    commitNow: commit,
    settled: () =>
      new Promise((resolve) => {
        settledWaiters.push(resolve)
        wake()
      }),
    nextDue() {
      let earliest = Number.POSITIVE_INFINITY
      for (const task of tasks.values()) earliest = Math.min(earliest, task.nextDue() ?? earliest)
      return Number.isFinite(earliest) ? earliest : undefined
    },
    stop() {
      stopped = true
      wake()
    },
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Awaits what a serde must fetch (a schema) before these records can be decoded. */
async function prepare(queue: PartitionQueue, fetched: FetchedPartition) {
  const { key, value } = queue.source.topic
  if (!key.prepare && !value.prepare) return
  for (const batch of fetched.batches) {
    for (const record of batch.records) {
      const pendingKey = key.prepare?.(record.key)
      if (pendingKey) await pendingKey
      const pendingValue = value.prepare?.(record.value)
      if (pendingValue) await pendingValue
    }
  }
}
