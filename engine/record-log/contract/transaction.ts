/** The contract of transactions: atomic, repeatable ends, fenced writers, offsets that belong to a generation. */
import { expect, it } from 'vitest'
import { type GroupMetadata, type Membership, partitionKey, type TopicPartition } from '../port.ts'
import { roundRobin } from './group.ts'
import { errorKind, record, valuesOf, type Workbench } from './workbench.ts'

export function transactionContract(at: () => Workbench): void {
  it('commits records of several partitions and offsets as one', async () => {
    const { log, topic, writer, drain } = at()
    const name = await topic({ partitions: 2 })
    const { member, groupId } = await joined(at(), name)
    const transaction = (await writer()).begin()
    const [left, right] = [
      { topic: name, partition: 0 },
      { topic: name, partition: 1 },
    ]
    await transaction.append([{ ...left, records: [record('k', 'left')] }])
    await transaction.append([{ ...right, records: [record('k', 'right')] }])
    await transaction.commitOffsets([{ ...left, offset: 41, metadata: 'owner=é' }], member.metadata())
    expect(valuesOf((await drain(left)).records)).toEqual([])
    expect((await committed(at(), groupId, [left], false)).size).toBe(0)
    const results = await transaction.end('commit')
    expect(results.map((result) => result.partition)).toEqual([0, 1])
    expect(valuesOf((await drain(left)).records)).toEqual(['left'])
    expect(valuesOf((await drain(right)).records)).toEqual(['right'])
    const offsets = await log.admin.committedOffsets(groupId, [left, right], { requireStable: true })
    expect(offsets).toEqual(new Map([[partitionKey(left), { offset: 41, metadata: 'owner=é' }]]))
  })

  it('takes records and offsets that are under way at once, and ends when it has both', async () => {
    const { topic, writer, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    const { member, groupId } = await joined(at(), tp.topic)
    const sender = await writer()
    for (let round = 1; round <= 3; round++) {
      const transaction = sender.begin()
      await Promise.all([
        transaction.append([{ ...tp, records: [record('k', `${round} first`)] }]),
        transaction.append([{ ...tp, records: [record('k', `${round} second`)] }]),
        transaction.commitOffsets([{ ...tp, offset: round, metadata: '' }], member.metadata()),
        transaction.end(round === 2 ? 'abort' : 'commit'),
      ])
    }
    expect(valuesOf((await drain(tp)).records)).toEqual(['1 first', '1 second', '3 first', '3 second'])
    expect((await committed(at(), groupId, [tp], true)).get(partitionKey(tp))?.offset).toBe(3)
  })

  it('leaves nothing behind when aborted', async () => {
    const { topic, writer, drain, commit } = at()
    const tp = { topic: await topic(), partition: 0 }
    const { member, groupId } = await joined(at(), tp.topic)
    const transaction = (await writer()).begin()
    await transaction.append([{ ...tp, records: [record('k', 'never')] }])
    await transaction.commitOffsets([{ ...tp, offset: 9, metadata: '' }], member.metadata())
    expect(await transaction.end('abort')).toEqual([])
    await commit(tp, [record('k', 'after')])
    expect(valuesOf((await drain(tp)).records)).toEqual(['after'])
    expect((await committed(at(), groupId, [tp], true)).size).toBe(0)
  })

  it('may be empty, or hold offsets alone', async () => {
    const { topic, writer } = at()
    const tp = { topic: await topic(), partition: 0 }
    const { member, groupId } = await joined(at(), tp.topic)
    const sender = await writer()
    expect(await sender.begin().end('commit')).toEqual([])
    expect(await sender.begin().end('abort')).toEqual([])
    const offsets = sender.begin()
    await offsets.commitOffsets([{ ...tp, offset: 3, metadata: '' }], member.metadata())
    await offsets.end('commit')
    expect((await committed(at(), groupId, [tp], true)).get(partitionKey(tp))?.offset).toBe(3)
  })

  it('answers a repeated end like the first one, and refuses the other outcome', async () => {
    const { topic, writer, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    const sender = await writer()
    const transaction = sender.begin()
    await transaction.append([{ ...tp, records: [record('k', 'once')] }])
    const results = await transaction.end('commit')
    expect(await transaction.end('commit')).toEqual(results)
    await expect(transaction.end('abort')).rejects.toThrow(/already/)
    expect(valuesOf((await drain(tp)).records)).toEqual(['once'])
  })

  it('follow each other on one writer, in order', async () => {
    const { topic, writer, drain } = at()
    const tp = { topic: await topic(), partition: 0 }
    const sender = await writer()
    const wanted: string[] = []
    for (let n = 0; n < 10; n++) {
      const transaction = sender.begin()
      await transaction.append([{ ...tp, records: [record('k', `${n}a`)] }])
      await transaction.append([{ ...tp, records: [record('k', `${n}b`)] }])
      await transaction.end(n % 3 === 0 ? 'abort' : 'commit')
      if (n % 3 !== 0) wanted.push(`${n}a`, `${n}b`)
    }
    expect(valuesOf((await drain(tp)).records)).toEqual(wanted)
  })

  it('lets only one of two writers of an id go on that begin at once', async () => {
    const { topic, writer, drain, name } = at()
    const tp = { topic: await topic(), partition: 0 }
    const id = name('instance')
    const writers = await Promise.all([writer(id), writer(id)])
    const ends = await Promise.all(
      writers.map(async (each, index) => {
        const transaction = each.begin()
        return errorKind(
          transaction
            .append([{ ...tp, records: [record('k', `${index}`)] }])
            .then(() => transaction.end('commit')),
        )
      }),
    )
    expect(ends.filter((kind) => kind === 'fenced')).toHaveLength(1)
    expect((await drain(tp)).records).toHaveLength(1)
  })

  it('fences the earlier writer of an id at init, and aborts what it left open', async () => {
    const { topic, writer, drain, end, name } = at()
    const tp = { topic: await topic(), partition: 0 }
    const id = name('instance')
    const { member, groupId } = await joined(at(), tp.topic)
    const zombie = (await writer(id)).begin()
    await zombie.append([{ ...tp, records: [record('k', 'zombie')] }])
    await zombie.commitOffsets([{ ...tp, offset: 99, metadata: '' }], member.metadata())

    const owner = await writer(id)
    // Nothing is open any more: the last stable offset has caught up, and offsets are stable.
    expect(await end(tp, 'read_committed')).toBe(await end(tp, 'read_uncommitted'))
    expect((await committed(at(), groupId, [tp], true)).size).toBe(0)
    expect(await errorKind(zombie.append([{ ...tp, records: [record('k', 'zombie')] }]))).toBe('fenced')
    expect(
      await errorKind(zombie.commitOffsets([{ ...tp, offset: 9, metadata: '' }], member.metadata())),
    ).toBe('fenced')
    expect(await errorKind(zombie.end('commit'))).toBe('fenced')

    const transaction = owner.begin()
    await transaction.append([{ ...tp, records: [record('k', 'owner')] }])
    await transaction.end('commit')
    expect(valuesOf((await drain(tp)).records)).toEqual(['owner'])
  })

  it('refuses offsets of an old generation, of a stranger, and of a process that was replaced', async () => {
    const { topic, writer, name } = at()
    const tp = { topic: await topic(), partition: 0 }
    const { member, groupId, instanceId } = await joined(at(), tp.topic)
    const now = member.metadata()
    const sender = await writer()
    const attempt = async (claimed: GroupMetadata) => {
      const transaction = sender.begin()
      const kind = await errorKind(transaction.commitOffsets([{ ...tp, offset: 1, metadata: '' }], claimed))
      await transaction.end('abort')
      return kind
    }
    expect(await attempt(now)).toBe('no error')
    expect(await attempt({ ...now, generation: now.generation - 1 })).toBe('fenced')
    expect(await attempt({ ...now, memberId: 'stranger', instanceId: name('stranger') })).toBe('fenced')
    const again = await joined(at(), tp.topic, { groupId, instanceId })
    expect(await attempt(now)).toBe('fenced')
    expect(await attempt({ ...again.member.metadata(), memberId: now.memberId })).toBe('fenced')
    expect(await attempt(again.member.metadata())).toBe('no error')
  })

  it('refuses metadata above the limit', async () => {
    const { log, topic, writer } = at()
    const tp = { topic: await topic(), partition: 0 }
    const { member, groupId } = await joined(at(), tp.topic)
    const most = log.capabilities.maxOffsetMetadataBytes
    const sender = await writer()
    const tooLong = sender.begin()
    const commit = { ...tp, offset: 1, metadata: 'm'.repeat(most + 1) }
    expect(await errorKind(tooLong.commitOffsets([commit], member.metadata()))).toBe('rejected')
    await tooLong.end('abort')
    const fits = sender.begin()
    await fits.commitOffsets([{ ...commit, metadata: 'm'.repeat(most) }], member.metadata())
    await fits.end('commit')
    expect((await committed(at(), groupId, [tp], true)).get(partitionKey(tp))?.metadata).toHaveLength(most)
  })

  it('refuses a record above the limit and can then only be aborted or go on without it', async () => {
    const { topic, writer, drain } = at()
    const tp = { topic: await topic({ maxRecordBytes: 500 }), partition: 0 }
    const sender = await writer()
    const transaction = sender.begin()
    await transaction.append([{ ...tp, records: [record('k', 'fits')] }])
    const large = [record('k', 'x'.repeat(200_000))]
    expect(await errorKind(transaction.append([{ ...tp, records: large }]))).toBe('rejected')
    await transaction.end('abort')
    expect((await drain(tp)).records).toEqual([])
  })

  it('keeps groups apart, and lets the last commit count', async () => {
    const { topic, writer } = at()
    const tp = { topic: await topic(), partition: 0 }
    const one = await joined(at(), tp.topic)
    const other = await joined(at(), tp.topic)
    const sender = await writer()
    for (const offset of [5, 7, 6]) {
      const transaction = sender.begin()
      await transaction.commitOffsets([{ ...tp, offset, metadata: `at ${offset}` }], one.member.metadata())
      await transaction.end('commit')
    }
    expect((await committed(at(), one.groupId, [tp], true)).get(partitionKey(tp))).toEqual({
      offset: 6,
      metadata: 'at 6',
    })
    expect((await committed(at(), other.groupId, [tp], true)).size).toBe(0)
  })
}

interface Joined {
  readonly member: Membership
  readonly groupId: string
  readonly instanceId: string
}

/** A member that owns all partitions of a topic. */
export async function joined(
  bench: Workbench,
  topic: string,
  who: { groupId?: string; instanceId?: string } = {},
): Promise<Joined> {
  const groupId = who.groupId ?? bench.name('group')
  const instanceId = who.instanceId ?? bench.name('instance')
  const member = await bench.log.group.join({
    groupId,
    instanceId,
    topics: [topic],
    userData: () => new Uint8Array(),
    assign: roundRobin,
    listener: { onRevoked: async () => {}, onAssigned: async () => {}, onLost: async () => {} },
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
  })
  return { member, groupId, instanceId }
}

export const committed = (
  { log }: Workbench,
  groupId: string,
  partitions: readonly TopicPartition[],
  requireStable: boolean,
) => log.admin.committedOffsets(groupId, partitions, { requireStable })
