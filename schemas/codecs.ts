/** One codec per subject, by name. */
import type { Codec } from './codec.ts'
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
  /** The codec of any subject under schemas/avro; the type follows from the subject. */
  of<S extends keyof SubjectTypes>(subject: S): Codec<SubjectTypes[S]>
}
