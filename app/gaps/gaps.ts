/**
 * The gaps of all orders, for whoever looks at them or has them sent: reads the topic on which ENRICH lists them, and
 * writes the commands that it obeys. Works beside a running pipeline, on any log.
 */
import type { RecordLog, Writer } from '../../engine/index.ts'
import type { OrderGap, OrderGaps } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'
import { appendRecord } from '../pipeline/append-record.ts'
import { readTopic } from '../pipeline/read-topic.ts'

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

/** The gaps that are listed now, oldest notice first. */
export async function listGaps(
  log: RecordLog,
  topics: Pick<Topics, 'orderGaps'>,
  filter: GapFilter = {},
): Promise<ListedGap[]> {
  const orders = new Map<string, OrderGaps | null>()
  for (const { key, value } of await readTopic(log, topics.orderGaps)) orders.set(key, value)
  return [...orders.values()]
    .flatMap((order) =>
      (order?.gaps ?? []).map((gap) => ({
        order_id: order?.order_id ?? '',
        partner_id: order?.partner_id ?? '',
        ...gap,
      })),
    )
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

/** Lists gaps of a running pipeline and has them sent; close it before the log. */
export interface GapDesk {
  list(filter?: GapFilter): Promise<ListedGap[]>
  send(request: SendGapRequest): Promise<void>
  close(): Promise<void>
}

/** Both of the above with a writer of its own. */
export function openGapDesk(pipeline: {
  readonly log: RecordLog
  readonly topics: Pick<Topics, 'orderGaps' | 'orderCommands'>
}): GapDesk {
  const { log, topics } = pipeline
  const writer = log.writer({ transactionalId: 'gap-desk' })
  return {
    list: (filter) => listGaps(log, topics, filter),
    send: (request) => sendGap(log, writer, topics, request),
    close: () => writer.close(),
  }
}
