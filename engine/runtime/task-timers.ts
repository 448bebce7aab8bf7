/** The time of a task, and the timers of its processors: wake-ups and punctuations, and when the next is due. */
import type { AnyRecord } from '../graph/node.ts'
import { messageOf } from './dead-letter.ts'
import type { ProcessorInstance } from './processor-instance.ts'

/** The record in hand and the time, as operators see them. */
export interface Moment {
  now: number
  streamTime: number
  current: AnyRecord | undefined
}

export interface TaskTimers {
  /** Fires what is due on pipeline time; returns how many handlers ran. */
  fireAt(now: number): number
  /** Fires what is due on stream time. */
  fireStream(): void
  nextWake(): number | undefined
  /** The earliest punctuation on pipeline time. */
  nextPunctuation(): number | undefined
}

export interface TaskTimersOptions {
  readonly taskId: string
  readonly processors: readonly ProcessorInstance[]
  readonly moment: Moment
  /** Called before each processor's turn. */
  readonly begin: (now: number) => void
  /** Called after it. */
  readonly end: () => void
}

export function taskTimers({ taskId, processors, moment, begin, end }: TaskTimersOptions): TaskTimers {
  /** A timer has no record that could be refused: whatever it throws is a bug. */
  function inTurn(now: number, fire: (processor: ProcessorInstance) => number): number {
    let fired = 0
    for (const processor of processors) {
      begin(now)
      try {
        fired += fire(processor)
      } catch (error) {
        const message = `a timer of ${processor.node.name} failed in task ${taskId}: ${messageOf(error)}`
        throw new Error(message, { cause: error })
      }
      end()
    }
    return fired
  }

  function earliest(timeOf: (processor: ProcessorInstance) => number | undefined): number | undefined {
    let found: number | undefined
    for (const processor of processors) {
      const time = timeOf(processor)
      if (time !== undefined && (found === undefined || time < found)) found = time
    }
    return found
  }

  return {
    fireAt: (now) => inTurn(now, (processor) => processor.fire(moment.now)),
    fireStream() {
      inTurn(moment.now, (processor) => processor.punctuateStream(moment.now, moment.streamTime))
    },
    nextWake: () => earliest((processor) => processor.wakeTime()),
    nextPunctuation: () => earliest((processor) => processor.punctuationTime()),
  }
}
