import { beforeEach, describe, expect, it } from 'vitest'
import {
  createMemoryLog,
  defineTopic,
  type MemoryLog,
  manualClock,
  type Serde,
  type Topic,
  UndecodableError,
  utf8,
  type Writer,
} from '../engine/index.ts'
import type { DeliveryHistory, RoutingVerdict } from '../schemas/index.ts'
import { type DeliveryLog, everything, type LogCounts, type LogSource } from './delivery-log.ts'
import { backlogOf } from './delivery-log-freshness.ts'
import { catchUpLog, type RebuildProgress, rebuildLog } from './delivery-log-rebuild.ts'
import { type HealthReport, healthBatch, historyBatch, verdictBatch } from './delivery-log-sink.ts'
import { createMemoryDeliveryLog } from './memory-delivery-log.ts'
import { attempted, history, testStartMs, verdict } from './testing/log-records.ts'

function json<V>(): Serde<V> {
  return {
    serialize: (value) => Buffer.from(JSON.stringify(value)),
    deserialize(bytes) {
      try {
        return JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as V
      } catch (cause) {
        throw new UndecodableError('not_json', 'not JSON', { cause })
      }
    },
  }
}

const topics = {
  history: defineTopic({ name: 'history', key: utf8, value: json<DeliveryHistory>(), partitions: 3 }),
  verdicts: defineTopic({ name: 'verdicts', key: utf8, value: json<RoutingVerdict>(), partitions: 3 }),
  health: defineTopic({ name: 'health', key: utf8, value: json<HealthReport | null>(), partitions: 3 }),
}
const groupId = 'waybill'

let log: MemoryLog
let writer: Writer
let store: DeliveryLog

beforeEach(async () => {
  log = createMemoryLog({ clock: manualClock(testStartMs) })
  store = createMemoryDeliveryLog()
  writer = log.writer({ transactionalId: 'test' })
  await writer.init()
  const made = Object.values(topics).map(({ name, config }) => ({ name, config, partitions: 3 }))
  await log.admin.createTopics(made)
})

async function append<V>(topic: Topic<string, V>, partition: number, values: readonly V[]): Promise<void> {
  const records = values.map((value) => ({
    key: Buffer.from('key'),
    value: topic.value.serialize(value),
    headers: [],
    timestamp: testStartMs,
  }))
  await writer.append([{ topic: topic.name, partition, records }])
}

/** A life of `n` events, in all topics. */
async function appendLife(n: number): Promise<void> {
  for (let event = 0; event < n; event++) {
    const of = `event-${event}`
    const partition = event % 3
    await append(topics.verdicts, partition, [verdict({ of })])
    await append(topics.history, partition, [history({ of, payload: '{}' }), attempted({ of })])
  }
  await append(topics.health, 0, [{ endpoint_id: 'ep-1', partner_id: 'partner-1', at: testStartMs }, null])
}

/** As LOG would have: written up to an offset in each partition, and committed what it wrote. */
async function asLogDid(upTo: number, committed = upTo): Promise<void> {
  const batchOf = { history: historyBatch, verdicts: verdictBatch, health: healthBatch }
  const fetcher = log.fetcher()
  for (const source of ['history', 'verdicts', 'health'] as const) {
    const topic = topics[source]
    for (let partition = 0; partition < 3; partition++) {
      const [fetched] = await fetcher.fetch(
        [{ topic: topic.name, partition, offset: 0, maxBytes: 1 << 20 }],
        {
          isolation: 'read_committed',
          maxWaitMs: 0,
        },
      )
      const records = (fetched?.batches ?? [])
        .flatMap((batch) => batch.records)
        .filter((record) => record.offset < upTo)
        .map((record) => ({ ...record, partition, value: topic.value.deserialize(record.value) }))
      if (records.length > 0) await store.write(batchOf[source](records as never))
    }
  }
  await fetcher.close()
  await commit(committed)
}

async function commit(offset: number): Promise<void> {
  const member = await log.group.join({
    groupId,
    instanceId: 'test',
    topics: Object.values(topics).map(({ name }) => name),
    userData: () => new Uint8Array(),
    assign: (members, partitions) => {
      const all = [...partitions].flatMap(([topic, count]) =>
        Array.from({ length: count }, (_, partition) => ({ topic, partition })),
      )
      return new Map(
        members.map(({ instanceId }) => [instanceId, { partitions: all, userData: new Uint8Array() }]),
      )
    },
    listener: {
      onRevoked: async () => undefined,
      onAssigned: async () => undefined,
      onLost: async () => undefined,
    },
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
  })
  const places = Object.values(topics).flatMap(({ name }) =>
    [0, 1, 2].map((partition) => ({ topic: name, partition })),
  )
  const ends = await log.admin.endOffsets(places, 'read_committed')
  const transaction = writer.begin()
  await transaction.commitOffsets(
    places.map((tp) => ({
      ...tp,
      offset: Math.min(offset, ends.get(`${tp.topic}:${tp.partition}`) ?? 0),
      metadata: '',
    })),
    member.metadata(),
  )
  await transaction.end('commit')
  await member.leave()
}

const expected = (events: number): LogCounts => ({
  events,
  attempts: events,
  verdicts: events,
  endpoints: 1,
  deliveries: { waiting: 0, delivered: events, dead: 0, skipped: 0 },
})

describe('rebuilding the delivery log', () => {
  it('gives what was there, and throws away what no topic holds', async () => {
    await appendLife(30)
    await asLogDid(Number.POSITIVE_INFINITY)
    const before = await store.counts(everything)
    expect(before).toEqual(expected(30))
    await store.write(
      historyBatch([{ value: attempted({ of: 'a stray' }), partition: 0, offset: 0, timestamp: 0 }]),
    )
    const progress: RebuildProgress[] = []
    const summary = await rebuildLog({ log, topics, store, onProgress: (each) => progress.push(each) })
    expect(summary).toEqual({ records: 30 * 3 + 2, undecodable: 0, complete: true })
    expect(await store.counts(everything)).toEqual(before)
    expect(progress.at(-1)).toMatchObject({ done: progress[0]?.total, records: summary.records })
    expect(progress.map(({ done }) => done)).toEqual(
      progress.map(({ done }) => done).toSorted((a, b) => a - b),
    )
  })

  it('can be repeated, and broken off and begun again', async () => {
    await appendLife(10)
    const stopping = new AbortController()
    const onProgress = () => stopping.abort()
    const broken = await rebuildLog({ log, topics, store, onProgress, signal: stopping.signal })
    expect(broken.complete).toBe(false)
    for (let n = 0; n < 2; n++) await rebuildLog({ log, topics, store })
    expect(await store.counts(everything)).toEqual(expected(10))
  })

  it('passes over what cannot be read, and says how much that was', async () => {
    await appendLife(2)
    const broken = { key: null, value: Buffer.from('{'), headers: [], timestamp: 0 }
    await writer.append([{ topic: topics.history.name, partition: 0, records: [broken] }])
    await append(topics.history, 0, [attempted({ of: 'event-9' })])
    expect(await rebuildLog({ log, topics, store })).toMatchObject({ undecodable: 1, complete: true })
    expect((await store.counts(everything)).events).toBe(3)
  })

  it('reads what is left of a topic whose beginning was deleted', async () => {
    await appendLife(9)
    const before = [0, 1, 2].map((partition) => ({ topic: topics.history.name, partition, offset: 2 }))
    await log.admin.deleteRecords(before)
    expect((await rebuildLog({ log, topics, store })).complete).toBe(true)
    expect(await store.counts(everything)).toMatchObject({ events: 9, attempts: 6 })
  })
})

describe('catching up', () => {
  it('reads nothing where nothing is missing', async () => {
    await appendLife(6)
    await asLogDid(Number.POSITIVE_INFINITY)
    expect(await catchUpLog({ log, topics, store, groupId })).toMatchObject({ records: 0, complete: true })
  })

  it('writes what was committed and is not there: a store that is new, or lost its end', async () => {
    await appendLife(6)
    await asLogDid(2, Number.POSITIVE_INFINITY)
    expect((await store.counts(everything)).attempts).toBeLessThan(6)
    await catchUpLog({ log, topics, store, groupId })
    expect(await store.counts(everything)).toEqual(expected(6))
    const empty = createMemoryDeliveryLog()
    await catchUpLog({ log, topics, store: empty, groupId })
    expect(await empty.counts(everything)).toEqual(expected(6))
  })

  it('leaves to LOG what LOG has not committed', async () => {
    await appendLife(6)
    await commit(0)
    expect(await catchUpLog({ log, topics, store, groupId })).toMatchObject({ records: 0 })
  })
})

describe('the backlog', () => {
  const backlog = () => backlogOf({ log, groupId, topics, now: () => testStartMs + 5 })()
  const all = (source: LogSource) => [0, 1, 2].map((partition) => `${source}:${partition}`)

  it('is empty while nothing was ever appended', async () => {
    expect(await backlog()).toEqual({ now: testStartMs + 5, behind: new Set() })
  })

  it('names the partitions with records that LOG has not committed', async () => {
    await appendLife(6)
    const named = [...all('history'), ...all('verdicts'), 'health:0']
    expect((await backlog()).behind).toEqual(new Set(named))
    await commit(Number.POSITIVE_INFINITY)
    expect((await backlog()).behind).toEqual(new Set())
    await append(topics.history, 1, [history({ of: 'event-7' })])
    expect((await backlog()).behind).toEqual(new Set(['history:1']))
  })
})
