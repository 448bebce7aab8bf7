/** What is asked about events and deliveries, and answered. */
import { type Static, Type } from 'typebox'
import { asOf, named, nullable, text, word } from './fields.ts'
import { attemptBody, deliveryBody, eventBody, verdictBody } from './rows.ts'

const payload = Type.Unknown({
  description: 'The body as sent, as JSON, with its secrets masked; null when it was never reported.',
})

const pageOf = {
  next: nullable(text('Where the next page is; null on the last one. Follow it as it is.')),
  as_of: asOf,
}

export const eventPageBody = Type.Object(
  { events: Type.Array(named(eventBody)), ...pageOf },
  { $id: 'EventPage', description: 'Events, newest first.' },
)
export type EventPageBody = Static<typeof eventPageBody>

export const eventDetailBody = Type.Object(
  {
    event: named(eventBody),
    deliveries: Type.Array(named(deliveryBody), { description: 'By endpoint.' }),
    verdicts: Type.Array(named(verdictBody)),
    payloads: Type.Array(
      Type.Object({ payload_version: text('The version that it was rendered in.'), payload }),
    ),
    as_of: asOf,
  },
  { $id: 'EventDetail', description: 'An event with all that hangs on it.' },
)
export type EventDetailBody = Static<typeof eventDetailBody>

export const deliveryPageBody = Type.Object(
  { deliveries: Type.Array(named(deliveryBody)), ...pageOf },
  { $id: 'DeliveryPage', description: 'Deliveries, newest event first.' },
)
export type DeliveryPageBody = Static<typeof deliveryPageBody>

export const deliveryDetailBody = Type.Object(
  {
    delivery: named(deliveryBody),
    attempts: Type.Array(named(attemptBody), { description: 'Oldest first.' }),
    payload,
    as_of: asOf,
  },
  { $id: 'DeliveryDetail', description: 'A delivery with its requests.' },
)
export type DeliveryDetailBody = Static<typeof deliveryDetailBody>

export const commandBody = Type.Object(
  {
    command_id: text('The command. The same Idempotency-Key gives the same one, and it is done once.'),
    delivery_id: text('The delivery.'),
    command: word(['RETRY_NOW', 'REDRIVE', 'CANCEL'], 'What the pipeline is asked to do.'),
    will: text('What will happen, for people.'),
    state: word(['waiting', 'delivered', 'dead', 'skipped'], 'State of the delivery as the log knew it.'),
    as_of: asOf,
  },
  {
    $id: 'Command',
    description: 'A command that was taken. What became of it shows in the delivery.',
    examples: [
      {
        command_id: '5a7d7b1e-0a4f-5d57-9a55-5f2b0d7c1e11',
        delivery_id: '3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55',
        command: 'REDRIVE',
        will: 'it is sent again, the same bytes under the same webhook-id, with all its retries',
        state: 'dead',
        as_of: '2026-11-22T08:52:10.000Z',
      },
    ],
  },
)
export type CommandBody = Static<typeof commandBody>
