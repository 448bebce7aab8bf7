/** Finding a position in a run of batches. */
import type { FetchedBatch } from './port.ts'

/** The index, from `from` on (what lies before may be undefined), of the first batch that reaches `offset`; `batches.length` when none does. */
export function firstBatchReaching(
  batches: readonly (FetchedBatch | undefined)[],
  offset: number,
  from = 0,
): number {
  let low = from
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const batch = batches[middle]
    if (batch && batch.lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
