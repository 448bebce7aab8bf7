/** The fetcher against a real broker: what it must hide, what it must not lose, and where it must say that something is gone. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FetchedPartition, Isolation, LogRecord, NewRecord, TopicPartition } from '../port.ts'
import { partitionKey } from '../port.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { makeTopic, textRecord } from './testing/reading.ts'
import { sharedKafka } from './testing/stack-kafka.ts'

const run = randomUUID().slice(0, 8)
let names = 0
const nameOf = (what: string) => `${run}-${what}-${++names}`
let log: KafkaLog

beforeAll(async () => {
  const { brokers } = await sharedKafka()
  log = openKafkaLog({ brokers, clientId: 'fetcher-test', report: (text) => console.log(text) })
  await log.connected()
})
afterAll(() => log?.close())

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const newTopic = async () => ({ topic: await makeTopic(log, nameOf('topic')), partition: 0 })
const endOf = async (tp: TopicPartition, isolation: Isolation = 'read_uncommitted') =>
  (await log.admin.endOffsets([tp], isolation)).get(partitionKey(tp)) ?? -1
const startOf = async (tp: TopicPartition) => (await log.admin.startOffsets([tp])).get(partitionKey(tp)) ?? -1

async function openWriter() {
  const writer = log.writer({ transactionalId: nameOf('writer') })
  await writer.init()
  return writer
}

async function append(tp: TopicPartition, records: readonly NewRecord[]) {
  const writer = await openWriter()
  await writer.append([{ ...tp, records }])
  await writer.close()
}

interface Read {
  readonly records: readonly LogRecord[]
  readonly position: number
}

/** Reads from an offset to the end as it is now, in fetches of so many bytes. */
async function readFrom(tp: TopicPartition, offset: number, maxBytes = 1 << 20): Promise<Read> {
  const end = await endOf(tp)
  const fetcher = log.fetcher()
  const records: LogRecord[] = []
  let position = offset
  for (let fetches = 0; position < end; fetches++) {
    if (fetches > 2000) throw new Error(`position ${position} does not get to ${end}`)
    const [fetched] = await fetcher.fetch([{ ...tp, offset: position, maxBytes }], {
      isolation: 'read_committed',
      maxWaitMs: 500,
    })
    if (fetched?.problem) throw new Error(fetched.problem)
    for (const batch of fetched?.batches ?? []) {
      records.push(...batch.records)
      position = batch.lastOffset + 1
    }
  }
  await fetcher.close()
  return { records, position }
}
const valuesOf = (records: readonly LogRecord[]) => records.map(({ value }) => String(value))

async function fetchAt(tp: TopicPartition, offset: number): Promise<FetchedPartition | undefined> {
  const fetcher = log.fetcher()
  const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 20 }], {
    isolation: 'read_committed',
    maxWaitMs: 0,
  })
  await fetcher.close()
  return fetched
}

it('hides two aborted transactions that overlap, wherever reading starts', async () => {
  const tp = await newTopic()
  const [one, other] = [(await openWriter()).begin(), (await openWriter()).begin()]
  const steps = [one, other, one, other]
  for (const [n, transaction] of steps.entries()) {
    await transaction.append([{ ...tp, records: [textRecord(`aborted ${n}`)] }])
  }
  await one.end('abort')
  await other.append([{ ...tp, records: [textRecord('aborted too')] }])
  await other.end('abort')
  await append(tp, [textRecord('plain')])
  const end = await endOf(tp)
  const whole = (await readFrom(tp, 0)).records
  expect(valuesOf(whole)).toEqual(['plain'])
  // An end is answered before its markers are written: the last of them may stand behind the plain record.
  const plainAt = whole[0]?.offset ?? -1
  for (let offset = 0; offset < end; offset++) {
    const { records, position } = await readFrom(tp, offset)
    expect(valuesOf(records)).toEqual(offset <= plainAt ? ['plain'] : [])
    // The last marker may come after the end was asked for.
    expect(position).toBeGreaterThanOrEqual(end)
  }
})

it('takes a key of four zero bytes for a key: hidden when aborted, shown when committed', async () => {
  const tp = await newTopic()
  const writer = await openWriter()
  const zero = (value: string): NewRecord => ({ ...textRecord(value), key: Buffer.alloc(4) })
  for (const outcome of ['abort', 'commit'] as const) {
    const transaction = writer.begin()
    await transaction.append([{ ...tp, records: [zero(`${outcome} 1`), zero(`${outcome} 2`)] }])
    await transaction.append([{ ...tp, records: [zero(`${outcome} 3`)] }])
    await transaction.end(outcome)
  }
  expect(valuesOf((await readFrom(tp, 0)).records)).toEqual(['commit 1', 'commit 2', 'commit 3'])
})

it('gets past what compaction leaves: batches without records, and a tail of them', async () => {
  const topic = nameOf('compacted')
  const config = {
    cleanup: 'compact',
    retentionMs: -1,
    timestampType: 'create',
    maxRecordBytes: 10_000,
  } as const
  await log.admin.createTopics([{ name: topic, partitions: 1, config }])
  const eager = { 'segment.ms': '200', 'min.cleanable.dirty.ratio': '0.01', 'max.compaction.lag.ms': '200' }
  await log.admin.alterTopics([{ name: topic, changes: new Map(Object.entries(eager)) }])
  const tp = { topic, partition: 0 }
  // The cleaner keeps an empty batch for each of the last writers.
  const writers = 12
  for (let n = 0; n < writers; n++)
    await append(tp, [{ ...textRecord(`v${n}`.repeat(50)), timestamp: Date.now() }])
  const count = async () => (await readFrom(tp, 0)).records.length
  for (let rolled = 0; (await count()) > rolled + 1; rolled++) {
    if (rolled > 100) throw new Error('nothing was compacted')
    await pass(500)
    // Only segments that are rolled are cleaned, and only an append rolls one.
    await append(tp, [{ ...textRecord(`roll ${rolled}`), timestamp: Date.now() }])
  }
  const end = await endOf(tp)
  for (const maxBytes of [100, 1 << 20]) {
    for (let offset = 0; offset <= end; offset++) {
      expect((await readFrom(tp, offset, maxBytes)).position).toBe(end)
    }
  }
  expect((await readFrom(tp, 0)).records.at(-1)?.offset).toBe(end - 1)
})

it('begins inside a batch with the record asked for', async () => {
  const tp = await newTopic()
  const values = Array.from({ length: 10 }, (_, n) => `value ${n}`)
  await append(tp, values.map(textRecord))
  for (let offset = 0; offset < 10; offset++) {
    const { records } = await readFrom(tp, offset)
    expect(records.map((record) => record.offset)).toEqual(values.map((_, n) => n).slice(offset))
    expect(valuesOf(records)).toEqual(values.slice(offset))
  }
  await log.admin.deleteRecords([{ ...tp, offset: 5 }])
  expect(valuesOf((await readFrom(tp, 5)).records)).toEqual(values.slice(5))
})

it('refuses a record of 5 MB that fits no topic, and goes on', async () => {
  const tp = await newTopic()
  const writer = await openWriter()
  const huge = { ...textRecord(''), value: Buffer.alloc(5 * 1024 * 1024, 1) }
  const transaction = writer.begin()
  await transaction.append([{ ...tp, records: [textRecord('before')] }])
  await expect(transaction.append([{ ...tp, records: [huge] }])).rejects.toMatchObject({ kind: 'rejected' })
  await transaction.end('abort')
  const next = writer.begin()
  await next.append([{ ...tp, records: [textRecord('after')] }])
  await next.end('commit')
  expect(valuesOf((await readFrom(tp, 0)).records)).toEqual(['after'])
})

it('reads a record that is larger than the bytes asked for', async () => {
  const topic = nameOf('large')
  const config = {
    cleanup: 'delete',
    retentionMs: -1,
    timestampType: 'create',
    maxRecordBytes: 6_000_000,
  } as const
  await log.admin.createTopics([{ name: topic, partitions: 1, config }])
  const value = Buffer.alloc(5 * 1024 * 1024, 'large')
  await append({ topic, partition: 0 }, [{ ...textRecord(''), value }])
  const { records } = await readFrom({ topic, partition: 0 }, 0, 1000)
  expect(records.map((record) => value.equals(record.value ?? Buffer.alloc(0)))).toEqual([true])
})

it('says that a position is gone when retention has passed it, and never moves it', async () => {
  const tp = await newTopic()
  const settings = { 'retention.ms': '1', 'segment.ms': '100' }
  await log.admin.alterTopics([{ name: tp.topic, changes: new Map(Object.entries(settings)) }])
  while ((await startOf(tp)) === 0) {
    await append(tp, [textRecord('old')])
    await pass(300)
  }
  const start = await startOf(tp)
  for (let n = 0; n < 2; n++) {
    const fetched = await fetchAt(tp, 0)
    expect(fetched).toMatchObject({ problem: 'offset_out_of_range', batches: [] })
    expect(fetched?.logStartOffset).toBeGreaterThanOrEqual(start)
  }
})

for (const compression of ['gzip', 'snappy', 'lz4', 'zstd']) {
  it(`reads what the broker compressed with ${compression}`, async () => {
    const tp = await newTopic()
    const changes = new Map([['compression.type', compression]])
    await log.admin.alterTopics([{ name: tp.topic, changes }])
    const values = Array.from({ length: 500 }, (_, n) => `value ${n} `.repeat(10))
    await append(tp, values.map(textRecord))
    expect(valuesOf((await readFrom(tp, 0)).records)).toEqual(values)
  })
}

it('wakes for what is appended while it waits', async () => {
  const tp = await newTopic()
  const fetcher = log.fetcher()
  for (let offset = 0; offset < 20; offset++) {
    const waiting = fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 20 }], {
      isolation: 'read_committed',
      maxWaitMs: 60_000,
    })
    await append(tp, [textRecord(`value ${offset}`)])
    const [fetched] = await waiting
    expect(valuesOf(fetched?.batches.flatMap((batch) => batch.records) ?? [])).toEqual([`value ${offset}`])
  }
  await fetcher.close()
})
