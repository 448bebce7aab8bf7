/**
 * The loop of an instance: poll → process → commit. Processing is synchronous; the awaits are at the edges. Between
 * rounds it runs jobs that need a quiet moment (attaching and closing tasks), one at a time.
 */
import type { Clock } from '../clock.ts'
import type { CallScheduler, FinishedCall } from './call-scheduler.ts'
import { commitTiming } from './commit-timing.ts'
import type { Outbox } from './outbox.ts'
import type { OutputBuffer } from './output-buffer.ts'
import type { Poller } from './poller.ts'
import { sliceInTimeOrder, sliceInTurn } from './slice.ts'
import type { Task } from './task.ts'

export interface LoopOptions {
  readonly poller: Poller
  readonly scheduler: CallScheduler
  readonly output: OutputBuffer
  readonly outbox: Pick<Outbox, 'isOpen' | 'hasArrived' | 'sendAhead'>
  readonly pipelineClock: Clock
  readonly realClock: Clock
  /** `records`: pipeline time follows the records in hand (a replay). */
  readonly timeFrom: 'clock' | 'records'
  /** What the log's clock is ahead of pipeline time; delayed sources count by the log's. */
  readonly logSkewMs: () => number
  /** Commits at the latest after this many milliseconds, and not sooner than the floor after the last one. */
  readonly commitIntervalMs: number
  readonly commitFloorMs: number
  /** Writes one commit of these tasks; false when it failed and all tasks were closed. */
  readonly commit: (tasks: readonly Task[]) => Promise<boolean>
  readonly onFailure: (error: unknown) => void
}

export interface Loop {
  tasks(): Iterable<Task>
  attach(task: Task): void
  /** Closes a task, whatever it has not committed. */
  detach(taskId: string): void
  has(taskId: string): boolean
  /** Resolves when the loop has ended. */
  run(): Promise<void>
  /** Runs a job between two rounds, alone. After the end of the loop it runs at once. */
  exclusive<T>(job: () => Promise<T>): Promise<T>
  /** Handles what came back and commits everything now; for use inside `exclusive`. */
  commitNow(): Promise<void>
  /** Ends a wait: something happened. */
  wake(): void
  /**
   * Resolves when nothing is left to do before the next due time: all read, processed and committed, and no call
   * open; with `running: 'ignored'` calls may still be under way.
   */
  settled(calls?: { running: 'awaited' | 'ignored' }): Promise<void>
  /** The earliest wake-up or delayed record that waits, in pipeline time; punctuation does not count. */
  nextDue(): number | undefined
  stop(): void
}

/** How soon a call that only waits for the lease looks again. */
const leaseCheckMs = 250

/**
 * Results handled in one round. More of them at once make the calls that follow from them wait for the commit of all:
 * with a hundred endpoints a round took a tenth of a second, and 6 to 19 % of the throughput.
 */
const roundResultsMax = 64

/** Why a wait ends. Without a reason every abort would make an exception, with a stack, that nobody looks at. */
const wokenUp = 'woken up'

const yieldToEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

export function makeLoop(options: LoopOptions): Loop {
  const { poller, scheduler, output, outbox, pipelineClock, realClock } = options
  const timing = commitTiming({ intervalMs: options.commitIntervalMs, floorMs: options.commitFloorMs })
  const tasks = new Map<string, Task>()
  /** The same as a list: every round goes through it a dozen times. */
  let taskList: readonly Task[] = []
  const jobs: (() => Promise<void>)[] = []
  let waiters: { resolve: () => void; ignoresRunning: boolean }[] = []
  let waiting: AbortController | undefined
  let awake = false
  /** The last slice ended although there was more to take. */
  let backlog = false
  let stopped = false
  let ended = false

  function wake() {
    awake = true
    waiting?.abort(wokenUp)
  }

  const logNow = () => pipelineClock.now() + options.logSkewMs()
  const slice = options.timeFrom === 'records' ? sliceInTimeOrder : sliceInTurn

  function follow() {
    taskList = [...tasks.values()]
    poller.follow(taskList)
  }

  const reloading = () => taskList.some((task) => task.needsReload())

  /** Handles finished calls; what could not be handled, and what came after it, waits for the task's reload. */
  function serveResults(most?: number): boolean {
    const taken = scheduler.takeFinished((id) => tasks.get(id)?.needsReload() === false, most)
    const back: FinishedCall[] = []
    for (const finished of taken) {
      const task = tasks.get(finished.taskId)
      if (!task || task.needsReload()) {
        back.push(finished)
        continue
      }
      const minimal = task.handleResult(finished)
      if (minimal) back.push({ ...finished, result: minimal, minimal: true })
      timing.callFinished()
    }
    if (back.length > 0) scheduler.giveBack(back)
    return taken.length > 0
  }

  function serveTimers(): boolean {
    const now = pipelineClock.now()
    const flush = waiters.length > 0
    let served = false
    for (const task of taskList) {
      if (task.needsReload()) continue
      const due = earlier(task.nextWake(), task.nextPunctuation())
      if (((due !== undefined && due <= now) || flush) && task.fire(now, flush) > 0) served = true
    }
    return served
  }

  /** Commits, and loads the indexes of tasks anew that had a record or a result undone. */
  async function commit(): Promise<void> {
    const dirty = taskList.filter((task) => task.urgency() !== 'none')
    const nothing = dirty.length === 0 && output.isEmpty() && !outbox.isOpen()
    const done = nothing || (await options.commit(dirty))
    timing.committed(realClock.now())
    if (done) for (const task of taskList) if (task.needsReload()) await task.open(true)
  }

  function noteDirty() {
    const now = realClock.now()
    for (const task of taskList) timing.note(task.urgency(), now)
  }

  async function round() {
    // A job may need the writer for a transaction of its own.
    if (jobs.length > 0 && outbox.isOpen() && !stopped) await commit()
    for (let job = jobs.shift(); job; job = jobs.shift()) await job()
    if (stopped) return
    awake = false
    const got = await poller.poll(backlog ? 'busy' : 'idle')
    const served = serveResults(roundResultsMax)
    // In a replay the slice itself fires wake-ups between the records; the clock's turn comes when those are taken.
    const firedBefore = options.timeFrom === 'clock' && serveTimers()
    const { processed, drained } = slice({ tasks: taskList, realClock, pipelineClock, logNow })
    const firedAfter = options.timeFrom === 'records' && drained && serveTimers()
    backlog = !drained
    noteDirty()
    const due = timing.due({ drained, demanded: waiters.length > 0, arrived: outbox.hasArrived() })
    const commits = (due !== undefined && due <= realClock.now()) || reloading()
    if (commits) await commit()
    else outbox.sendAhead()
    scheduler.pump()
    // What a commit wrote may be another task's input: nobody is idle before it was looked for.
    const active = got || served || firedBefore || processed || firedAfter || commits
    if (active || awake || jobs.length > 0) await yieldToEventLoop()
    else await idle(timing.due({ drained: true, demanded: false, arrived: false }))
  }

  /** Nothing to do: waits for records, a result, a due time or a job. */
  async function idle(commitAt: number | undefined) {
    if (commitAt === undefined) releaseWaiters()
    const controller = new AbortController()
    const wakeUp = () => controller.abort(wokenUp)
    waiting = controller
    const cancels = timers(commitAt, wakeUp)
    try {
      if (!awake && jobs.length === 0 && !stopped) await poller.poll(controller.signal)
      else await yieldToEventLoop()
    } finally {
      waiting = undefined
      for (const cancel of cancels) cancel()
    }
  }

  /** Timers for the next commit, and for the earliest due time of any task. */
  function timers(commitAt: number | undefined, wakeUp: () => void): (() => void)[] {
    const cancels: (() => void)[] = []
    if (commitAt !== undefined && Number.isFinite(commitAt)) cancels.push(realClock.at(commitAt, wakeUp))
    if (scheduler.awaitsLease()) cancels.push(realClock.at(realClock.now() + leaseCheckMs, wakeUp))
    let earliest = nextDue()
    for (const task of taskList) earliest = earlier(earliest, task.nextPunctuation())
    if (earliest !== undefined) cancels.push(pipelineClock.at(earliest, wakeUp))
    return cancels
  }

  function releaseWaiters() {
    if (waiters.length === 0 || taskList.some((task) => task.writing())) return
    const open = scheduler.open() > 0
    const released = waiters.filter(({ ignoresRunning }) => !open || ignoresRunning)
    waiters = waiters.filter(({ ignoresRunning }) => open && !ignoresRunning)
    for (const { resolve } of released) resolve()
  }

  function nextDue(): number | undefined {
    const skewMs = options.logSkewMs()
    let earliest: number | undefined
    for (const task of taskList) {
      const release = task.nextRelease()
      earliest = earlier(
        earliest,
        earlier(task.nextWake(), release === undefined ? release : release - skewMs),
      )
    }
    return earliest
  }

  return {
    tasks: () => taskList,
    has: (taskId) => tasks.has(taskId),
    attach(task) {
      tasks.set(task.id, task)
      follow()
    },
    detach(taskId) {
      const task = tasks.get(taskId)
      if (!task) return
      task.close()
      tasks.delete(taskId)
      follow()
    },
    wake,
    nextDue,
    async run() {
      try {
        while (!stopped) await round()
      } catch (error) {
        options.onFailure(error)
      }
      ended = true
      for (let job = jobs.shift(); job; job = jobs.shift()) await job()
      for (const { resolve } of waiters) resolve()
      waiters = []
    },
    exclusive: (job) =>
      new Promise((resolve, reject) => {
        const run = () => job().then(resolve, reject)
        if (ended) void run()
        else jobs.push(run)
        wake()
      }),
    async commitNow() {
      // Twice, because a result that could not be handled is answered by a minimal one after the reload.
      for (let pass = 0; pass < 2; pass++) {
        serveResults()
        await commit()
      }
    },
    settled: (calls = { running: 'awaited' }) =>
      new Promise((resolve) => {
        if (ended) return resolve()
        waiters.push({ resolve, ignoresRunning: calls.running === 'ignored' })
        wake()
      }),
    stop() {
      stopped = true
      wake()
    },
  }
}

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b)
