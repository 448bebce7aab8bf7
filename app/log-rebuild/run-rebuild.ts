/** Rebuilds the delivery log of a stopped Waybill from its topics, and says what was there before and after. */
import type { RecordLog } from '../../engine/index.ts'
import { type DeliveryLog, everything, type LogCounts } from '../../ports/delivery-log.ts'
import { type RebuildProgress, rebuildLog } from '../../ports/delivery-log-rebuild.ts'
import type { LogSources } from '../../topology/log.ts'
import { logTopicsOf } from '../serve/open-store.ts'

export interface RebuildReport {
  readonly complete: boolean
  readonly records: number
  readonly undecodable: number
  readonly elapsed_ms: number
  readonly records_per_second: number
  readonly before: LogCounts
  readonly after: LogCounts
}

export interface RunRebuildOptions {
  readonly log: RecordLog
  readonly topics: LogSources
  readonly store: DeliveryLog
  readonly now: () => number
  readonly onProgress: (progress: RebuildProgress) => void
  readonly signal: AbortSignal
}

/** Breaking it off leaves a part, which the next start or rebuild completes. */
export async function runRebuild(options: RunRebuildOptions): Promise<RebuildReport> {
  const { log, topics, store, now, onProgress, signal } = options
  const before = await store.counts(everything)
  const startedAt = now()
  const { complete, records, undecodable } = await rebuildLog({
    log,
    topics: logTopicsOf(topics),
    store,
    onProgress,
    signal,
  })
  const elapsedMs = now() - startedAt
  return {
    complete,
    records,
    undecodable,
    elapsed_ms: elapsedMs,
    records_per_second: rate(records, elapsedMs),
    before,
    after: await store.counts(everything),
  }
}

/** Whole records a second; 0 where no time has passed. */
export const rate = (records: number, elapsedMs: number): number =>
  elapsedMs > 0 ? Math.round((records * 1000) / elapsedMs) : 0
