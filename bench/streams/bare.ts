/** `bare`: fetch and append the same bytes to the same partition, a transaction per commit, and no engine. */

import type { AppendBatch, RecordLog } from '../../engine/index.ts'
import { systemClock } from '../../engine/index.ts'
import { partitions } from './input.ts'

export async function runBare(options: {
  log: RecordLog
  group: string
  input: string
  output: string
  /** End of the input, by partition. */
  ends: readonly number[]
  commitMs: number
}): Promise<void> {
  const { log, group, ends } = options
  const fetcher = log.fetcher()
  const writer = log.writer({ transactionalId: group })
  await writer.init()
  const member = { groupId: group, generation: -1, memberId: '', instanceId: group }
  const positions = ends.map(() => 0)
  const isBehind = (partition: number) => (positions[partition] ?? 0) < (ends[partition] ?? 0)
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  while (all.some(isBehind)) {
    const transaction = writer.begin()
    const until = systemClock.now() + options.commitMs
    while (systemClock.now() < until && all.some(isBehind)) {
      const requests = all.filter(isBehind).map((partition) => ({
        topic: options.input,
        partition,
        offset: positions[partition] ?? 0,
        maxBytes: 1 << 20,
      }))
      const fetched = await fetcher.fetch(requests, { isolation: 'read_committed', maxWaitMs: 100 })
      const batches: AppendBatch[] = []
      for (const { partition, batches: found } of fetched) {
        const from = positions[partition] ?? 0
        const records = found.flatMap((batch) => batch.records).filter(({ offset }) => offset >= from)
        positions[partition] = found.reduce((at, { lastOffset }) => Math.max(at, lastOffset + 1), from)
        if (records.length > 0) batches.push({ topic: options.output, partition, records })
      }
      if (batches.length > 0) await transaction.append(batches)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    const offsets = all.map((partition) => ({
      topic: options.input,
      partition,
      offset: positions[partition] ?? 0,
      metadata: '',
    }))
    await transaction.commitOffsets(offsets, member)
    await transaction.end('commit')
  }
  await fetcher.close()
  await writer.close()
}
