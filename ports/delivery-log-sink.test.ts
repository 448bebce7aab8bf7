import { describe, expect, it } from 'vitest'
import type { BulkWrite } from '../engine/index.ts'
import { everything, type LogBatch } from './delivery-log.ts'
import { logSinks, logWrites } from './delivery-log-sink.ts'
import { createMemoryDeliveryLog } from './memory-delivery-log.ts'
import { attempted, history, idOf, testStartMs, verdict } from './testing/log-records.ts'

const signal = new AbortController().signal

/** As the engine hands records over: decoded, with their places. */
const at = (partition: number, offset: number, value: unknown) => ({
  key: '',
  value,
  timestamp: 0,
  headers: [],
  topic: '',
  partition,
  offset,
})

async function write(writes: Record<string, BulkWrite>, sink: string, records: ReturnType<typeof at>[]) {
  await writes[sink]?.(records, { signal })
}

describe("LOG's writes", () => {
  it('bring each source into the log, with how far each partition was written', async () => {
    const log = createMemoryDeliveryLog()
    const writes = logWrites(log)
    await write(writes, logSinks.verdicts, [at(1, 4, verdict())])
    await write(writes, logSinks.history, [
      at(0, 8, history({ payload: '{}', at: testStartMs + 1 })),
      at(2, 3, attempted({ endpoint_id: 'ep-2', at: testStartMs + 3 })),
      at(0, 9, attempted({ at: testStartMs + 2 })),
    ])
    const report = { endpoint_id: 'ep-1', partner_id: 'partner-1', at: testStartMs + 4, state: 'healthy' }
    await write(writes, logSinks.health, [at(0, 1, report), at(0, 2, null)])

    expect(await log.counts(everything)).toMatchObject({ events: 1, attempts: 2, verdicts: 1, endpoints: 1 })
    expect(await log.positions()).toEqual([
      { source: 'health', partition: 0, offset: 2, at: 0 },
      { source: 'history', partition: 0, offset: 9, at: testStartMs + 2 },
      { source: 'history', partition: 2, offset: 3, at: testStartMs + 3 },
      { source: 'verdicts', partition: 1, offset: 4, at: testStartMs + 100 },
    ])
    const [kept] = await log.listHealth(everything)
    expect(kept).toMatchObject({ endpoint_id: 'ep-1', reported_at: testStartMs + 4 })
    expect(JSON.parse(kept?.health ?? '')).toEqual(report)
  })

  it('are one for each sink of the topology', () => {
    expect(Object.keys(logWrites(createMemoryDeliveryLog())).sort()).toEqual(Object.values(logSinks).sort())
  })

  it('fail when the log fails, so that the engine repeats them', async () => {
    const taken: LogBatch[] = []
    let fails = true
    const writes = logWrites({
      async write(batch) {
        if (fails) throw new Error('gone')
        taken.push(batch)
      },
    })
    await expect(write(writes, logSinks.history, [at(0, 1, history())])).rejects.toThrow('gone')
    fails = false
    await write(writes, logSinks.history, [at(0, 1, history())])
    expect(taken.map((batch) => batch.history[0]?.event_id)).toEqual([idOf('event-1')])
  })
})
