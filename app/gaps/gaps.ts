/** The gaps of all orders as a list, for whoever looks at them, and the commands by which ENRICH sends them. */
import type { RecordLog, Writer } from '../../engine/index.ts'
import type { OrderGap, OrderGaps } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'
import { appendRecord } from '../pipeline/append-record.ts'

/** One gap, with the order that it is of. */
export interface ListedGap extends OrderGap {
  readonly order_id: string
  readonly partner_id: string
}

export interface GapFilter {
  readonly orderId?: string
  readonly partnerId?: string
  /** Default: all. */
  readonly state?: OrderGap['state']
}

/** Those of these orders that match, oldest notice first. */
export function listedGaps(orders: Iterable<OrderGaps>, filter: GapFilter = {}): ListedGap[] {
  return [...orders]
    .flatMap(({ order_id, partner_id, gaps }) => gaps.map((gap) => ({ order_id, partner_id, ...gap })))
    .filter((gap) => matches(gap, filter))
    .sort((left, right) => left.noticed_at - right.noticed_at || left.order_id.localeCompare(right.order_id))
}

const matches = (gap: ListedGap, { orderId, partnerId, state }: GapFilter): boolean =>
  (orderId === undefined || gap.order_id === orderId) &&
  (partnerId === undefined || gap.partner_id === partnerId) &&
  (state === undefined || gap.state === state)

export interface SendGapRequest {
  readonly orderId: string
  readonly eventId: string
  /** Idempotency key of the request; a gap is sent once in any case. */
  readonly commandId: string
  readonly requestedBy: 'api' | 'cli' | 'system'
  /** Pipeline time. */
  readonly now: number
}

/** Asks ENRICH to send a gap. Durable when it resolves; whether it was sent is seen in the list. */
export async function sendGap(
  log: RecordLog,
  writer: Pick<Writer, 'append'>,
  topics: Pick<Topics, 'orderCommands'>,
  request: SendGapRequest,
): Promise<void> {
  await appendRecord(log, writer, topics.orderCommands, {
    key: request.orderId,
    value: {
      command_id: request.commandId,
      kind: 'SEND_GAP',
      order_id: request.orderId,
      event_id: request.eventId,
      requested_at: request.now,
      requested_by: request.requestedBy,
    },
    timestamp: request.now,
  })
}
