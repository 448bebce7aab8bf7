import { beforeEach, describe, expect, it } from 'vitest'
import { type ManualClock, manualClock } from '../../clock.ts'
import type { FetchedPartition, Fetcher, NewRecord } from '../port.ts'
import { createKafkaFetcher } from './fetcher.ts'
import { type ScriptedCluster, scriptedCluster } from './testing/scripted-cluster.ts'

const topic = 'orders'
const tp = { topic, partition: 0 }
const maxBytes = 1 << 20
const now = { isolation: 'read_committed', maxWaitMs: 0 } as const
const waiting = { isolation: 'read_committed', maxWaitMs: 60_000 } as const

const record = (value: string): NewRecord => ({
  key: null,
  value: Buffer.from(value),
  headers: [],
  timestamp: 1,
})
const valuesOf = (fetched: readonly FetchedPartition[]): string[] =>
  fetched.flatMap(({ batches }) =>
    batches.flatMap(({ records }) => records.map(({ value }) => String(value))),
  )

let clock: ManualClock
let brokers: ScriptedCluster
let fetcher: Fetcher
let reports: string[]

beforeEach(() => {
  clock = manualClock(1_000_000)
  brokers = scriptedCluster(clock, { [topic]: 3 })
  reports = []
  fetcher = createKafkaFetcher({
    cluster: brokers.cluster,
    clock,
    report: (message) => reports.push(message),
  })
})

const at = (offset: number, partition = 0) => ({ topic, partition, offset, maxBytes })
const fetchAt = (offset: number, options: typeof now | typeof waiting = now) =>
  fetcher.fetch([at(offset)], options)
/** Lets replies that are there come in. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('the Kafka fetcher', () => {
  it('has asked for what comes next before the caller has what came', async () => {
    brokers.append(tp, [record('1'), record('2')])
    brokers.append(tp, [record('3')])
    expect(valuesOf(await fetchAt(0))).toEqual(['1', '2'])
    expect(brokers.fetches.map(({ partitions }) => partitions[0]?.offset)).toEqual([0, 2])
    expect(valuesOf(await fetchAt(2))).toEqual(['3'])
    expect(brokers.fetches.map(({ partitions }) => partitions[0]?.offset)).toEqual([0, 2, 3])
  })

  it('takes a parked request for the answer that there is nothing', async () => {
    brokers.append(tp, [record('1')])
    await fetchAt(0)
    const asked = brokers.fetches.length
    for (let n = 0; n < 5; n++) expect(valuesOf(await fetchAt(1))).toEqual([])
    expect(brokers.fetches).toHaveLength(asked)
    brokers.append(tp, [record('2')])
    await settle()
    expect(valuesOf(await fetchAt(1))).toEqual(['2'])
  })

  it('asks once when the caller may not wait', async () => {
    expect(valuesOf(await fetchAt(0))).toEqual([])
    expect(brokers.fetches).toHaveLength(1)
  })

  it('parks only where it knows how far the log goes', async () => {
    const fetched = fetchAt(0, waiting)
    await settle()
    expect(brokers.fetches.map(({ maxWaitMs }) => maxWaitMs)).toEqual([0, 500])
    brokers.append(tp, [record('1')])
    expect(valuesOf(await fetched)).toEqual(['1'])
  })

  it('asks beside a parked request for what that one leaves out', async () => {
    brokers.append(tp, [record('1')])
    await fetchAt(0)
    brokers.append({ topic, partition: 1 }, [record('other')])
    expect(valuesOf(await fetcher.fetch([at(1), at(0, 1)], now))).toEqual(['other'])
    expect(brokers.fetches.map(({ lane }) => lane)).toContain(1)
  })

  it('drops what it read ahead when the caller turns elsewhere', async () => {
    for (const value of ['1', '2', '3']) brokers.append(tp, [record(value)])
    expect(valuesOf(await fetchAt(0))).toEqual(['1'])
    expect(valuesOf(await fetchAt(2))).toEqual(['3'])
    expect(valuesOf(await fetchAt(0))).toEqual(['1'])
  })

  it('asks first for those that brought nothing last time', async () => {
    brokers.append({ topic, partition: 0 }, [record('a')])
    brokers.append({ topic, partition: 2 }, [record('c')])
    await fetcher.fetch([at(0, 0), at(0, 1), at(0, 2)], now)
    expect(brokers.fetches.at(-1)?.partitions.map(({ partition }) => partition)).toEqual([1, 0, 2])
  })

  it('sends epochs: the leader’s, and that of the batch before the position', async () => {
    brokers.append(tp, [record('1')])
    await fetchAt(0)
    const epochs = brokers.fetches.map(({ partitions }) => [
      partitions[0]?.leaderEpoch,
      partitions[0]?.lastEpoch,
    ])
    expect(epochs).toEqual([
      [5, -1],
      [5, 5],
    ])
  })

  it('tells of a leader that moved, asks who leads now, and goes on there', async () => {
    brokers.append(tp, [record('1')])
    brokers.script((nodeId) => (nodeId === 1 ? { error: 74, records: null } : undefined))
    brokers.lead(tp, { leader: 1 })
    expect((await fetchAt(0))[0]?.problem).toBe('retriable')
    brokers.lead(tp, { leader: 2, leaderEpoch: 6 })
    expect(valuesOf(await fetchAt(0))).toEqual(['1'])
    expect(brokers.fetches.at(-1)).toMatchObject({ nodeId: 2, partitions: [{ leaderEpoch: 6 }] })
  })

  it('asks a partition in trouble with growing pauses, and tells of it once a second', async () => {
    brokers.script(() => ({ error: 6, records: null }))
    let told = 0
    const asked: number[] = []
    for (const untilMs = clock.now() + 3000; clock.now() < untilMs; clock.advance(10)) {
      const before = brokers.fetches.length
      const [fetched] = await fetchAt(0)
      if (fetched?.problem === 'retriable') told++
      for (let n = before; n < brokers.fetches.length; n++) asked.push(clock.now() - 1_000_000)
    }
    expect(told).toBe(3)
    const pauses = asked.slice(1).map((time, n) => time - (asked[n] ?? 0))
    // The first is asked again at once, which is at the next turn of this loop.
    expect(pauses.slice(0, 6)).toEqual([10, 20, 40, 80, 160, 320])
    expect(Math.max(...pauses)).toBe(500)
  })

  it('serves the partitions of one broker while another is gone', async () => {
    brokers.lead({ topic, partition: 1 }, { leader: 2 })
    brokers.append(tp, [record('fine')])
    brokers.script((nodeId) => (nodeId === 2 ? 'broken' : undefined))
    const fetched = await fetcher.fetch([at(0), at(0, 1)], waiting)
    expect(valuesOf(fetched)).toEqual(['fine'])
    expect(fetched[1]?.problem).toBe('retriable')
    brokers.append(tp, [record('still')])
    expect(valuesOf(await fetcher.fetch([at(1), at(0, 1)], waiting))).toEqual(['still'])
  })

  it('waits out an election without asking in circles', async () => {
    brokers.append(tp, [record('1')])
    brokers.lead(tp, { leader: -1 })
    expect((await fetchAt(0))[0]?.problem).toBe('retriable')
    const fetched = fetchAt(0, waiting)
    await settle()
    const asked = brokers.metadataRequests()
    await settle()
    expect(brokers.metadataRequests()).toBe(asked)
    brokers.lead(tp, { leader: 1 })
    clock.advance(500)
    expect(valuesOf(await fetched)).toEqual(['1'])
  })

  it('tells a position that was deleted, or is past the end, with the ends of the log', async () => {
    for (const value of ['1', '2', '3']) brokers.append(tp, [record(value)])
    brokers.log(tp).startOffset = 2
    for (const offset of [1, 4]) {
      const [fetched] = await fetchAt(offset)
      expect(fetched).toMatchObject({ problem: 'offset_out_of_range', logStartOffset: 2, highWatermark: 3 })
    }
    expect(valuesOf(await fetchAt(2))).toEqual(['3'])
  })

  it('tells a log that was cut off behind the reader', async () => {
    brokers.append(tp, [record('1')])
    await fetchAt(0)
    brokers.script((_, { lastEpoch }) => (lastEpoch >= 0 ? { divergingOffset: 0, records: null } : undefined))
    clock.advance(500)
    await settle()
    expect((await fetchAt(1, waiting))[0]?.problem).toBe('offset_out_of_range')
  })

  it('does not take a forgotten epoch for a lost position', async () => {
    brokers.append(tp, [record('1')])
    brokers.append(tp, [record('2')])
    brokers.script((_, { lastEpoch }) => (lastEpoch >= 0 ? { error: 1, records: null } : undefined))
    expect(valuesOf(await fetchAt(0))).toEqual(['1'])
    expect(valuesOf(await fetchAt(1, waiting))).toEqual(['2'])
  })

  it('names a topic or partition that does not exist, each time', async () => {
    for (let n = 0; n < 2; n++) {
      const fetched = await fetcher.fetch([{ ...at(0), topic: 'absent' }, at(0, 7)], waiting)
      expect(fetched.map(({ problem }) => problem)).toEqual(['unknown_topic', 'unknown_topic'])
    }
  })

  it('asks again after an error that the broker cannot name', async () => {
    brokers.append(tp, [record('1')])
    brokers.script(() => ({ error: -1, records: null }))
    expect((await fetchAt(0))[0]?.problem).toBe('retriable')
    brokers.script(() => undefined)
    expect(valuesOf(await fetchAt(0))).toEqual(['1'])
  })

  it('throws when it may not read', async () => {
    brokers.script(() => ({ error: 29, records: null }))
    await expect(fetchAt(0)).rejects.toMatchObject({
      kind: 'rejected',
      codeName: 'TOPIC_AUTHORIZATION_FAILED',
    })
  })

  it('hands out what stands before a corrupt batch, reports it, and asks again until it is whole', async () => {
    brokers.append(tp, [record('1')])
    brokers.append(tp, [record('2')])
    const [good, bad] = brokers.log(tp).batches
    if (!good || !bad) throw new Error('two batches were appended')
    const damaged = Buffer.from(bad)
    damaged[damaged.length - 1] = 0xff
    brokers.script((_, { offset }) =>
      offset === 0 ? { records: Buffer.concat([good, damaged]) } : { records: damaged },
    )
    expect(valuesOf(await fetchAt(0))).toEqual(['1'])
    expect(reports[0]).toMatch(/^orders:0@1: the batch there is corrupt/)
    expect((await fetchAt(1, waiting))[0]).toMatchObject({ problem: 'retriable', batches: [] })
    expect(reports).toHaveLength(1)
    brokers.script(() => undefined)
    const whole = fetchAt(1, waiting)
    await settle()
    clock.advance(20)
    expect(valuesOf(await whole)).toEqual(['2'])
  })

  it('does not follow a damaged offset', async () => {
    brokers.append(tp, [record('1')])
    const [batch] = brokers.log(tp).batches
    const damaged = Buffer.from(batch ?? '')
    damaged.fill(0xff, 1, 8)
    damaged[0] = 0x7f
    brokers.script(() => ({ records: damaged }))
    expect((await fetchAt(0))[0]).toMatchObject({ problem: 'retriable', batches: [] })
    expect(reports[0]).toContain('orders:0@0: the batch there is corrupt')
  })

  it('comes back empty when it is aborted, closed, or the time is over, and leaves the answer for the next', async () => {
    await fetchAt(0)
    const stop = new AbortController()
    const aborted = fetcher.fetch([at(0)], { ...waiting, signal: stop.signal })
    await settle()
    stop.abort()
    expect(valuesOf(await aborted)).toEqual([])
    const late = fetcher.fetch([at(0)], { ...waiting, maxWaitMs: 100 })
    await settle()
    clock.advance(100)
    expect(valuesOf(await late)).toEqual([])
    brokers.append(tp, [record('1')])
    await settle()
    expect(valuesOf(await fetchAt(0))).toEqual(['1'])
    const closing = fetcher.fetch([at(1)], waiting)
    await fetcher.close()
    expect(valuesOf(await closing)).toEqual([])
    await expect(fetchAt(1)).rejects.toThrow('the fetcher is closed')
  })
})
