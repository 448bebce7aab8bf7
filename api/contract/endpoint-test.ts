/** What a test of an endpoint is answered. */
import { type Static, Type } from 'typebox'
import { text } from './fields.ts'

export const endpointTestBody = Type.Object(
  {
    command_id: text('The command. The same Idempotency-Key gives the same one, and it is done once.'),
    endpoint_id: text('The endpoint.'),
    delivery_id: text('The delivery that it becomes.'),
    event_id: text('The event that was made up; the webhook-id of the request.'),
    order_id: text('The order that its body names; begins with `waybill-test-`.'),
    event: text('Event type.'),
    payload_version: text('Payload version that it is rendered in.'),
    will: text('What will happen, for people.'),
  },
  {
    $id: 'EndpointTest',
    description: 'A test that was taken. What became of it shows in the delivery.',
    examples: [
      {
        command_id: '019ab4c2-7d5e-7c1a-9b1e-0c6f1b1f7a01',
        endpoint_id: 'acme-orders',
        delivery_id: '3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55',
        event_id: '0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10',
        order_id: 'waybill-test-0b8f7f3c',
        event: 'out_for_delivery',
        payload_version: 'v2',
        will: 'an example event is sent once; its delivery says what the endpoint made of it',
      },
    ],
  },
)
export type EndpointTestBody = Static<typeof endpointTestBody>
