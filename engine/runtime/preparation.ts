/**
 * Lets serdes fetch what they need (a schema) before records are decoded. Where that cannot be had now, the partition
 * waits and is fetched again later, from the same position; the other partitions go on.
 */
import type { Clock } from '../clock.ts'
import type { Topic } from '../graph/topic.ts'
import type { FetchedPartition, TopicPartition } from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'

/** A partition that is read, whoever reads it; told apart by identity. */
export interface ReadPartition {
  readonly tp: TopicPartition
  readonly source: { readonly topic: Pick<Topic<unknown, unknown>, 'key' | 'value'> }
}

export interface Preparation {
  /** True when these records can be decoded; false: they are not to be taken, and are asked for again after a pause. */
  prepared(partition: ReadPartition, fetched: FetchedPartition): Promise<boolean>
  /** Whether the partition waits out a pause. */
  waits(partition: ReadPartition): boolean
  /** When the earliest pause ends; in the past when there is none. */
  nextAt(): number
  /** The partitions are others from now on. */
  forget(): void
}

/** Pauses double from the first to the longest. */
const firstPauseMs = 250
const longestPauseMs = 5_000

export function makePreparation({ clock, report }: { clock: Clock; report: Report }): Preparation {
  const pauses = new Map<ReadPartition, { failures: number; until: number }>()

  function failed(of: ReadPartition, error: unknown): void {
    const failures = (pauses.get(of)?.failures ?? 0) + 1
    const pauseMs = Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs)
    pauses.set(of, { failures, until: clock.now() + pauseMs })
    if (failures > 1) return
    const { topic, partition } = of.tp
    report(`${topic}:${partition} waits: what its records need to be read cannot be had now`, error)
  }

  return {
    async prepared(of, fetched) {
      try {
        await prepare(of, fetched)
        pauses.delete(of)
        return true
      } catch (error) {
        failed(of, error)
        return false
      }
    },
    waits(of) {
      const pause = pauses.get(of)
      // No pause is longer than the longest, even when the clock was set back during it.
      return pause !== undefined && pause.until > clock.now() && pause.until - clock.now() <= longestPauseMs
    },
    nextAt() {
      let earliest = Number.POSITIVE_INFINITY
      for (const { until } of pauses.values()) earliest = Math.min(earliest, until)
      return pauses.size === 0 ? Number.NEGATIVE_INFINITY : earliest
    },
    forget: () => pauses.clear(),
  }
}

async function prepare(of: ReadPartition, fetched: FetchedPartition): Promise<void> {
  const { key, value } = of.source.topic
  if (!key.prepare && !value.prepare) return
  for (const batch of fetched.batches) {
    for (const record of batch.records) {
      const pendingKey = key.prepare?.(record.key)
      if (pendingKey) await pendingKey
      const pendingValue = value.prepare?.(record.value)
      if (pendingValue) await pendingValue
    }
  }
}
