import { describe, expect, it } from 'vitest'
import type { AppendBatch } from '../../engine/index.ts'
import { createIngest } from './append.ts'
import type { CapturedRecord } from './captured-record.ts'

const text = (bytes: Uint8Array | null | undefined) => bytes && Buffer.from(bytes).toString()

function fixture(fail?: Error) {
  const appended: AppendBatch[] = []
  const ingest = createIngest({
    writer: {
      append: async (batches) => {
        if (fail) throw fail
        appended.push(...batches)
        return []
      },
    },
    target: (topic) => (topic.includes('orders') ? { topic: 'a.orders', partitions: 4 } : undefined),
    sourceTopicHeader: 'source-topic',
    keyOf: (topic) => (topic.endsWith('.truncated') ? null : `key of ${topic}`),
    partitionFor: (key, partitions) => (key[0] ?? 0) % partitions,
    sealChange: (topic, value) => `${topic} sealed ${typeof value === 'string' ? value : 'bytes'}`,
  })
  return { ingest, appended }
}

const record = (over: Partial<CapturedRecord> = {}): CapturedRecord => ({
  topic: 'a.orders',
  partition: 2,
  timestamp: 7,
  key: 'k',
  value: 'v',
  headers: {},
  ...over,
})

describe('appending captured records', () => {
  it('seals every value and leaves keys, headers, timestamps and tombstones alone', async () => {
    const { ingest, appended } = fixture()
    await ingest.append([
      record({ headers: { runId: 'r', none: null } }),
      record({ value: null }),
      record({ value: Buffer.from([1]) }),
    ])
    const [first, second, third] = appended[0]?.records ?? []
    expect(text(first?.value)).toBe('a.orders sealed v')
    expect(first?.timestamp).toBe(7)
    expect(first?.headers.map(({ key, value }) => [key, text(value)])).toEqual([
      ['runId', 'r'],
      ['none', null],
    ])
    expect(second?.value).toBeNull()
    expect(text(third?.value)).toBe('a.orders sealed bytes')
  })

  it('keeps together, in order, what shared a partition', async () => {
    const { ingest, appended } = fixture()
    await ingest.append([2, 6, 3, 2].map((partition, index) => record({ partition, key: `k${index}` })))
    expect(appended.map((batch) => [batch.partition, batch.records.map(({ key }) => text(key))])).toEqual([
      [2, ['k0', 'k1', 'k3']],
      [3, ['k2']],
    ])
  })

  it('places a record that names no partition by its key, and one without a key somewhere', async () => {
    const { ingest, appended } = fixture()
    await ingest.append([
      record({ partition: null, key: 'a' }),
      record({ topic: 'orders.truncated', partition: null, key: null }),
    ])
    expect(appended.map((batch) => batch.partition)).toEqual(['a'.charCodeAt(0) % 4, 0])
  })

  it('gives a change that came without a key the one that orders it', async () => {
    const { ingest, appended } = fixture()
    await ingest.append([
      record({ partition: null, key: null }),
      record({ partition: 3, key: null }),
      record({ topic: 'orders.truncated', partition: null, key: null }),
      record({ partition: null, key: null, value: null }),
    ])
    const placed = appended.flatMap(({ partition, records }) =>
      records.map(({ key }) => [partition, text(key)]),
    )
    expect(placed).toEqual([
      ['k'.charCodeAt(0) % 4, 'key of a.orders'],
      [3, null],
      [0, null],
      [0, null],
    ])
  })

  it('says in a header from which topic a record was captured, where that is not where it goes', async () => {
    const { ingest, appended } = fixture()
    await ingest.append([record(), record({ topic: 'b.orders' })])
    const headers = appended.flatMap(({ records }) => records.map((placed) => placed.headers))
    expect(headers.map((list) => list.map(({ key, value }) => [key, text(value)]))).toEqual([
      [],
      [['source-topic', 'b.orders']],
    ])
  })

  it('prepares without appending, and counts only what was appended', async () => {
    const { ingest, appended } = fixture()
    const prepared = ingest.prepare([record(), record({ topic: 'other' })])
    expect(prepared.batches).toMatchObject([{ topic: 'a.orders', partition: 2 }])
    expect(appended).toEqual([])
    expect(ingest.counts()).toEqual({ appended: 0, ignored: 0 })
    prepared.appended()
    expect(ingest.counts()).toEqual({ appended: 1, ignored: 1 })
  })

  it('counts what no mapping names instead of appending it', async () => {
    const { ingest, appended } = fixture()
    await ingest.append([record({ topic: '__debezium-heartbeat.oms' }), record()])
    await ingest.append([record({ topic: 'oms.transaction' })])
    expect(appended).toHaveLength(1)
    expect(ingest.counts()).toEqual({ appended: 1, ignored: 2 })
  })

  it('counts nothing as appended when the log refuses', async () => {
    const { ingest } = fixture(new Error('disk full'))
    await expect(ingest.append([record()])).rejects.toThrow('disk full')
    expect(ingest.counts().appended).toBe(0)
  })
})
