/** Missed transitions: what a snapshot showed and no change had told of. */
import { type Static, Type } from 'typebox'
import { named, nullable, text, time, word } from './fields.ts'

export const gapBody = Type.Object(
  {
    order_id: text('The order.'),
    partner_id: text('The partner.'),
    event_id: text('The event that would be sent; empty when the status has none.'),
    event: nullable(text('Its type; null when the status has none.')),
    from_status: text('The status known before, in the words of the source.'),
    to_status: text('The status that the snapshot showed.'),
    occurred_at: time('When the order changed, by the clock of the source.'),
    noticed_at: time('When the snapshot row was taken in.'),
    state: text(
      'PENDING: can be sent. SENT: somebody had it sent. NOTHING_TO_SEND: its status has no event.',
    ),
    sent_at: nullable(time('When it was sent.')),
  },
  {
    $id: 'Gap',
    description: 'A missed transition of an order.',
    examples: [
      {
        order_id: '1101',
        partner_id: 'acme',
        event_id: '0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10',
        event: 'delivered',
        from_status: 'OUT_FOR_DELIVERY',
        to_status: 'DELIVERED',
        occurred_at: '2026-11-22T08:30:00.000Z',
        noticed_at: '2026-11-22T11:04:12.310Z',
        state: 'PENDING',
        sent_at: null,
      },
    ],
  },
)
export type GapBody = Static<typeof gapBody>

export const gapListBody = Type.Object(
  { gaps: Type.Array(named(gapBody), { description: 'Oldest notice first.' }) },
  { $id: 'GapList', description: 'Missed transitions.' },
)
export type GapListBody = Static<typeof gapListBody>

export const gapCommandBody = Type.Object(
  {
    command_id: text('The command. A gap is sent once, whatever is repeated.'),
    order_id: text('The order.'),
    event_id: text('The event.'),
    command: word(['SEND_GAP'], 'What the pipeline is asked to do.'),
    will: text('What will happen, for people.'),
  },
  {
    $id: 'GapCommand',
    description: 'A command that was taken. What became of it shows in the list.',
    examples: [
      {
        command_id: '5a7d7b1e-0a4f-5d57-9a55-5f2b0d7c1e11',
        order_id: '1101',
        event_id: '0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10',
        command: 'SEND_GAP',
        will: 'the event is sent to every endpoint that takes it, as if the change had just come',
      },
    ],
  },
)
export type GapCommandBody = Static<typeof gapCommandBody>
