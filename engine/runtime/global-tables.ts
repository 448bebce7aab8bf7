/**
 * Tables that every instance holds whole, in memory. They are loaded to their end before anything runs, and then
 * follow their topics between the steps of the loop; they do not take part in time alignment or commits.
 */

import type { GlobalTableSpec } from '../graph/node.ts'
import type { GlobalTable } from '../graph/processor.ts'
import {
  type FetchedPartition,
  partitionKey,
  type RecordLog,
  type TopicPartition,
} from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'
import type { Counters } from './counters.ts'

export interface GlobalTables {
  table(name: string): GlobalTable<unknown>
  /** What the loop fetches for them. */
  requests(): (TopicPartition & { offset: number })[]
  /** Takes what the loop fetched; other partitions are ignored. Returns whether anything changed. */
  apply(fetched: readonly FetchedPartition[]): Promise<boolean>
  owns(topic: string): boolean
  /** Reads everything up to the ends seen at the call. */
  load(): Promise<void>
}

interface Loaded {
  readonly spec: GlobalTableSpec
  readonly entries: Map<string, unknown>
}

const loadBytes = 4 * 1024 * 1024

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
  const positions = new Map<string, TopicPartition & { offset: number }>()
  for (const spec of options.specs) {
    const loaded = { spec, entries: new Map<string, unknown>() }
    byTopic.set(spec.topic.name, loaded)
    byName.set(spec.name, loaded)
    for (let partition = 0; partition < options.partitionsOf(spec.topic.name); partition++) {
      const tp = { topic: spec.topic.name, partition }
      positions.set(partitionKey(tp), { ...tp, offset: 0 })
    }
  }

  async function applyPartition(fetched: FetchedPartition): Promise<boolean> {
    const loaded = byTopic.get(fetched.topic)
    const position = positions.get(partitionKey(fetched))
    if (!loaded || !position) return false
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
    try {
      await spec.topic.value.prepare?.(value)
      const name = spec.topic.key.deserialize(key)
      if (typeof name !== 'string') throw new Error('the key of a global table must be text')
      // Deleted first, so that entries stay in order of arrival.
      entries.delete(name)
      if (value !== null) entries.set(name, spec.topic.value.deserialize(value))
    } catch (error) {
      counters.add('global_table.undecodable', { table: spec.name })
      options.report(`global table ${spec.name}: an entry cannot be read and is left out`, error)
    }
  }

  return {
    table(name) {
      const loaded = byName.get(name)
      if (!loaded) throw new Error(`there is no global table ${name}`)
      return { get: (key) => loaded.entries.get(key), entries: () => loaded.entries.entries() }
    },
    owns: (topic) => byTopic.has(topic),
    requests: () => [...positions.values()],
    async apply(fetched) {
      let changed = false
      for (const partition of fetched) {
        if (await applyPartition(partition)) changed = true
      }
      return changed
    },
    async load() {
      const partitions = [...positions.values()]
      const ends = await log.admin.endOffsets(partitions, 'read_committed')
      const behind = () => partitions.filter((tp) => tp.offset < (ends.get(partitionKey(tp)) ?? 0))
      const fetcher = log.fetcher()
      try {
        for (let left = behind(); left.length > 0; left = behind()) {
          const requests = left.map((tp) => ({ ...tp, maxBytes: loadBytes }))
          const fetched = await fetcher.fetch(requests, { isolation: 'read_committed', maxWaitMs: 1000 })
          for (const partition of fetched) await applyPartition(partition)
        }
      } finally {
        await fetcher.close()
      }
    },
  }
}
