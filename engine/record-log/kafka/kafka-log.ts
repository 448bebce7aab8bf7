/**
 * The record log on Kafka: puts transport, admin, fetcher, writers and group together. One log per process is meant;
 * its fetchers, writers and members have sockets of their own, and share what is known of the cluster.
 */
import { type Clock, systemClock } from '../../clock.ts'
import { LogError, type RecordLog, type TopicDescription } from '../port.ts'
import { namingPrincipal } from './access.ts'
import { createKafkaAdmin, type KafkaAdmin } from './admin.ts'
import { createKafkaFetcher } from './fetcher.ts'
import { createKafkaGroup } from './group/kafka-group.ts'
import { type KafkaSasl, type KafkaTls, principalOf } from './security.ts'
import { offsetMetadataBytesMax } from './transactions.ts'
import { openTransport } from './transport.ts'
import { createKafkaWriter, type KafkaWriter } from './writer.ts'

export interface KafkaLogOptions {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[]
  /** What the brokers' logs and quotas call us. */
  readonly clientId: string
  /** Absent: no encryption. */
  readonly tls?: KafkaTls
  /** Absent: no authentication, or by the certificate in `tls`. */
  readonly sasl?: KafkaSasl
  /** Default: the system's. */
  readonly clock?: Clock
  /** A transaction open for so long is aborted by the brokers. Default: 5 s. */
  readonly transactionTimeoutMs?: number
  /** Copies of each partition of topics that are created. Default: three, or as many as there are brokers. */
  readonly replicationFactor?: number
  /** Said here: no broker answers (at once, then once a minute), a member that could not say goodbye. */
  readonly report?: (message: string, cause?: unknown) => void
  /** A listener or assignor of a group threw where nobody waits: a bug. Default: ends the process. */
  readonly onFault?: (error: unknown) => void
}

export interface KafkaLog extends RecordLog {
  readonly admin: KafkaAdmin
  /** Resolves when a broker has answered: waits for one without end, and reports. Throws when it refuses us. */
  connected(signal?: AbortSignal): Promise<void>
  /** Why no broker answers, while none does: for readiness. */
  trouble(): string | undefined
}

const defaultTransactionTimeoutMs = 5000
/** Sooner, a commit spends more time on its five or six requests than on records. */
const commitFloorMs = 20

const partitionsOf = ({ name, partitions }: TopicDescription) =>
  Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))

const throwOutside = (error: unknown): void =>
  queueMicrotask(() => {
    throw error
  })

/** Opens the log; nothing is connected before something is asked, or `connected` is called. */
export function openKafkaLog(options: KafkaLogOptions): KafkaLog {
  const { clock = systemClock, report = () => {}, onFault = throwOutside } = options
  const security = { tls: options.tls, sasl: options.sasl }
  const principal = principalOf(security)
  const transport = openTransport({
    brokers: options.brokers,
    clientId: options.clientId,
    ...{ security, clock, report },
  })
  const closing = new AbortController()
  const { replicationFactor } = options
  const admin = createKafkaAdmin({
    ...{ cluster: transport, clock, closing: closing.signal },
    ...(replicationFactor !== undefined && { replicationFactor }),
  })
  const group = createKafkaGroup({ cluster: transport, clock, onFault, report })
  const writers = new Set<KafkaWriter>()

  const checkOpen = () => {
    if (closing.signal.aborted) throw new LogError('retriable', 'the log is closed')
  }

  return {
    capabilities: {
      adapter: 'kafka',
      openTransactions: true,
      maxOffsetMetadataBytes: offsetMetadataBytesMax,
      commitFloorMs,
    },
    clock,
    admin: namingPrincipal(
      {
        ...admin,
        // A broker refuses to lead for some ms after it was made the leader: the topic is there when all answer.
        async createTopics(topics) {
          await admin.createTopics(topics)
          await admin.startOffsets(topics.flatMap(partitionsOf))
        },
        // Who asks after one of our commits is to see it, although its markers come a moment later.
        async endOffsets(partitions, isolation) {
          if (isolation === 'read_committed')
            await Promise.all([...writers].map((writer) => writer.settled()))
          return admin.endOffsets(partitions, isolation)
        },
      },
      principal,
    ),
    group: namingPrincipal({ join: group.join }, principal),
    fetcher() {
      checkOpen()
      return namingPrincipal(createKafkaFetcher({ cluster: transport, clock, report }), principal)
    },
    writer({ transactionalId }) {
      checkOpen()
      const writer = createKafkaWriter({
        ...{ transactionalId, cluster: transport, clock, successorOf: group.successorOf },
        transactionTimeoutMs: options.transactionTimeoutMs ?? defaultTransactionTimeoutMs,
      })
      writers.add(writer)
      const { init, append, begin, close } = namingPrincipal(writer, principal)
      return {
        init,
        append,
        begin: () => namingPrincipal(begin(), principal),
        async close() {
          await close()
          writers.delete(writer)
        },
      }
    },
    connected: transport.connected,
    trouble: transport.trouble,
    async close() {
      closing.abort()
      group.close()
      for (const writer of writers) await writer.close()
      transport.close()
    },
  }
}
