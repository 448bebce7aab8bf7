/**
 * Tables that every instance holds whole, in memory. They are loaded to their end before anything runs, and then
 * follow their topics between the steps of the loop; they do not take part in time alignment or commits. What cannot
 * be read yet, because its schema cannot be had, is waited for: an entry of before would be a guess.
 */
import type { Clock } from '../clock.ts'
import type { GlobalTableSpec } from '../graph/node.ts'
import type { GlobalTable } from '../graph/processor.ts'
import { type FetchedPartition, type FetchRequest, partitionKey, type RecordLog } from '../record-log/port.ts'
import { keptBytes } from '../stores/kept-bytes.ts'
import type { Report } from './bulk-sink.ts'
import type { Counters } from './counters.ts'
import { pause } from './pause.ts'
import { makePreparation, type ReadPartition } from './preparation.ts'
import { repeated } from './transaction.ts'

export interface GlobalTables {
  table(name: string): GlobalTable<unknown>
  /** What the loop fetches for them; empty until they are loaded, and without what waits out a pause. */
  requests(): Iterable<FetchRequest>
  /** Takes what the loop fetched; other partitions are ignored. Returns whether anything changed. */
  apply(fetched: readonly FetchedPartition[]): Promise<boolean>
  /**
   * Reads everything up to the ends seen at the call; the partition counts must be known. Rejects with the signal's
   * reason.
   */
  load(signal: AbortSignal): Promise<void>
  /** When the earliest partition that waits is asked again; in the past when none waits. */
  nextAt(): number
}

interface Loaded {
  readonly spec: GlobalTableSpec
  readonly entries: Map<string, unknown>
}

const fetchBytes = 4 * 1024 * 1024

interface Followed extends ReadPartition {
  /** Used again with a newer offset. */
  readonly request: FetchRequest & { offset: number }
}

export function globalTables(options: {
  specs: readonly GlobalTableSpec[]
  log: RecordLog
  partitionsOf: (topic: string) => number
  counters: Counters
  report: Report
  /** Real time. */
  clock: Clock
}): GlobalTables {
  const { log, counters, clock } = options
  const preparation = makePreparation(options)
  const byTopic = new Map<string, Loaded>()
  const byName = new Map<string, Loaded>()
  /** Topic → what is followed of each partition. */
  const positions = new Map<string, Followed[]>()
  let all: Followed[] = []
  let requests: FetchRequest[] = []
  for (const spec of options.specs) {
    const loaded = { spec, entries: new Map<string, unknown>() }
    byTopic.set(spec.topic.name, loaded)
    byName.set(spec.name, loaded)
  }

  function startPositions() {
    for (const [topic, { spec }] of byTopic) {
      const count = options.partitionsOf(topic)
      const made = Array.from({ length: count }, (_, partition) => ({
        tp: { topic, partition },
        source: spec,
        request: { topic, partition, offset: 0, maxBytes: fetchBytes },
      }))
      positions.set(topic, made)
    }
    all = [...positions.values()].flat()
    requests = all.map(({ request }) => request)
  }

  async function applyPartition(loaded: Loaded, fetched: FetchedPartition): Promise<boolean> {
    const followed = positions.get(fetched.topic)?.[fetched.partition]
    if (!followed) return false
    const { request } = followed
    if (fetched.problem === 'offset_out_of_range') {
      request.offset = Math.max(fetched.logStartOffset, 0)
      return false
    }
    if (fetched.batches.length === 0 || !(await preparation.prepared(followed, fetched))) return false
    let changed = false
    for (const batch of fetched.batches) {
      for (const record of batch.records) {
        if (record.offset < request.offset) continue
        changed = true
        applyRecord(loaded, record.key, record.value)
      }
      request.offset = Math.max(request.offset, batch.lastOffset + 1)
    }
    return changed
  }

  function applyRecord({ spec, entries }: Loaded, key: Uint8Array | null, value: Uint8Array | null) {
    try {
      const name = spec.topic.key.deserialize(key)
      if (typeof name !== 'string') throw new Error('the key of a global table must be text')
      const entry = value === null ? undefined : spec.topic.value.deserialize(value)
      // Deleted first, so that entries stay in order of arrival.
      entries.delete(name)
      if (value !== null) entries.set(name, keptBytes(entry))
    } catch (error) {
      counters.add('global_table.undecodable', { table: spec.name })
      options.report(`global table ${spec.name}: an entry cannot be read; the one before it stays`, error)
    }
  }

  async function applyAll(fetched: readonly FetchedPartition[]): Promise<boolean> {
    let changed = false
    for (const partition of fetched) {
      const loaded = byTopic.get(partition.topic)
      if (loaded && (await applyPartition(loaded, partition))) changed = true
    }
    return changed
  }

  return {
    table(name) {
      const loaded = byName.get(name)
      if (!loaded) throw new Error(`there is no global table ${name}`)
      return { get: (key) => loaded.entries.get(key), entries: () => loaded.entries.entries() }
    },
    // No pause has been set: nothing waits, and nothing need be picked out.
    requests: () => (preparation.nextAt() === Number.NEGATIVE_INFINITY ? requests : ready(all)),
    nextAt: preparation.nextAt,
    async apply(fetched) {
      return byTopic.size > 0 && applyAll(fetched)
    },
    async load(signal) {
      startPositions()
      const ends = await repeated(() => log.admin.endOffsets(requests, 'read_committed'))
      const behind = () =>
        all.filter(({ request }) => request.offset < (ends.get(partitionKey(request)) ?? 0))
      const fetcher = log.fetcher()
      try {
        for (let left = behind(); left.length > 0; left = behind()) {
          signal.throwIfAborted()
          const wanted = ready(left)
          if (wanted.length === 0) await pause(clock, preparation.nextAt() - clock.now(), signal)
          else
            await applyAll(
              await repeated(() =>
                fetcher.fetch(wanted, { isolation: 'read_committed', maxWaitMs: 1000, signal }),
              ),
            )
        }
      } finally {
        await fetcher.close()
      }
    },
  }

  function ready(of: readonly Followed[]): FetchRequest[] {
    return of.filter((followed) => !preparation.waits(followed)).map(({ request }) => request)
  }
}
