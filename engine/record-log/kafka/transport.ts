/**
 * The cluster over kafkajs's sockets: which brokers there are, who leads what, who coordinates whom, and lanes of
 * connections to them. What it remembers is shared by everybody who uses the log.
 */
import type { Clock } from '../../clock.ts'
import { LogError } from '../port.ts'
import { type BrokerAddress, type BrokerConnection, makeBrokerConnection } from './broker-connection.ts'
import type { Cluster, CoordinatorKey } from './cluster-view.ts'
import { BrokerError, checkCode, errorCode } from './error-table.ts'
import { type KafkaLane, makeLane } from './lane.ts'
import { patiently, pause } from './patience.ts'
import type { KafkaSecurity } from './security.ts'
import { createTopicMemory } from './topic-memory.ts'
import { findCoordinatorApi } from './wire/find-coordinator.ts'
import { metadataApi } from './wire/metadata.ts'

export interface TransportOptions {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly security: KafkaSecurity
  readonly clock: Clock
  /** Where to say that no broker answers: at once, then once a minute. */
  readonly report: (message: string, cause?: unknown) => void
  /** Default: 5 s. */
  readonly connectTimeoutMs?: number
  /** Default: 15 s. */
  readonly requestTimeoutMs?: number
}

export interface Transport extends Cluster {
  /** Resolves when a broker has answered; waits for one without end, and says so. Throws when it refuses us. */
  connected(signal?: AbortSignal): Promise<void>
  /** Why no broker answers, while none does. */
  trouble(): string | undefined
  close(): void
}

const defaultMaxAgeMs = 30_000
/** While no broker answers. */
const reconnectPauses = { firstPauseMs: 250, longestPauseMs: 5000 }
/** A new cluster makes its internal topics at the first question for a coordinator, which takes some hundred ms. */
const coordinatorPatience = { forMs: 20_000, firstPauseMs: 20, longestPauseMs: 500 }
const reportEveryMs = 60_000

/** Makes the transport; nothing is connected yet. */
export function openTransport(options: TransportOptions): Transport {
  const { clock, report } = options
  const seeds = options.brokers.map(parseSeed)
  const known = new Map<number, BrokerAddress>(seeds.map((seed) => [seed.nodeId, seed]))
  const lanes = new Set<KafkaLane>()
  const coordinators = new Map<string, number>()
  let preferred: number | undefined
  let controllerId = -1
  let trouble: string | undefined
  let reportedAtMs = Number.NEGATIVE_INFINITY
  let closed = false

  const makeConnection = (address: BrokerAddress) =>
    makeBrokerConnection({
      address,
      clientId: options.clientId,
      security: options.security,
      clock,
      connectTimeoutMs: options.connectTimeoutMs ?? 5000,
      requestTimeoutMs: options.requestTimeoutMs ?? 15_000,
    })

  function lane(name: string): KafkaLane {
    if (closed) throw new LogError('retriable', 'the log is closed')
    const made = makeLane({ name, addressOf: (nodeId) => known.get(nodeId), open: makeConnection })
    lanes.add(made)
    return {
      ...made,
      close() {
        lanes.delete(made)
        made.close()
      },
    }
  }
  const common = lane('short requests')

  /** The last one that answered, then all that are known, the given ones last. */
  function candidates(): number[] {
    const ids = [...known.keys()].sort((left, right) => right - left)
    return preferred === undefined ? ids : [preferred, ...ids.filter((id) => id !== preferred)]
  }

  async function anyBroker(): Promise<BrokerConnection> {
    const complaints: string[] = []
    for (const nodeId of candidates()) {
      try {
        const connection = common.broker(nodeId)
        await connection.features()
        preferred = nodeId
        trouble = undefined
        return connection
      } catch (error) {
        if (closed || !(error instanceof LogError) || error.kind !== 'retriable') throw error
        complaints.push(error.message)
      }
    }
    preferred = undefined
    trouble = [...new Set(complaints)].join('; ')
    throw new LogError('retriable', `no Kafka broker answers: ${trouble}`)
  }

  async function ask(names: readonly string[] | null) {
    const broker = await anyBroker()
    const reply = await broker.send(metadataApi, { topics: names })
    for (const { nodeId, host, port } of reply.brokers) known.set(nodeId, { nodeId, host, port })
    if (reply.brokers.length > 0) {
      const live = new Set(reply.brokers.map(({ nodeId }) => nodeId))
      for (const nodeId of known.keys()) if (nodeId >= 0 && !live.has(nodeId)) known.delete(nodeId)
    }
    controllerId = reply.controllerId
    return reply
  }
  const memory = createTopicMemory(clock, ask)

  async function findCoordinator({ kind, id }: CoordinatorKey): Promise<number> {
    const broker = await anyBroker()
    const reply = await broker.send(findCoordinatorApi, { kind, id })
    checkCode(reply.error, `FindCoordinator of ${describeCoordinated(kind)} ${id}`)
    const { nodeId, host, port } = reply
    known.set(nodeId, { nodeId, host, port })
    return nodeId
  }

  function complain(error: LogError): void {
    if (clock.now() - reportedAtMs < reportEveryMs) return
    reportedAtMs = clock.now()
    report(`${error.message}. Waiting for one of ${options.brokers.join(', ')}`)
  }

  return {
    lane,
    common,
    anyBroker,
    trouble: () => trouble,
    brokers: () => [...known.keys()].filter((nodeId) => nodeId >= 0),
    async controller() {
      await ask([])
      return known.has(controllerId) ? common.broker(controllerId) : anyBroker()
    },
    topics: (names, { maxAgeMs = defaultMaxAgeMs } = {}) => memory.topics(names, maxAgeMs),
    topicNames: async () =>
      (await ask(null)).topics.filter((topic) => !topic.internal).map((topic) => topic.name),
    leaderOf: memory.leaderOf,
    invalidate: memory.invalidate,
    async coordinator(key) {
      const name = `${key.kind}/${key.id}`
      const found = coordinators.get(name)
      if (found !== undefined && known.has(found)) return found
      const nodeId = await patiently({ clock, ...coordinatorPatience }, () => findCoordinator(key), isPassing)
      coordinators.set(name, nodeId)
      return nodeId
    },
    forgetCoordinator({ kind, id }) {
      coordinators.delete(`${kind}/${id}`)
    },
    features: async () => (await anyBroker()).features(),
    async connected(signal) {
      for (let pauseMs = reconnectPauses.firstPauseMs; ; pauseMs *= 2) {
        try {
          await ask([])
          return
        } catch (error) {
          if (closed || !(error instanceof LogError) || error.kind !== 'retriable') throw error
          signal?.throwIfAborted()
          complain(error)
        }
        await pause(clock, Math.min(pauseMs, reconnectPauses.longestPauseMs), signal)
        signal?.throwIfAborted()
      }
    },
    close() {
      closed = true
      for (const each of lanes) each.close()
      lanes.clear()
    },
  }
}

const describeCoordinated = (kind: CoordinatorKey['kind']) =>
  kind === 'group' ? 'consumer group' : 'transactional id'

const passing: readonly number[] = [
  errorCode.coordinatorLoadInProgress,
  errorCode.coordinatorNotAvailable,
  errorCode.notCoordinator,
]

/** No broker, or one that is still making up its mind. */
const isPassing = (error: unknown): boolean =>
  error instanceof BrokerError
    ? passing.includes(error.code)
    : error instanceof LogError && error.kind === 'retriable'

/** Seeds get negative ids: which broker answers there is not known. */
function parseSeed(text: string, index: number): BrokerAddress {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]]+)):(?<port>\d{1,5})$/.exec(text.trim())
  const host = match?.groups?.v6 ?? match?.groups?.host
  const port = Number(match?.groups?.port)
  if (!host || !(port > 0 && port < 65_536)) {
    throw new LogError(
      'rejected',
      `${JSON.stringify(text)} names no broker: host:port is needed, e.g. kafka-1:9092`,
    )
  }
  return { nodeId: -1 - index, host, port }
}
