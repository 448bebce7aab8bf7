/** Tells on a terminal how far a replay has come; says nothing where stderr is none. */
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import type { Clock } from '../../engine/index.ts'
import type { Output } from '../cli/surroundings.ts'
import { formatCount } from '../view/cells.ts'

export interface ReplayProgress {
  /** Hands the records on and counts them. */
  counting(records: AsyncIterable<readonly CapturedRecord[]>): AsyncIterable<readonly CapturedRecord[]>
  /** Shows the count, a few times a second at most. */
  show(): void
  /** Takes the line away. */
  clear(): void
}

const showEveryMs = 200

/** Makes the progress line of one replay. */
export function replayProgress(output: Output, clock: Clock): ReplayProgress {
  let count = 0
  let shownAt = clock.now()
  let standing = false
  return {
    async *counting(records) {
      for await (const batch of records) {
        count += batch.length
        yield batch
      }
    },
    show() {
      const now = clock.now()
      if (!output.isTTY || now - shownAt < showEveryMs) return
      shownAt = now
      standing = true
      output.write(`\r${formatCount(count)} records\x1b[K`)
    },
    clear() {
      if (standing) output.write('\r\x1b[K')
      standing = false
    },
  }
}
