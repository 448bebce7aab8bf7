/**
 * One slice of synchronous processing: how long it may take before timers and sockets get their turn, and in which
 * order the tasks of an instance are served. In operation they take turns. In a replay, where pipeline time follows
 * the records, all records and wake-ups of all tasks are taken in the order of their times, so that what each task
 * writes is in that order too, and the same input always gives the same output.
 */
import type { Clock } from '../clock.ts'
import type { Task } from './task.ts'

export interface SliceResult {
  readonly processed: boolean
  /** Nothing is left that could be taken now. */
  readonly drained: boolean
}

export interface SliceOptions {
  readonly tasks: readonly Task[]
  readonly realClock: Clock
  readonly pipelineClock: Clock
  /** The log's clock, which delayed sources count by. */
  readonly logNow: () => number
}

/** How long one slice may take, in milliseconds. */
const sliceMs = 8
/** Records a task processes before the next task's turn. */
const turnRecords = 128
/** Records between two looks at the clock. */
const recordsPerLook = 64

/** Whether the slice's time is up; a clock that is set back meanwhile ends it too. */
function timeLimit(realClock: Clock): () => boolean {
  const from = realClock.now()
  return () => {
    const passedMs = realClock.now() - from
    return passedMs < 0 || passedMs >= sliceMs
  }
}

/** Tasks in turn until all queues are drained or the time is up. */
export function sliceInTurn({ tasks, realClock, logNow }: SliceOptions): SliceResult {
  const over = timeLimit(realClock)
  const now = logNow()
  let processed = false
  for (;;) {
    let round = 0
    for (const task of tasks) {
      if (!task.needsReload()) round += task.process(turnRecords, now)
    }
    if (round === 0) return { processed, drained: true }
    processed = true
    if (over()) return { processed, drained: false }
  }
}

/** The earliest record or wake-up of any task, one at a time. A source that must be fetched first ends the slice. */
export function sliceInTimeOrder({ tasks, realClock, pipelineClock, logNow }: SliceOptions): SliceResult {
  const over = timeLimit(realClock)
  const now = logNow()
  const clockNow = pipelineClock.now()
  for (let taken = 0; ; taken++) {
    if (taken % recordsPerLook === 0 && over()) return { processed: taken > 0, drained: false }
    let next: Task | undefined
    let nextTime = Number.POSITIVE_INFINITY
    let waking: Task | undefined
    let wakeTime = Number.POSITIVE_INFINITY
    for (const task of tasks) {
      if (task.starving() || task.needsReload()) return { processed: taken > 0, drained: task.needsReload() }
      const time = task.nextTime(now)
      if (time !== undefined && time < nextTime) {
        next = task
        nextTime = time
      }
      const wake = task.nextWake()
      if (wake !== undefined && wake < wakeTime) {
        waking = task
        wakeTime = wake
      }
    }
    if (waking && wakeTime <= clockNow && wakeTime <= nextTime) waking.fire(wakeTime)
    else if (next) next.process(1, now)
    else return { processed: taken > 0, drained: true }
  }
}
