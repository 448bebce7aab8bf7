/** One codec per subject, by name. */
import { type Codec, makeCodec, makePrepare } from './codec.ts'
import type {
  AssignmentChange,
  DeadDelivery,
  Delivery,
  DeliveryCommand,
  DeliveryHistory,
  OrderChange,
  OrderEvent,
  PartnerConfig,
  RetryTicket,
  RoutingVerdict,
  SubjectTypes,
  Undecodable,
} from './generated/types.ts'
import { type MessageDecoder, makeMessageDecoder } from './message-decoder.ts'
import type { Registry } from './registry.ts'

/** The codecs of all topics, and `of` for the subjects of stores. */
export interface Codecs {
  readonly orderChange: Codec<OrderChange>
  readonly assignmentChange: Codec<AssignmentChange>
  readonly orderEvent: Codec<OrderEvent>
  readonly partnerConfig: Codec<PartnerConfig>
  readonly delivery: Codec<Delivery>
  readonly deliveryCommand: Codec<DeliveryCommand>
  readonly retryTicket: Codec<RetryTicket>
  readonly deadDelivery: Codec<DeadDelivery>
  readonly deliveryHistory: Codec<DeliveryHistory>
  readonly routingVerdict: Codec<RoutingVerdict>
  readonly undecodable: Codec<Undecodable>
  /** Reads what others wrote, by the schema they wrote it with. */
  readonly decodeMessage: MessageDecoder
  /** Something to await before `decodeMessage` can read these bytes. Absent where all ids are known from the start. */
  readonly prepareMessage?: NonNullable<Codec<unknown>['prepare']>
  /** The codec of any subject under schemas/avro; the type follows from the subject. */
  of<S extends keyof SubjectTypes>(subject: S): Codec<SubjectTypes[S]>
}

/** Makes the codecs of every subject over one registry. Throws when the registry lacks a schema that ships. */
export function makeCodecs(registry: Registry): Codecs {
  const made = new Map<string, Codec<unknown>>()
  const of = <S extends keyof SubjectTypes>(subject: S): Codec<SubjectTypes[S]> => {
    const codec = made.get(subject) ?? makeCodec<unknown>(subject, registry)
    made.set(subject, codec)
    // The map loses the subject's type; SubjectTypes is generated from the very schema the codec was made from.
    return codec as Codec<SubjectTypes[S]>
  }
  return Object.freeze({
    orderChange: of('orders.changes-value'),
    assignmentChange: of('dispatch.changes-value'),
    orderEvent: of('order.events-value'),
    partnerConfig: of('partner.config-value'),
    delivery: of('deliveries-value'),
    deliveryCommand: of('delivery.commands-value'),
    retryTicket: of('retry.tickets-value'),
    deadDelivery: of('deliveries.dead-value'),
    deliveryHistory: of('delivery.history-value'),
    routingVerdict: of('routing.verdicts-value'),
    undecodable: of('undecodable-value'),
    decodeMessage: makeMessageDecoder(registry),
    ...(registry.fetch && { prepareMessage: makePrepare(registry) }),
    of,
  })
}
