/** The sequence numbers of one producer id and epoch: what the broker tells repeated and missing batches by. */
import { partitionKey, type TopicPartition } from '../port.ts'

export interface Sequences {
  /** Of the next record for the partition. */
  next(tp: TopicPartition): number
  /** So many records were written. */
  advance(tp: TopicPartition, records: number): void
  /** A new epoch begins at 0 everywhere. */
  clear(): void
}

const largest = 2 ** 31 - 1

/** Starts at 0 everywhere. */
export function createSequences(): Sequences {
  const sequences = new Map<string, number>()
  return {
    next: (tp) => sequences.get(partitionKey(tp)) ?? 0,
    advance(tp, records) {
      const key = partitionKey(tp)
      sequences.set(key, addToSequence(sequences.get(key) ?? 0, records))
    },
    clear: () => sequences.clear(),
  }
}

/** As the broker counts: 2^31 - 1 is followed by 0, also within a batch. */
export const addToSequence = (sequence: number, records: number): number =>
  sequence > largest - records ? records - (largest - sequence) - 1 : sequence + records
