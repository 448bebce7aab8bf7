/**
 * Which batches a `read_committed` reader sees. The broker sends what lies before the last stable offset, records of
 * aborted transactions too, and a list of those transactions; hiding them is the reader's part. Rules that matter:
 * control markers are known by their attribute and never by their key (four zero bytes are a good key), and several
 * transactions can be open at once, so every one that begins at or before a batch is looked at before that batch.
 */
import type { AbortedTransaction } from './fetch.ts'

/** What the filter looks at. */
export interface BatchFacts {
  readonly lastOffset: number
  readonly producerId: number
  readonly transactional: boolean
  readonly control: boolean
  /** Whether a control batch is the marker of an abort. */
  readonly abortMarker: boolean
}

/** Asked about every batch of one reply in order; true: its records are to be read. */
export type BatchFilter = (batch: BatchFacts) => boolean

/** Shows records of all transactions, but no markers. */
export const uncommittedFilter: BatchFilter = ({ control }) => !control

/** Hides the records of the aborted transactions, which the broker lists in no order. */
export function committedFilter(aborted: readonly AbortedTransaction[]): BatchFilter {
  if (aborted.length === 0) return uncommittedFilter
  const ahead = aborted.toSorted((one, other) => one.firstOffset - other.firstOffset)
  const producers = new Set<number>()
  let next = 0
  return ({ lastOffset, producerId, transactional, control, abortMarker }) => {
    for (let entry = ahead[next]; entry && entry.firstOffset <= lastOffset; entry = ahead[++next]) {
      producers.add(entry.producerId)
    }
    if (control) {
      if (abortMarker) producers.delete(producerId)
      return false
    }
    return !(transactional && producers.has(producerId))
  }
}
