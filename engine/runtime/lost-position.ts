/** What is said when the place of a reader is gone from the log. Never a silent reset: it would skip records unseen. */
import { type FetchedPartition, partitionKey } from '../record-log/port.ts'

/** `deleted`: the log starts behind it. `cut`: the log ends before it. `no_topic`: all of it is gone. */
export type LostPositionReason = 'deleted' | 'cut' | 'no_topic'

/** A partition cannot be read from where its reader is: records were deleted before they were processed. */
export class LostPositionError extends Error {
  readonly reason: LostPositionReason
  constructor(reason: LostPositionReason, message: string) {
    super(message)
    this.name = 'LostPositionError'
    this.reason = reason
  }
}

/** For a fetch that the log answered with such a problem; `offset` is what was asked for. */
export function lostPosition(fetched: FetchedPartition, offset: number, groupId: string): LostPositionError {
  if (fetched.problem === 'unknown_topic') {
    return new LostPositionError('no_topic', `topic ${fetched.topic} does not exist any more`)
  }
  const place = `${partitionKey(fetched)}: group ${groupId} is at offset ${offset}, which is no longer in the log`
  const starts = fetched.logStartOffset
  return offset < starts
    ? new LostPositionError(
        'deleted',
        `${place} (it starts at ${starts}): ${starts - offset} offsets were deleted before they were processed`,
      )
    : new LostPositionError('cut', `${place}: the log lost its end`)
}
