/**
 * Every topic there is: name, what its bytes mean, and how the log keeps it. Topic names stand here and nowhere
 * else. Keys are UTF-8 text, except on the topics that a connector writes.
 */
import {
  defineTopic,
  nullable,
  rawBytes,
  type Serde,
  type Topic,
  UndecodableError,
  utf8,
} from '../engine/index.ts'
import {
  type AssignmentChange,
  type Codec,
  type Codecs,
  type DeadDelivery,
  type Delivery,
  type DeliveryCommand,
  type DeliveryHistory,
  type EndpointHealth,
  type FileProgress,
  type OrderChange,
  type OrderCommand,
  type OrderEvent,
  type OrderGaps,
  type PartnerConfig,
  type RedriveProgress,
  type RetryTicket,
  type RoutingVerdict,
  SchemaError,
  type Undecodable,
} from '../schemas/index.ts'
import { topicRetention } from './retention.ts'

/**
 * What a shared log should give the endpoint-keyed topics: their count bounds how many instances can share the
 * deliveries, and growing it later is a drained migration. A log in the process keeps its own default.
 */
export const sharedEndpointPartitions = 24

/** The topics that Debezium writes. */
export const capturedTopics = { orders: 'cdc.oms.orders', assignments: 'cdc.dispatch.assignments' } as const

/**
 * A captured row may be far larger than anything of ours. What an ingest takes in must reach NORMALIZE, which says
 * what is wrong with it; in Kafka it is the connector's producer that decides.
 */
const capturedRecordBytesMax = 16 * 1024 * 1024

/** A delay tier: its tickets fall due this long after the log appended them. */
export interface RetryTier {
  readonly topic: Topic<string, RetryTicket>
  readonly delayMs: number
}

/** All topics, by the names that the code uses. */
export interface Topics {
  /** Debezium's order rows; JSON with or without schema. One-time passwords in clear: tight access, short life. */
  readonly cdcOrders: Topic<Uint8Array | null, Uint8Array | null>
  /** Debezium's rider assignments, like `cdcOrders`. */
  readonly cdcAssignments: Topic<Uint8Array | null, Uint8Array | null>
  readonly orderChanges: Topic<string, OrderChange>
  readonly assignmentChanges: Topic<string, AssignmentChange>
  readonly orderEvents: Topic<string, OrderEvent>
  /** What people ask ENRICH to do; keyed by order like all that it reads. */
  readonly orderCommands: Topic<string, OrderCommand>
  /** The missed transitions of each order that has some. */
  readonly orderGaps: Topic<string, OrderGaps | null>
  /** How far the files of a watched folder have been taken, by file name; written together with their records. */
  readonly ingestProgress: Topic<string, FileProgress | null>
  readonly partnerConfig: Topic<string, PartnerConfig>
  readonly deliveries: Topic<string, Delivery>
  readonly deliveryCommands: Topic<string, DeliveryCommand>
  readonly retry30s: Topic<string, RetryTicket>
  readonly retry2m: Topic<string, RetryTicket>
  readonly retry8m: Topic<string, RetryTicket>
  readonly deadDeliveries: Topic<string, DeadDelivery>
  readonly deliveryHistory: Topic<string, DeliveryHistory>
  readonly routingVerdicts: Topic<string, RoutingVerdict>
  /** How far each redrive of many is, by its id; `null` once it is forgotten. */
  readonly redrives: Topic<string, RedriveProgress | null>
  /** The latest report on each endpoint. */
  readonly endpointHealth: Topic<string, EndpointHealth>
  /** Keys are those of the refused records, whatever they were. */
  readonly undecodable: Topic<Uint8Array | null, Undecodable>
}

/** Declares all topics over one set of codecs. Without `endpointPartitions` the log's default holds for all. */
export function makeTopics(codecs: Codecs, options: { readonly endpointPartitions?: number } = {}): Topics {
  const byEndpoint = { key: utf8, partitions: options.endpointPartitions } as const
  // Due times count from the log's own clock, hence `append`. Never compacted: each ticket is its own.
  const tier = { ...byEndpoint, timestampType: 'append', value: serde(codecs.retryTicket) } as const
  // As Debezium writes them; what they mean is NORMALIZE's to say.
  const captured = {
    key: rawBytes,
    // A connector may write Avro with schemas that only the registry knows.
    value: { ...rawBytes, ...(codecs.prepareMessage && { prepare: codecs.prepareMessage }) },
    maxRecordBytes: capturedRecordBytesMax,
  } as const

  return Object.freeze({
    cdcOrders: defineTopic({ name: capturedTopics.orders, ...captured, ...topicRetention.cdcOrders }),
    cdcAssignments: defineTopic({
      name: capturedTopics.assignments,
      ...captured,
      ...topicRetention.cdcAssignments,
    }),
    orderChanges: defineTopic({
      name: 'orders.changes',
      ...topicRetention.orderChanges,
      key: utf8,
      value: serde(codecs.orderChange),
    }),
    assignmentChanges: defineTopic({
      name: 'dispatch.changes',
      ...topicRetention.assignmentChanges,
      key: utf8,
      value: serde(codecs.assignmentChange),
    }),
    orderEvents: defineTopic({
      name: 'order.events',
      ...topicRetention.orderEvents,
      key: utf8,
      value: serde(codecs.orderEvent),
    }),
    orderCommands: defineTopic({
      name: 'order.commands',
      ...topicRetention.orderCommands,
      key: utf8,
      value: serde(codecs.of('order.commands-value')),
    }),
    orderGaps: defineTopic({
      name: 'order.gaps',
      ...topicRetention.orderGaps,
      key: utf8,
      value: nullable(serde(codecs.of('order.gaps-value'))),
    }),
    ingestProgress: defineTopic({
      name: 'ingest.progress',
      ...topicRetention.ingestProgress,
      key: utf8,
      value: nullable(serde(codecs.of('ingest.progress-value'))),
      partitions: 1,
    }),
    partnerConfig: defineTopic({
      name: 'partner.config',
      ...topicRetention.partnerConfig,
      key: utf8,
      value: serde(codecs.partnerConfig),
    }),
    deliveries: defineTopic({
      name: 'deliveries',
      ...topicRetention.deliveries,
      ...byEndpoint,
      value: serde(codecs.delivery),
    }),
    deliveryCommands: defineTopic({
      name: 'delivery.commands',
      ...topicRetention.deliveryCommands,
      ...byEndpoint,
      value: serde(codecs.deliveryCommand),
    }),
    retry30s: defineTopic({ name: 'deliveries.retry.30s', ...topicRetention.retry30s, ...tier }),
    retry2m: defineTopic({ name: 'deliveries.retry.2m', ...topicRetention.retry2m, ...tier }),
    retry8m: defineTopic({ name: 'deliveries.retry.8m', ...topicRetention.retry8m, ...tier }),
    deadDeliveries: defineTopic({
      name: 'deliveries.dead',
      ...topicRetention.deadDeliveries,
      ...byEndpoint,
      value: serde(codecs.deadDelivery),
    }),
    deliveryHistory: defineTopic({
      name: 'delivery.history',
      ...topicRetention.deliveryHistory,
      ...byEndpoint,
      value: serde(codecs.deliveryHistory),
    }),
    redrives: defineTopic({
      name: 'deliveries.redrives',
      ...topicRetention.redrives,
      key: utf8,
      value: nullable(serde(codecs.of('redrive.progress-value'))),
    }),
    routingVerdicts: defineTopic({
      name: 'routing.verdicts',
      ...topicRetention.routingVerdicts,
      key: utf8,
      value: serde(codecs.routingVerdict),
    }),
    endpointHealth: defineTopic({
      name: 'endpoint.health',
      ...topicRetention.endpointHealth,
      key: utf8,
      value: serde(codecs.of('endpoint.health-value')),
      partitions: options.endpointPartitions,
    }),
    undecodable: defineTopic({
      name: 'undecodable',
      ...topicRetention.undecodable,
      key: rawBytes,
      value: serde(codecs.undecodable),
    }),
  } satisfies Topics)
}

/** The delay tiers in the order in which a delivery passes through them. */
export function retryTiers(topics: Topics): readonly [RetryTier, RetryTier, RetryTier] {
  return [
    { topic: topics.retry30s, delayMs: 30_000 },
    { topic: topics.retry2m, delayMs: 2 * 60_000 },
    { topic: topics.retry8m, delayMs: 8 * 60_000 },
  ]
}

/** A codec as the engine takes it: what cannot be read is undecodable, with the same reason. */
export function serde<T>(codec: Codec<T>): Serde<T> {
  return {
    serialize: codec.serialize,
    deserialize(bytes) {
      try {
        return codec.deserialize(bytes)
      } catch (cause) {
        if (cause instanceof SchemaError) throw new UndecodableError(cause.reason, cause.message, { cause })
        throw cause
      }
    },
    ...(codec.prepare && { prepare: codec.prepare }),
  }
}
