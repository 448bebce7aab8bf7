/**
 * What waits with the tasks of DELIVER that run in this process, for its metrics and its view. Nothing is counted for it:
 * each task knows the length of its queues anyway, and is asked when somebody looks.
 */
import type { EndpointSystemState } from '../../schemas/index.ts'
import type { EndpointQueues } from './endpoint-queues.ts'

/** One endpoint, and its deliveries that wait. */
export interface WaitingAt {
  readonly endpointId: string
  /** For a call. */
  readonly queued: number
  readonly inFlight: number
  /** For a retry to fall due, by tier. */
  readonly inTiers: readonly number[]
  /** Disabled by the system. */
  readonly autoDisabled: boolean
}

export interface WaitingBoard {
  /** A task opens; it takes the place of an earlier one of its partition. */
  show(partition: number, task: ShownTask): void
  /** The endpoints in these partitions, those of which something is known. */
  at(partitions: ReadonlySet<number>): readonly WaitingAt[]
}

export interface ShownTask {
  readonly queues: Pick<EndpointQueues, 'waitingBy'>
  readonly book: { find(endpointId: string): Pick<EndpointSystemState, 'auto_disabled_at'> | undefined }
}

/** An empty board. */
export function createWaitingBoard(): WaitingBoard {
  // Weak: a task that moved to another instance must not keep a million waiting deliveries in memory here.
  const tasks = new Map<number, { readonly [Part in keyof ShownTask]: WeakRef<ShownTask[Part]> }>()
  return {
    show(partition, { queues, book }) {
      tasks.set(partition, { queues: new WeakRef(queues), book: new WeakRef(book) })
    },
    at(partitions) {
      const found: WaitingAt[] = []
      for (const [partition, task] of tasks) {
        const [queues, book] = [task.queues.deref(), task.book.deref()]
        if (!queues || !book || !partitions.has(partition)) continue
        for (const { endpointId, held, open, inTiers } of queues.waitingBy()) {
          const tiered = inTiers.reduce((sum, count) => sum + count, 0)
          const autoDisabled = (book.find(endpointId)?.auto_disabled_at ?? null) !== null
          found.push({ endpointId, queued: held - open - tiered, inFlight: open, inTiers, autoDisabled })
        }
      }
      return found
    },
  }
}
