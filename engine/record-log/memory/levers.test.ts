/** The levers of the in-memory log, each shown to do what Kafka does. */
import { describe, expect, it } from 'vitest'
import { type ManualClock, manualClock } from '../../clock.ts'
import { joined } from '../contract/transaction.ts'
import {
  createWorkbench,
  errorKind,
  fetchOnce,
  record,
  valuesOf,
  type Workbench,
} from '../contract/workbench.ts'
import { partitionKey } from '../port.ts'
import { createMemoryLog, type MemoryLog } from './memory-log.ts'

interface Scene extends Workbench {
  readonly log: MemoryLog
  readonly clock: ManualClock
}

function openScene(): Scene {
  const clock = manualClock(1_700_000_000_000)
  const log = createMemoryLog({ clock })
  const bench = createWorkbench({ log, pass: async (ms) => clock.advance(ms), dispose: () => log.close() })
  return Object.assign(bench, { log, clock })
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('late markers', () => {
  it('hide committed data until they are written, although end has resolved', async () => {
    const { log, topic, commit, drain, end } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    log.levers.holdMarkers({ which: 'data' })
    await commit(tp, [record('k', 'late')])
    expect(log.levers.heldMarkers()).toBe(1)
    expect((await drain(tp)).records).toEqual([])
    expect(await end(tp, 'read_committed')).toBe(0)
    expect(await end(tp, 'read_uncommitted')).toBe(1)
    log.levers.releaseMarkers()
    expect(valuesOf((await drain(tp)).records)).toEqual(['late'])
    expect(await end(tp, 'read_committed')).toBe(2)
  })

  it('come separately for data and for offsets', async () => {
    const scene = openScene()
    const { log, topic, writer, drain } = scene
    const tp = { topic: await topic(), partition: 0 }
    const group = await joined(scene, tp.topic)
    log.levers.holdMarkers({ which: 'both' })
    const transaction = (await writer()).begin()
    await transaction.append([{ ...tp, records: [record('k', 'v')] }])
    await transaction.commitOffsets([{ ...tp, offset: 5, metadata: '' }], group.member.metadata())
    await transaction.end('commit')
    log.levers.releaseMarkers('data')
    expect(valuesOf((await drain(tp)).records)).toEqual(['v'])
    const offsets = () => log.admin.committedOffsets(group.groupId, [tp], { requireStable: false })
    expect((await offsets()).size).toBe(0)
    const stable = log.admin.committedOffsets(group.groupId, [tp], { requireStable: true })
    log.levers.releaseMarkers()
    expect((await stable).get(partitionKey(tp))?.offset).toBe(5)
  })

  it('come by themselves after a time on the clock', async () => {
    const { log, clock, topic, commit, drain } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    log.levers.holdMarkers({ which: 'both', forMs: 50 })
    await commit(tp, [record('k', 'late')])
    clock.advance(49)
    expect((await drain(tp)).records).toEqual([])
    clock.advance(1)
    expect((await drain(tp)).records).toHaveLength(1)
  })

  it('keep the same id from its next transaction, and from init, until they are written', async () => {
    const { log, topic, writer, name } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    const id = name('instance')
    const sender = await writer(id)
    log.levers.holdMarkers({ which: 'data' })
    const first = sender.begin()
    await first.append([{ ...tp, records: [record('k', '1')] }])
    await first.end('commit')
    const done: string[] = []
    const next = sender.begin()
    const appending = next.append([{ ...tp, records: [record('k', '2')] }]).then(() => done.push('append'))
    await turn()
    expect(done).toEqual([])
    log.levers.releaseMarkers()
    await appending
    log.levers.holdMarkers({ which: 'both' })
    await next.end('commit')
    const initialising = log
      .writer({ transactionalId: id })
      .init()
      .then(() => done.push('init'))
    await turn()
    expect(done).toEqual(['append'])
    log.levers.releaseMarkers()
    await initialising
  })

  it('let the later of two commits count, whichever marker comes first', async () => {
    const scene = openScene()
    const { log, topic, writer } = scene
    const tp = { topic: await topic(), partition: 0 }
    const { member, groupId } = await joined(scene, tp.topic)
    const older = (await writer()).begin()
    await older.commitOffsets([{ ...tp, offset: 1, metadata: '' }], member.metadata())
    const newer = (await writer()).begin()
    await newer.commitOffsets([{ ...tp, offset: 2, metadata: '' }], member.metadata())
    await newer.end('commit')
    await older.end('commit')
    const offsets = await log.admin.committedOffsets(groupId, [tp], { requireStable: true })
    expect(offsets.get(partitionKey(tp))?.offset).toBe(2)
  })
})

describe('a lost reply to end', () => {
  it.each([true, false])('can be asked again; took effect: %s', async (applied) => {
    const { log, topic, writer, drain } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    const transaction = (await writer()).begin()
    await transaction.append([{ ...tp, records: [record('k', 'v')] }])
    log.levers.loseEndReply({ applied, times: 2 })
    expect(await errorKind(transaction.end('commit'))).toBe('outcome_unknown')
    expect((await drain(tp)).records).toHaveLength(applied ? 1 : 0)
    expect(await errorKind(transaction.end('commit'))).toBe('outcome_unknown')
    await expect(transaction.end('abort')).rejects.toThrow(/already asked to commit/)
    expect(await transaction.end('commit')).toHaveLength(1)
    expect((await drain(tp)).records).toHaveLength(1)
  })
})

describe('failures on demand', () => {
  it('come once, to the operation and writer named, and do nothing', async () => {
    const { log, topic, writer, drain } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    const [a, b] = [await writer('a'), await writer('b')]
    log.levers.failNext('append', 'retriable', { transactionalId: 'a' })
    await b.append([{ ...tp, records: [record('k', 'b')] }])
    expect(await errorKind(a.append([{ ...tp, records: [record('k', 'a')] }]))).toBe('retriable')
    await a.append([{ ...tp, records: [record('k', 'a')] }])
    expect(valuesOf((await drain(tp)).records)).toEqual(['b', 'a'])
  })

  it('leave an abortable transaction nothing but the abort', async () => {
    const { log, topic, writer, drain } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    const sender = await writer()
    const transaction = sender.begin()
    await transaction.append([{ ...tp, records: [record('k', '1')] }])
    log.levers.failNext('transaction_append', 'abortable')
    expect(await errorKind(transaction.append([{ ...tp, records: [record('k', '2')] }]))).toBe('abortable')
    expect(await errorKind(transaction.append([{ ...tp, records: [record('k', '2')] }]))).toBe('abortable')
    expect(await errorKind(transaction.end('commit'))).toBe('abortable')
    await transaction.end('abort')
    expect(await sender.begin().end('commit')).toEqual([])
    expect((await drain(tp)).records).toEqual([])
  })

  it('reach fetches, whole or for one partition', async () => {
    const { log, topic, fetcher } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    log.levers.failNext('fetch', 'retriable')
    expect(await errorKind(fetchOnce(fetcher(), tp, 0))).toBe('retriable')
    log.levers.failNextFetchOf(tp, 'retriable')
    expect((await fetchOnce(fetcher(), tp, 0)).problem).toBe('retriable')
    expect((await fetchOnce(fetcher(), tp, 0)).problem).toBeUndefined()
  })

  it('can be anything that a test puts before an operation', async () => {
    const { log, topic, append } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    log.levers.before = async (operation) => {
      if (operation === 'append') throw new Error('the power went')
    }
    await expect(append(tp, [record('k', 'v')])).rejects.toThrow(/the power went/)
  })
})

describe('calls that nobody awaited in between', () => {
  it.each(['append', 'transaction_append'] as const)(
    'keep their order although the first is slow: %s',
    async (slow) => {
      const { log, topic, writer, drain } = openScene()
      const tp = { topic: await topic(), partition: 0 }
      const sender = await writer()
      let calls = 0
      log.levers.before = (operation) => (operation === slow && calls++ === 0 ? turn() : undefined)
      const transaction = slow === 'append' ? sender : sender.begin()
      const append = (value: string) => transaction.append([{ ...tp, records: [record('k', value)] }])
      const appending = ['1', '2', '3'].map(append)
      if ('end' in transaction) await transaction.end('commit')
      await Promise.all(appending)
      expect(calls).toBe(3)
      expect(valuesOf((await drain(tp)).records)).toEqual(['1', '2', '3'])
    },
  )
})

describe('an abandoned transaction', () => {
  it('holds everybody up until it times out; its writer is fenced from then on', async () => {
    const { clock, topic, writer, commit, drain } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    const sender = await writer()
    const abandoned = sender.begin()
    await abandoned.append([{ ...tp, records: [record('k', 'gone')] }])
    await commit(tp, [record('k', 'behind')])
    clock.advance(4999)
    expect((await drain(tp)).records).toEqual([])
    clock.advance(1)
    expect(valuesOf((await drain(tp)).records)).toEqual(['behind'])
    expect(await errorKind(abandoned.end('commit'))).toBe('fenced')
    await sender.init()
    expect(await sender.begin().end('commit')).toEqual([])
  })
})

describe('lost and removed data', () => {
  it('gives a reader the whole batch that holds its position, also after deletion inside it', async () => {
    const { log, topic, append, fetcher } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    await append(tp, [record('k', '0'), record('k', '1'), record('k', '2')])
    log.levers.deleteBefore(tp, 1)
    const fetched = await fetchOnce(fetcher(), tp, 1)
    expect(fetched.logStartOffset).toBe(1)
    expect(valuesOf(fetched.batches[0]?.records ?? [])).toEqual(['0', '1', '2'])
  })

  it('answers out of range behind an end that was lost', async () => {
    const { log, topic, append, fetcher } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    await append(tp, [record('k', '0')])
    await append(tp, [record('k', '1')])
    log.levers.cutFrom(tp, 1)
    expect((await fetchOnce(fetcher(), tp, 2)).problem).toBe('offset_out_of_range')
    expect(await append(tp, [record('k', 'other')])).toBe(1)
  })

  it('expires by retention on the clock, and keeps a fetched batch intact', async () => {
    const { log, clock, topic, append, fetcher } = openScene()
    const tp = { topic: await topic({ retentionMs: 1000 }), partition: 0 }
    await append(tp, [record('k', 'old')])
    const held = await fetchOnce(fetcher(), tp, 0)
    clock.advance(1001)
    await append(tp, [record('k', 'new')])
    log.levers.expire(tp.topic)
    expect((await fetchOnce(fetcher(), tp, 0)).problem).toBe('offset_out_of_range')
    expect(valuesOf((await fetchOnce(fetcher(), tp, 1)).batches[0]?.records ?? [])).toEqual(['new'])
    expect(valuesOf(held.batches[0]?.records ?? [])).toEqual(['old'])
  })

  it.each([true, false])(
    'compacts, keeping emptied batches: %s; the end can be reached either way',
    async (keepEmptyBatches) => {
      const { log, topic, writer, commit, drain, end, fetcher } = openScene()
      const tp = { topic: await topic({ cleanup: 'compact' }), partition: 0 }
      const aborted = (await writer()).begin()
      await commit(tp, [record('a', '1')])
      await aborted.append([{ ...tp, records: [record('a', 'aborted')] }])
      await aborted.end('abort')
      await commit(tp, [record('a', '2')])
      await commit(tp, [record('a', null)])
      log.levers.compact(tp.topic, { keepEmptyBatches, dropTombstones: true })
      const { records, position } = await drain(tp)
      expect(records).toEqual([])
      expect(position).toBe(await end(tp, 'read_committed'))
      const batches = (await fetchOnce(fetcher(), tp, 0)).batches.length
      expect(batches).toBe(keepEmptyBatches ? 8 : 1)
    },
  )

  it('finds every offset among very many batches, while the first ones are deleted', async () => {
    const { log, topic, writer, fetcher } = openScene()
    const tp = { topic: await topic(), partition: 0 }
    const sender = await writer()
    const records = [record('k', 'v')]
    for (let n = 0; n < 100_000; n++) await sender.append([{ ...tp, records }])
    const reader = fetcher()
    for (let offset = 0; offset < 100_000; offset += 50) {
      const [fetched] = await reader.fetch([{ ...tp, offset, maxBytes: 1 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
      expect(fetched?.batches[0]?.baseOffset).toBe(offset)
      log.levers.deleteBefore(tp, offset)
    }
  })
})
