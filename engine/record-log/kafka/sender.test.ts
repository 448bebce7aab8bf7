/** The sender, to brokers that move, forget, refuse and fall silent. */
import { beforeEach, expect, it } from 'vitest'
import { manualClock } from '../../clock.ts'
import { LogError, type NewRecord, partitionKey, type TopicPartition } from '../port.ts'
import type { Cluster } from './cluster-view.ts'
import { createSender, type SendOptions } from './sender.ts'
import { addToSequence, createSequences } from './sequences.ts'
import type { Api, Connection } from './wire/api.ts'
import { WireWriter } from './wire/primitives.ts'
import type { ProducedPartition, ProduceRequest } from './wire/produce.ts'
import { layout } from './wire/record-batch-layout.ts'

interface Written {
  readonly node: number
  readonly partition: number
  readonly sequence: number
  readonly count: number
  readonly bytes: number
}
type Reply = number | 'nothing' | 'left out'

const topic = 'orders'
const tp = { topic, partition: 0 }
let leaders: number[]
/** Every batch that reached a broker, in order. */
let written: Written[]
/** What the broker answers: an error code, no reply at all, or a reply without the partition. */
let answer: (batch: Written) => Reply
let refreshed: () => void
let clock: ReturnType<typeof manualClock>

beforeEach(() => {
  clock = manualClock(0)
  leaders = [1, 2, 1]
  written = []
  answer = () => 0
  refreshed = () => {}
})

function brokerOf(node: number): Connection {
  return {
    nodeId: node,
    async send<Request, Reply>(_: Api<Request, Reply>, request: Request): Promise<Reply> {
      // The sender sends nothing else.
      const { partitions } = request as ProduceRequest
      const replies: ProducedPartition[] = []
      let silent = false
      for (const { partition, write } of partitions) {
        const out = new WireWriter().begin(true)
        write(out)
        const view = out.view()
        const batch = {
          ...{ node, partition, bytes: view.length },
          sequence: view.readInt32BE(layout.baseSequence),
          count: view.readInt32BE(layout.count),
        }
        written.push(batch)
        const how = answer(batch)
        if (how === 'nothing') silent = true
        if (typeof how === 'number') {
          replies.push({
            topic,
            partition,
            error: how,
            message: null,
            baseOffset: written.length,
            appendTime: -1,
          })
        }
      }
      if (silent) throw new LogError('retriable', 'no reply')
      return replies as Reply
    },
  }
}

const lane = { broker: brokerOf, close() {} }
const cluster = {
  async topics(names: readonly string[]) {
    refreshed()
    return new Map(names.map((name) => [name, { name, partitions: [] }]))
  },
  leaderOf({ partition }: TopicPartition) {
    const leader = leaders[partition]
    return leader === undefined ? undefined : { partition, leader, leaderEpoch: 0 }
  },
  invalidate() {},
} as unknown as Cluster

const record = (value: string): NewRecord => ({
  key: null,
  value: Buffer.from(value),
  headers: [],
  timestamp: 1,
})
const records = (count: number, size = 1) => Array.from({ length: count }, () => record('x'.repeat(size)))
const options = (more: Partial<SendOptions> = {}): SendOptions => ({
  producer: { transactionalId: 't', producerId: 7, epoch: 3 },
  sequences: createSequences(),
  ...{ transactional: true, protocol: 2, untilMs: 5000, ...more },
})

/** Sends, and lets the clock run whenever the sender pauses. */
async function send(batches: Parameters<ReturnType<typeof createSender>['send']>[0], how = options()) {
  const sender = createSender({ cluster, lane, clock, closing: new AbortController().signal })
  let done = false
  const sending = sender.send(batches, how).finally(() => {
    done = true
  })
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve))
    const next = clock.nextTimer()
    if (next !== undefined) clock.advanceTo(next)
  }
  return sending
}

it('sends one request to each leader and answers in the order of the batches', async () => {
  const sent = await send([2, 0, 1].map((partition) => ({ topic, partition, records: records(2) })))
  expect(sent.map((each) => each.ok && each.result.partition)).toEqual([2, 0, 1])
  expect(written.map(({ node, partition }) => [node, partition])).toEqual([
    [1, 2],
    [1, 0],
    [2, 1],
  ])
})

it('sends again, with the same sequence number, what a reply leaves out: the stock client takes it for sent', async () => {
  let first = true
  answer = ({ partition }) => {
    const lost = first && partition === 1
    if (lost) first = false
    return lost ? 'left out' : 0
  }
  const sent = await send([0, 1].map((partition) => ({ topic, partition, records: records(3) })))
  expect(sent.every(({ ok }) => ok)).toBe(true)
  expect(written.filter(({ partition }) => partition === 1)).toMatchObject([
    { sequence: 0, count: 3 },
    { sequence: 0, count: 3 },
  ])
})

it('follows a leader that moves to a broker which has answered already, and loses nothing on the way', async () => {
  leaders = [1, 2]
  answer = ({ node, partition }) => (partition === 1 && node === 2 ? 6 : 0)
  let rounds = 0
  refreshed = () => {
    if (rounds++ > 0) leaders = [1, 1]
  }
  const sent = await send([0, 1].map((partition) => ({ topic, partition, records: records(1) })))
  expect(sent.every(({ ok }) => ok)).toBe(true)
  expect(written.map(({ node, partition }) => [node, partition])).toEqual([
    [1, 0],
    [2, 1],
    [1, 1],
  ])
})

it('keeps one batch of a partition in flight, in order, and counts sequence numbers on', async () => {
  const sequences = createSequences()
  await send(
    [records(2), records(3), records(1)].map((each) => ({ ...tp, records: each })),
    options({ sequences }),
  )
  expect(written.map(({ sequence, count }) => [sequence, count])).toEqual([
    [0, 2],
    [2, 3],
    [5, 1],
  ])
  expect(sequences.next(tp)).toBe(6)
})

it('cuts what is too large for its topic until it fits, and remembers it', async () => {
  const limit = 3000
  answer = ({ bytes }) => (bytes > limit ? 10 : 0)
  const [sent] = await send([{ ...tp, records: records(40, 500) }])
  expect(sent?.ok).toBe(true)
  const accepted = written.filter(({ bytes }) => bytes <= limit)
  expect(accepted.reduce((sum, { count }) => sum + count, 0)).toBe(40)
  expect(accepted.map(({ sequence }) => sequence)).toEqual(
    accepted.map((_, n) => accepted.slice(0, n).reduce((sum, { count }) => sum + count, 0)),
  )
})

it('refuses a record that is too large by itself, and sends the others', async () => {
  answer = ({ bytes }) => (bytes > 3000 ? 10 : 0)
  const sent = await send([
    { ...tp, records: records(1, 5000) },
    { topic, partition: 1, records: records(1) },
  ])
  expect(sent.map((each) => each.ok || each.error.kind)).toEqual(['rejected', true])
  expect(sent[0]).toMatchObject({ unsettled: false })
})

it('takes a duplicate for what it is: written before', async () => {
  let replies: Reply[] = ['nothing', 46]
  answer = () => {
    const [next = 0, ...rest] = replies
    replies = rest
    return next
  }
  const sequences = createSequences()
  const [sent] = await send([{ ...tp, records: records(4) }], options({ sequences }))
  expect(sent?.ok).toBe(true)
  expect(sequences.next(tp)).toBe(4)
})

it.each([
  ['nothing', true],
  [7, false],
  ['left out', true],
] as const)(
  'gives up in the end on %s, and says whether it may have been written',
  async (how, unsettled) => {
    answer = () => how
    const sent = await send([
      { ...tp, records: records(1) },
      { ...tp, records: records(1) },
    ])
    expect(sent).toMatchObject([
      { ok: false, unsettled },
      { ok: false, unsettled },
    ])
    expect(sent.map((each) => !each.ok && each.error.kind)).toEqual(['retriable', 'retriable'])
    expect(clock.now()).toBeLessThanOrEqual(5000)
  },
)

it('stops at once when the transaction is lost', async () => {
  answer = () => 47
  const [sent] = await send([{ ...tp, records: records(1) }])
  expect(sent).toMatchObject({ ok: false, unsettled: false, error: { kind: 'fenced' } })
  expect(written).toHaveLength(1)
})

it('refuses what does not exist', async () => {
  const nowhere = { topic, partition: 9 }
  const [sent] = await send([{ ...nowhere, records: records(1) }])
  expect(sent).toMatchObject({
    ok: false,
    error: { kind: 'rejected', message: expect.stringContaining(partitionKey(nowhere)) },
  })
})

it('counts sequence numbers past the largest as the brokers do', () => {
  const largest = 2 ** 31 - 1
  expect(addToSequence(0, 5)).toBe(5)
  expect(addToSequence(largest - 5, 5)).toBe(largest)
  expect(addToSequence(largest, 1)).toBe(0)
  expect(addToSequence(largest - 1, 4)).toBe(2)
})
