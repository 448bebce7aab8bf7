/** Keeps the latest value of each key of a compacted topic in memory: read once from its start, followed from then on. */
import type { RecordLog, Topic } from '../../engine/index.ts'
import { followTopic, type Patience } from './read-topic.ts'

export interface FollowTableOptions<V> {
  readonly log: RecordLog
  /** A null value takes its key out. */
  readonly topic: Topic<string, V | null> | Topic<string, V>
  readonly signal: AbortSignal
  /** Called after each change; may take out more. */
  readonly onChange?: (values: Map<string, V>) => void
  readonly patience: Patience
}

export interface FollowedTable<V> {
  /** The values by key, as they are when asked. Waits until all that was there at the start has been read. */
  values(): Promise<ReadonlyMap<string, V>>
  /** Ends when the signal aborts; rejects when the topic cannot be read. */
  readonly following: Promise<void>
}

/** Begins to follow. */
export function followTable<V>({
  log,
  topic,
  signal,
  onChange,
  patience,
}: FollowTableOptions<V>): FollowedTable<V> {
  const values = new Map<string, V>()
  let following: Promise<void> = Promise.resolve()
  const caughtUp = new Promise<void>((resolve) => {
    following = followTopic<string, V | null>({
      ...{ log, topic: topic as Topic<string, V | null>, from: 'start', signal, patience },
      onRecord({ key, value }) {
        if (value === null) values.delete(key)
        else values.set(key, value)
        onChange?.(values)
      },
      onCaughtUp: resolve,
    })
  })
  return {
    following,
    async values() {
      // Whoever asks while it stops, or when it broke, must not wait for ever.
      await Promise.race([caughtUp, following])
      return values
    },
  }
}
