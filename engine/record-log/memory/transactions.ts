/**
 * The transaction coordinator in memory: who may write under an id, what a transaction touched, and when its
 * markers are written.
 *
 * ```
 *  open ── end, init of the same id, or time-out ──► decided ── markers written (now, or late) ──► complete
 * ```
 * Until it is complete the id starts no new transaction, as in Kafka (CONCURRENT_TRANSACTIONS).
 */
import type { Clock } from '../../clock.ts'
import { LogError } from '../port.ts'
import { createSignal, raise, type Signal, waitForAny } from '../signal.ts'
import type { MarkerHold } from './levers.ts'
import type { MemoryOffsets } from './offsets.ts'
import type { MemoryPartition } from './partition.ts'

export type Outcome = 'commit' | 'abort'

/** One transactional id. The epoch rises with every `init` and every time-out: an older one is fenced. */
export interface Producer {
  readonly transactionalId: string
  readonly producerId: number
  epoch: number
  current: LogTransaction | undefined
}

/** A transaction as the log sees it; also the key of its pending offset commits. */
export interface LogTransaction {
  readonly producer: Producer
  readonly partitions: Set<MemoryPartition>
  outcome: Outcome | undefined
  cancelTimeout(): void
}

export interface Coordinator {
  /** Fences earlier epochs, aborts what they left open, and waits until that is complete. */
  init(transactionalId: string): Promise<{ readonly producer: Producer; readonly epoch: number }>
  /** Starts, or goes on with, the transaction of this epoch; waits for an earlier one's markers. */
  enter(producer: Producer, epoch: number, known: LogTransaction | undefined): Promise<LogTransaction>
  /** Decides it and writes the markers, unless they are held. */
  decide(transaction: LogTransaction, outcome: Outcome): void
  checkEpoch(producer: Producer, epoch: number): void
  hold(hold: MarkerHold): void
  release(which?: 'data' | 'offsets'): void
  held(): number
}

export interface CoordinatorOptions {
  readonly clock: Clock
  readonly offsets: MemoryOffsets
  readonly transactionTimeoutMs: number
}

/** How long a call waits for an earlier transaction's markers before it gives up as `retriable`, as clients do. */
const markerPatienceMs = 30_000

interface HeldMarker {
  readonly which: 'data' | 'offsets'
  write(): void
}

/** Makes a coordinator that knows no ids. */
export function createCoordinator({ clock, offsets, transactionTimeoutMs }: CoordinatorOptions): Coordinator {
  const producers = new Map<string, Producer>()
  const completed: Signal = createSignal()
  let holding: MarkerHold | undefined
  let heldMarkers: HeldMarker[] = []

  async function untilComplete(producer: Producer): Promise<void> {
    const untilMs = clock.now() + markerPatienceMs
    while (producer.current) {
      if ((await waitForAny([completed], { clock, untilMs })) === 'timed_out') {
        throw new LogError('retriable', `the last transaction of ${producer.transactionalId} is not complete`)
      }
    }
  }

  function checkEpoch(producer: Producer, epoch: number): void {
    if (producer.epoch === epoch) return
    throw new LogError(
      'fenced',
      `writer ${producer.transactionalId} was fenced: its epoch ${epoch} is over, ${producer.epoch} is current`,
    )
  }

  function decide(transaction: LogTransaction, outcome: Outcome): void {
    const { producer } = transaction
    transaction.outcome = outcome
    transaction.cancelTimeout()
    let missing = transaction.partitions.size + 1
    const written = () => {
      if (--missing > 0) return
      producer.current = undefined
      raise(completed)
    }
    for (const partition of transaction.partitions) {
      write('data', () => {
        partition.mark(producer.producerId, outcome, clock.now())
        written()
      })
    }
    write('offsets', () => {
      offsets.resolve(transaction, outcome)
      written()
    })
  }

  function write(which: 'data' | 'offsets', action: () => void): void {
    if (!holding || (holding.which !== 'both' && holding.which !== which)) {
      action()
      return
    }
    const marker: HeldMarker = { which, write: action }
    heldMarkers.push(marker)
    if (holding.forMs === undefined) return
    clock.at(clock.now() + holding.forMs, () => {
      if (!heldMarkers.includes(marker)) return
      heldMarkers = heldMarkers.filter((other) => other !== marker)
      marker.write()
    })
  }

  return {
    checkEpoch,
    decide,
    async init(transactionalId) {
      let producer = producers.get(transactionalId)
      if (!producer) {
        producer = { transactionalId, producerId: producers.size, epoch: -1, current: undefined }
        producers.set(transactionalId, producer)
      }
      // Taken before the wait: of two that begin at once, the earlier one is fenced.
      const epoch = ++producer.epoch
      if (producer.current && !producer.current.outcome) decide(producer.current, 'abort')
      await untilComplete(producer)
      return { producer, epoch }
    },
    async enter(producer, epoch, known) {
      checkEpoch(producer, epoch)
      if (known) return known
      if (producer.current) {
        await untilComplete(producer)
        checkEpoch(producer, epoch)
      }
      const transaction: LogTransaction = {
        producer,
        partitions: new Set(),
        outcome: undefined,
        cancelTimeout: clock.at(clock.now() + transactionTimeoutMs, () => {
          if (transaction.outcome) return
          producer.epoch++
          decide(transaction, 'abort')
        }),
      }
      producer.current = transaction
      return transaction
    },
    hold(hold) {
      holding = hold
    },
    release(which) {
      if (!which) holding = undefined
      const due = heldMarkers.filter((marker) => !which || marker.which === which)
      heldMarkers = heldMarkers.filter((marker) => which && marker.which !== which)
      for (const marker of due) marker.write()
    },
    held: () => heldMarkers.length,
  }
}
