/**
 * The fetcher's requests and their replies. Each broker has at most two under way: one that it may park until
 * something comes, and one for partitions that are wanted while the first is parked without them.
 */
import type { Clock } from '../../clock.ts'
import { type Isolation, LogError, partitionKey } from '../port.ts'
import type { Cluster, Lane } from './cluster-view.ts'
import { BrokerError, errorCode, kafkaError } from './error-table.ts'
import type { Asked, FetchPosition } from './fetch-position.ts'
import { stumble } from './fetch-trouble.ts'
import type { Connection } from './wire/api.ts'
import { byTopic } from './wire/by-topic.ts'
import { type FetchPartitionReply, type FetchReply, fetchApi } from './wire/fetch.ts'
import { earliestOffset, latestOffset, listOffsetsApi } from './wire/list-offsets.ts'

export interface FetchExchange {
  /** Asks for those that are idle, as far as their brokers are free. What comes goes into the positions. */
  ask(positions: readonly FetchPosition[], options: AskOptions): void
  close(): void
}

export interface AskOptions {
  readonly isolation: Isolation
  /** Whether the caller waits, so that the broker may too. */
  readonly mayPark: boolean
}

export interface FetchExchangeParts {
  readonly cluster: Cluster
  readonly clock: Clock
  /** Something arrived, or a broker is free again. */
  readonly onChange: () => void
  /** Asking again will not help. */
  readonly onFailure: (error: unknown) => void
}

/** How long a broker keeps a request when it has nothing. */
const parkMs = 500
/** The most that one reply brings, but for a single batch that is larger. */
const replyBytesMax = 16 * 1024 * 1024

const fetch = fetchApi(12)

/** A lane, and the brokers that have not answered on it. */
interface Slot {
  readonly lane: Lane
  readonly busy: Set<number>
}

/** Makes the exchange; its sockets are opened by the first requests. */
export function createFetchExchange({
  cluster,
  clock,
  onChange,
  onFailure,
}: FetchExchangeParts): FetchExchange {
  const slots: readonly Slot[] = [0, 1].map(() => ({ lane: cluster.lane('fetch'), busy: new Set() }))
  let closed = false

  async function exchange(
    nodeId: number,
    slot: Slot,
    positions: readonly FetchPosition[],
    { isolation, mayPark }: AskOptions,
  ): Promise<void> {
    // What was never answered is wanted at once: nobody knows yet how far its log goes.
    const parked = mayPark && positions.every(({ answered }) => answered)
    const asked: Asked = { parked }
    for (const position of positions) position.asked = asked
    slot.busy.add(nodeId)
    try {
      const reply = await slot.lane.broker(nodeId).send(fetch, {
        maxWaitMs: parked ? parkMs : 0,
        minBytes: 1,
        maxBytes: replyBytesMax,
        isolation,
        topics: byTopic(positions).map(([topic, of]) => ({ topic, partitions: of.map(partitionRequest) })),
      })
      await settle(positions, asked, nodeId, reply)
    } catch (error) {
      if (closed) return
      if (!(error instanceof LogError && error.kind === 'retriable')) onFailure(error)
      for (const position of positions) if (position.asked === asked) fail(position)
    } finally {
      slot.busy.delete(nodeId)
      onChange()
    }
  }

  function fail(position: FetchPosition): void {
    position.asked = undefined
    stumble(position, clock.now())
    cluster.invalidate([position.topic])
  }

  /** Puts a reply into the positions that still wait for it. */
  async function settle(
    positions: readonly FetchPosition[],
    asked: Asked,
    nodeId: number,
    reply: FetchReply,
  ): Promise<void> {
    const replies = new Map<string, FetchPartitionReply[]>()
    for (const { topic, partitions } of reply.topics) {
      const list = replies.get(topic) ?? []
      for (const each of partitions) list[each.partition] = each
      replies.set(topic, list)
    }
    const outOfRange: FetchPosition[] = []
    for (const position of positions) {
      if (position.asked !== asked) continue
      const found = replies.get(position.topic)?.[position.partition]
      const error = reply.error || found?.error
      if (error === 0 && found) accept(position, found)
      else if (error === errorCode.offsetOutOfRange) outOfRange.push(position)
      // A broker that leaves out what it was asked for is asked again like one that fails.
      else if (error === undefined || isPassing(error)) fail(position)
      else onFailure(new BrokerError(error, `Fetch of ${partitionKey(position)} at ${position.offset}`))
    }
    if (outOfRange.length > 0) await findRange(outOfRange, asked, cluster.common.broker(nodeId))
  }

  /** A reply that refuses the offset says nothing of the log: its ends are asked for. */
  async function findRange(positions: readonly FetchPosition[], asked: Asked, leader: Connection) {
    const ask = async (timestamp: number) => {
      const partitions = positions.map(({ topic, partition }) => ({
        topic,
        partition,
        leaderEpoch: -1,
        timestamp,
      }))
      const listed = await leader.send(listOffsetsApi, { isolation: 'read_uncommitted', partitions })
      return new Map(
        listed.filter(({ error }) => error === 0).map((each) => [partitionKey(each), each.offset]),
      )
    }
    const [starts, ends] = await Promise.all([ask(earliestOffset), ask(latestOffset)])
    for (const position of positions) {
      if (position.asked !== asked) continue
      const logStartOffset = starts.get(partitionKey(position))
      const highWatermark = ends.get(partitionKey(position))
      if (logStartOffset === undefined || highWatermark === undefined) {
        fail(position)
        continue
      }
      position.asked = undefined
      position.answered = true
      if (position.offset < logStartOffset || position.offset > highWatermark) {
        position.marks = { highWatermark, lastStableOffset: highWatermark, logStartOffset }
        position.arrived = { problem: 'offset_out_of_range' }
      } else if (position.lastEpoch >= 0) {
        // The leader has forgotten the epoch, not the offset: it is asked again without.
        position.lastEpoch = -1
      } else fail(position)
    }
  }

  return {
    ask(positions, options) {
      const idle = new Map<number, FetchPosition[]>()
      const now = clock.now()
      for (const position of positions) {
        const { leader, arrived, asked, trouble } = position
        if (!leader || arrived || asked || (trouble && trouble.retryAtMs > now)) continue
        const list = idle.get(leader.leader)
        if (list) list.push(position)
        else idle.set(leader.leader, [position])
      }
      for (const [nodeId, list] of idle) {
        const slot = slots.find(({ busy }) => !busy.has(nodeId))
        if (slot) void exchange(nodeId, slot, list, options)
      }
    },
    close() {
      closed = true
      for (const { lane } of slots) lane.close()
    },
  }
}

/** An error that the broker cannot name is worth another try here: reading changes nothing. */
const isPassing = (error: number): boolean =>
  error === errorCode.unknownServerError || kafkaError(error).kind === 'retriable'

function partitionRequest({ partition, leader, offset, lastEpoch, maxBytes }: FetchPosition) {
  // The epoch makes a broker refuse that leads no more: it would answer from its stale copy otherwise.
  return { partition, leaderEpoch: leader?.leaderEpoch ?? -1, offset, lastEpoch, maxBytes }
}

function accept(position: FetchPosition, reply: FetchPartitionReply): void {
  const { highWatermark, lastStableOffset, logStartOffset, records, aborted, divergingOffset } = reply
  position.asked = undefined
  position.answered = true
  position.marks = {
    highWatermark,
    lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
    logStartOffset,
  }
  // The log was cut off behind a reader who had read further: what it read there is gone.
  if (divergingOffset >= 0) position.arrived = { problem: 'offset_out_of_range' }
  else if (records !== null && records.length > 0) position.arrived = { records, aborted }
  else position.trouble = undefined
}
