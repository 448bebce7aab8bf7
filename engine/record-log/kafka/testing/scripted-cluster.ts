/**
 * A cluster for tests of the fetcher: brokers that hold batches in memory, park requests on a manual clock, and do
 * what a test tells them to. Requests arrive as values; that they can be written and read is the wire tests' subject.
 */
import type { ManualClock } from '../../../clock.ts'
import { LogError, type NewRecord, partitionKey, type TopicPartition } from '../../port.ts'
import { createSignal, raise, waitForAny } from '../../signal.ts'
import type { Cluster, PartitionView, TopicView } from '../cluster-view.ts'
import type { Api, Connection } from '../wire/api.ts'
import type {
  FetchPartitionReply,
  FetchPartitionRequest,
  FetchReply,
  FetchRequestBody,
} from '../wire/fetch.ts'
import { earliestOffset, type ListOffsetsRequest } from '../wire/list-offsets.ts'
import { WireWriter } from '../wire/primitives.ts'
import { layout } from '../wire/record-batch-layout.ts'
import { anonymousProducer, writeRecordBatch } from '../wire/record-batch-writer.ts'

/** One fetch as a broker saw it. */
export interface SeenFetch {
  readonly nodeId: number
  /** 0 and 1: the fetcher's two lanes. */
  readonly lane: number
  readonly maxWaitMs: number
  readonly partitions: readonly (TopicPartition & FetchPartitionRequest)[]
}

export interface ScriptedCluster {
  readonly cluster: Cluster
  readonly fetches: SeenFetch[]
  metadataRequests(): number
  append(tp: TopicPartition, records: readonly NewRecord[]): void
  /** The log of a partition: batches, and where it begins. */
  log(tp: TopicPartition): { batches: Buffer[]; startOffset: number; endOffset: number }
  lead(tp: TopicPartition, leader: Partial<PartitionView>): void
  /** Replaces replies of a partition; `undefined` leaves it to the log. */
  script(answer: Script): void
}

export type Script = (
  nodeId: number,
  request: TopicPartition & FetchPartitionRequest,
) => Partial<FetchPartitionReply> | 'broken' | undefined

export function scriptedCluster(clock: ManualClock, topics: Record<string, number>): ScriptedCluster {
  const views = new Map<string, TopicView>()
  const logs = new Map<string, { batches: Buffer[]; startOffset: number; endOffset: number }>()
  const fetches: SeenFetch[] = []
  const grown = createSignal()
  let metadataRequests = 0
  let lanes = 0
  let script: Script = () => undefined

  for (const [name, count] of Object.entries(topics)) {
    const partitions = Array.from({ length: count }, (_, partition) => ({
      partition,
      leader: 1,
      leaderEpoch: 5,
    }))
    views.set(name, { name, partitions })
    for (const { partition } of partitions) {
      logs.set(partitionKey({ topic: name, partition }), { batches: [], startOffset: 0, endOffset: 0 })
    }
  }
  const logOf = (tp: TopicPartition) => {
    const log = logs.get(partitionKey(tp))
    if (!log) throw new Error(`the test made no ${partitionKey(tp)}`)
    return log
  }

  function answer(nodeId: number, request: TopicPartition & FetchPartitionRequest): FetchPartitionReply {
    const scripted = script(nodeId, request)
    if (scripted === 'broken') throw new LogError('retriable', `broker ${nodeId} is gone`)
    const { batches, startOffset, endOffset } = logOf(request)
    const ahead = batches.filter((batch) => endOf(batch) > request.offset)
    const reply: FetchPartitionReply = {
      partition: request.partition,
      error: request.offset < startOffset || request.offset > endOffset ? 1 : 0,
      highWatermark: endOffset,
      lastStableOffset: endOffset,
      logStartOffset: startOffset,
      aborted: [],
      divergingOffset: -1,
      records: null,
    }
    // One batch a reply: enough to see what is asked for next.
    const [first] = ahead
    return { ...reply, ...(reply.error === 0 && first && { records: first }), ...scripted }
  }

  async function fetch(nodeId: number, lane: number, request: FetchRequestBody): Promise<FetchReply> {
    const partitions = request.topics.flatMap(({ topic, partitions: of }) =>
      of.map((each) => ({ topic, ...each })),
    )
    fetches.push({ nodeId, lane, maxWaitMs: request.maxWaitMs, partitions })
    const untilMs = clock.now() + request.maxWaitMs
    for (;;) {
      const answers = request.topics.map(({ topic, partitions: of }) => ({
        topic,
        partitions: of.map((each) => answer(nodeId, { topic, ...each })),
      }))
      const something = answers.some((each) =>
        each.partitions.some(({ error, records }) => error !== 0 || records !== null),
      )
      if (something || clock.now() >= untilMs) return { error: 0, topics: answers }
      await waitForAny([grown], { clock, untilMs })
    }
  }

  function listOffsets(request: ListOffsetsRequest) {
    return request.partitions.map((tp) => ({
      topic: tp.topic,
      partition: tp.partition,
      error: 0,
      offset: tp.timestamp === earliestOffset ? logOf(tp).startOffset : logOf(tp).endOffset,
    }))
  }

  const connection = (nodeId: number, lane: number): Connection => ({
    nodeId,
    async send<Request, Reply>(api: Api<Request, Reply>, request: Request): Promise<Reply> {
      if (api.name === 'Fetch') return (await fetch(nodeId, lane, request as FetchRequestBody)) as Reply
      if (api.name === 'ListOffsets') return listOffsets(request as ListOffsetsRequest) as Reply
      throw new Error(`no ${api.name} here`)
    },
  })
  const outside = () => {
    throw new Error('not asked for by a fetcher')
  }

  return {
    fetches,
    metadataRequests: () => metadataRequests,
    log: logOf,
    append(tp, records) {
      const log = logOf(tp)
      const out = new WireWriter().begin(false)
      writeRecordBatch(out, records, { producer: anonymousProducer })
      const batch = out.copy()
      batch.writeBigInt64BE(BigInt(log.endOffset), layout.baseOffset)
      batch.writeInt32BE(5, layout.leaderEpoch)
      log.batches.push(batch)
      log.endOffset += records.length
      raise(grown)
    },
    lead(tp, leader) {
      const view = views.get(tp.topic)
      if (!view) return
      const partitions = view.partitions.map((each) =>
        each.partition === tp.partition ? { ...each, ...leader } : each,
      )
      views.set(tp.topic, { ...view, partitions })
    },
    script(answers) {
      script = answers
      raise(grown)
    },
    cluster: {
      lane: () => {
        const lane = lanes++
        return { broker: (nodeId) => connection(nodeId, lane), close() {} }
      },
      common: { broker: (nodeId) => connection(nodeId, -1), close() {} },
      brokers: () => [1, 2],
      anyBroker: outside,
      controller: outside,
      async topics(names) {
        metadataRequests++
        return new Map(names.flatMap((name) => [...views].filter(([known]) => known === name)))
      },
      topicNames: outside,
      leaderOf: ({ topic, partition }) => views.get(topic)?.partitions[partition],
      invalidate() {},
      coordinator: outside,
      forgetCoordinator() {},
      features: outside,
    },
  }
}

const endOf = (batch: Buffer): number =>
  Number(batch.readBigInt64BE(layout.baseOffset)) + batch.readInt32BE(layout.lastOffsetDelta) + 1
