/**
 * Tables that every instance holds whole, in memory. They are loaded to their end before anything runs, and then
 * follow their topics between the steps of the loop; they do not take part in time alignment or commits.
 */

import type { GlobalTableSpec } from '../graph/node.ts'
import type { GlobalTable } from '../graph/processor.ts'
import { type FetchedPartition, type FetchRequest, partitionKey, type RecordLog } from '../record-log/port.ts'
import { keptBytes } from '../stores/kept-bytes.ts'
import type { Report } from './bulk-sink.ts'
import type { Counters } from './counters.ts'
import { repeated } from './transaction.ts'

export interface GlobalTables {
  table(name: string): GlobalTable<unknown>
  /** What the loop fetches for them; empty until they are loaded. */
  requests(): Iterable<FetchRequest>
  /** Takes what the loop fetched; other partitions are ignored. Returns whether anything changed. */
  apply(fetched: readonly FetchedPartition[]): Promise<boolean>
  /** Reads everything up to the ends seen at the call; the partition counts must be known. */
  load(): Promise<void>
}

interface Loaded {
  readonly spec: GlobalTableSpec
  readonly entries: Map<string, unknown>
}

const fetchBytes = 4 * 1024 * 1024

interface Position extends FetchRequest {
  offset: number
}

export function globalTables(options: {
  specs: readonly GlobalTableSpec[]
  log: RecordLog
  partitionsOf: (topic: string) => number
  counters: Counters
  report: Report
}): GlobalTables {
  const { log, counters } = options
  const byTopic = new Map<string, Loaded>()
  const byName = new Map<string, Loaded>()
  /** Topic → position in each partition. */
  const positions = new Map<string, Position[]>()
  let all: Position[] = []
  for (const spec of options.specs) {
    const loaded = { spec, entries: new Map<string, unknown>() }
    byTopic.set(spec.topic.name, loaded)
    byName.set(spec.name, loaded)
  }

  function startPositions() {
    for (const topic of byTopic.keys()) {
      const count = options.partitionsOf(topic)
      const made = Array.from({ length: count }, (_, partition) => ({
        topic,
        partition,
        offset: 0,
        maxBytes: fetchBytes,
      }))
      positions.set(topic, made)
    }
    all = [...positions.values()].flat()
  }

  async function applyPartition(loaded: Loaded, fetched: FetchedPartition): Promise<boolean> {
    const position = positions.get(fetched.topic)?.[fetched.partition]
    if (!position) return false
    if (fetched.problem === 'offset_out_of_range') {
      position.offset = Math.max(fetched.logStartOffset, 0)
      return false
    }
    let changed = false
    for (const batch of fetched.batches) {
      for (const record of batch.records) {
        if (record.offset < position.offset) continue
        changed = true
        await applyRecord(loaded, record.key, record.value)
      }
      position.offset = Math.max(position.offset, batch.lastOffset + 1)
    }
    return changed
  }

  async function applyRecord({ spec, entries }: Loaded, key: Uint8Array | null, value: Uint8Array | null) {
    const pending = spec.topic.value.prepare?.(value)
    if (pending) await pending
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

  return {
    table(name) {
      const loaded = byName.get(name)
      if (!loaded) throw new Error(`there is no global table ${name}`)
      return { get: (key) => loaded.entries.get(key), entries: () => loaded.entries.entries() }
    },
    requests: () => all,
    async apply(fetched) {
      let changed = false
      if (byTopic.size === 0) return changed
      for (const partition of fetched) {
        const loaded = byTopic.get(partition.topic)
        if (loaded && (await applyPartition(loaded, partition))) changed = true
      }
      return changed
    },
    async load() {
      startPositions()
      const ends = await repeated(() => log.admin.endOffsets(all, 'read_committed'))
      const behind = () => all.filter((tp) => tp.offset < (ends.get(partitionKey(tp)) ?? 0))
      const fetcher = log.fetcher()
      try {
        for (let left = behind(); left.length > 0; left = behind()) {
          const fetched = await repeated(() =>
            fetcher.fetch(left, { isolation: 'read_committed', maxWaitMs: 1000 }),
          )
          for (const partition of fetched) {
            const loaded = byTopic.get(partition.topic)
            if (loaded) await applyPartition(loaded, partition)
          }
        }
      } finally {
        await fetcher.close()
      }
    },
  }
}
