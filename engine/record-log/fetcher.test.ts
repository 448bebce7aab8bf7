import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { createFetcher, type FetcherParts, type ReadablePartition } from './fetcher.ts'
import { type FetchedBatch, type FetchedPartition, LogError } from './port.ts'
import { createSignal, raise } from './signal.ts'

interface Stand {
  readonly partition: ReadablePartition
  /** Appends an empty batch, and wakes whoever waits. */
  grow(): void
  /** A transaction is open: the partition grows, and no one may read it yet. */
  growUndecided(): void
  /** The open transaction was aborted: what it wrote is passed over. */
  decide(): void
  moveStart(to: number): void
  reads(): number
  onRead: () => void
}

function standIn(): Stand {
  const grown = createSignal()
  const batches: FetchedBatch[] = []
  let start = 0
  let stable = 0
  let end = 0
  let reads = 0
  const stand: Stand = {
    partition: {
      grown,
      startOffset: () => start,
      endOffset: (isolation) => (isolation === 'read_committed' ? stable : end),
      read(offset) {
        reads++
        const found = batches.filter(({ lastOffset }) => lastOffset >= offset)
        stand.onRead()
        return found
      },
    },
    grow() {
      batches.push({ baseOffset: end, lastOffset: end, records: [] })
      stable = ++end
      raise(grown)
    },
    growUndecided() {
      end++
      raise(grown)
    },
    decide() {
      stable = end
    },
    moveStart(to) {
      start = to
    },
    reads: () => reads,
    onRead: () => {},
  }
  return stand
}

const topic = 'orders'
const request = (partition: number, offset = 0) => ({ topic, partition, offset, maxBytes: 1000 })
const waiting = { isolation: 'read_committed', maxWaitMs: 60_000 } as const
const looking = { isolation: 'read_committed', maxWaitMs: 0, changedOnly: true } as const
const partitionsOf = (fetched: readonly FetchedPartition[]) => fetched.map(({ partition }) => partition)

function fetcherOf(...stands: readonly Stand[]) {
  return fetcherWith({}, ...stands)
}

function fetcherWith(
  parts: Partial<Pick<FetcherParts, 'problemOf' | 'checkOpen'>>,
  ...stands: readonly Stand[]
) {
  return createFetcher({
    clock: manualClock(0),
    closing: createSignal(),
    find: ({ partition }) => stands[partition]?.partition,
    checkOpen() {},
    ...parts,
  })
}

describe('a fetcher in this process', () => {
  // The look at the partitions and the wait for them are two steps: what grew between them was waited for in vain,
  // until the next record came or the minute was over.
  it('hears of what grows between its look and its wait', async () => {
    const stand = standIn()
    stand.onRead = () => {
      stand.onRead = () => {}
      queueMicrotask(stand.grow)
    }
    const [fetched] = await fetcherOf(stand).fetch([request(0)], waiting)
    expect(fetched?.batches).toHaveLength(1)
  })

  it('does not wait for a log that was closed during its look', async () => {
    const stand = standIn()
    let open = true
    stand.onRead = () => queueMicrotask(() => (open = false))
    const checkOpen = () => {
      if (!open) throw new LogError('retriable', 'the log is closed')
    }
    const fetching = fetcherWith({ checkOpen }, stand).fetch([request(0)], waiting)
    await expect(fetching).rejects.toThrow('the log is closed')
  })

  it('reads no partition again that it has told all of', async () => {
    const [quiet, busy] = [standIn(), standIn()]
    const fetcher = fetcherOf(quiet, busy)
    const requests = [request(0), request(1)]
    expect(partitionsOf(await fetcher.fetch(requests, looking))).toEqual([0, 1])
    expect(partitionsOf(await fetcher.fetch(requests, looking))).toEqual([])
    busy.grow()
    expect(partitionsOf(await fetcher.fetch(requests, looking))).toEqual([1])
    expect(quiet.reads()).toBe(1)
  })

  it.each([
    ['its end moves, though not the last stable offset', (stand: Stand) => stand.growUndecided()],
    ['the last stable offset moves, though not its end', (stand: Stand) => stand.decide()],
    ['its start moves', (stand: Stand) => stand.moveStart(1)],
  ])('tells of a partition again when %s', async (_, change) => {
    const stand = standIn()
    stand.grow()
    stand.growUndecided()
    const fetcher = fetcherOf(stand)
    const requests = [request(0, 1)]
    expect(await fetcher.fetch(requests, looking)).toHaveLength(1)
    expect(await fetcher.fetch(requests, looking)).toHaveLength(0)
    change(stand)
    expect(await fetcher.fetch(requests, looking)).toHaveLength(1)
  })

  it('tells of a partition again when it is asked for another offset', async () => {
    const stand = standIn()
    stand.grow()
    const fetcher = fetcherOf(stand)
    const asked = request(0, 1)
    expect(await fetcher.fetch([asked], looking)).toHaveLength(1)
    asked.offset = 0
    expect((await fetcher.fetch([asked], looking))[0]?.batches).toHaveLength(1)
  })

  it('tells of a trouble with a partition where nothing has changed, and of its end', async () => {
    let troubled = false
    const fetcher = fetcherWith({ problemOf: () => (troubled ? 'retriable' : undefined) }, standIn())
    const requests = [request(0)]
    await fetcher.fetch(requests, looking)
    troubled = true
    expect((await fetcher.fetch(requests, looking))[0]?.problem).toBe('retriable')
    troubled = false
    expect((await fetcher.fetch(requests, looking))[0]?.problem).toBeUndefined()
    expect(await fetcher.fetch(requests, looking)).toEqual([])
  })

  it('takes what it tells of one partition for no word about the others', async () => {
    const stands = [standIn(), standIn(), standIn()]
    const fetcher = fetcherOf(...stands)
    const requests = [request(0), request(1), request(2)]
    await fetcher.fetch(requests, looking)
    stands[1]?.growUndecided()
    expect(partitionsOf(await fetcher.fetch(requests, looking))).toEqual([1])
    expect(partitionsOf(await fetcher.fetch(requests, looking))).toEqual([])
  })

  it('keeps what it saw during a wait for the fetch that brings something', async () => {
    const [open, other] = [standIn(), standIn()]
    const fetcher = fetcherOf(open, other)
    const requests = [request(0), request(1)]
    await fetcher.fetch(requests, looking)
    const fetched = fetcher.fetch(requests, { ...waiting, changedOnly: true })
    await Promise.resolve()
    open.growUndecided()
    await Promise.resolve()
    other.grow()
    expect((await fetched).map(({ partition, highWatermark }) => [partition, highWatermark])).toEqual([
      [0, 1],
      [1, 1],
    ])
  })

  it('is heard no more once it is closed', async () => {
    const stand = standIn()
    const fetcher = fetcherOf(stand)
    const waits = fetcher.fetch([request(0)], waiting)
    await Promise.resolve()
    expect(stand.partition.grown.waiting.size).toBe(1)
    await fetcher.close()
    await waits
    expect(stand.partition.grown.waiting.size).toBe(0)
  })
})
