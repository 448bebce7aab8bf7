/** What the delivery log knows, one by one: events, deliveries, attempts, verdicts. */
import { type Static, Type } from 'typebox'
import { count, nullable, text, time, word } from './fields.ts'

const states = ['waiting', 'delivered', 'dead', 'skipped'] as const
export const eventBody = Type.Object(
  {
    event_id: text('Id of the event, and the webhook-id of its requests.'),
    partner_id: text('The partner.'),
    order_id: text('The order.'),
    event: text('Event type.'),
    occurred_at: time('When the order changed.'),
    routed_at: time('When it was first decided who gets it.'),
    order_sequence: nullable(Type.Integer({ description: 'Its place among the events of the order.' })),
    test: Type.Boolean({
      description: 'Sent to try an endpoint: shown, and counted in no rate, deadline or bulk redrive.',
    }),
    deliveries: Type.Object(
      {
        waiting: count('Queued, in flight or waiting for a retry.'),
        delivered: count('Acknowledged.'),
        dead: count('No retries left.'),
        skipped: count('Not tried, or no longer.'),
      },
      { description: 'How many of its deliveries are in each state.' },
    ),
    retry_count: count('The most retries that one of its deliveries has used.'),
    last_change_at: nullable(time('When something last happened to one of its deliveries.')),
  },
  {
    $id: 'Event',
    description: 'One transition of an order.',
    examples: [
      {
        event_id: '0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10',
        partner_id: 'acme',
        order_id: '1101',
        event: 'out_for_delivery',
        occurred_at: '2026-11-22T08:30:00.000Z',
        routed_at: '2026-11-22T08:30:00.412Z',
        order_sequence: 3,
        test: false,
        deliveries: { waiting: 0, delivered: 1, dead: 1, skipped: 0 },
        retry_count: 3,
        last_change_at: '2026-11-22T08:41:02.118Z',
      },
    ],
  },
)
export type EventBody = Static<typeof eventBody>

export const deliveryBody = Type.Object(
  {
    delivery_id: text('The delivery.'),
    event_id: text('The event; the webhook-id of its requests.'),
    endpoint_id: text('The endpoint.'),
    partner_id: text('The partner.'),
    order_id: text('The order.'),
    event: text('Event type.'),
    payload_version: text('Payload version that it was rendered in.'),
    occurred_at: time('When the order changed.'),
    routed_at: time('When it was decided that the endpoint gets it.'),
    order_sequence: nullable(Type.Integer({ description: 'Its place among the events of the order.' })),
    test: Type.Boolean({
      description: 'Sent to try an endpoint: shown, and counted in no rate, deadline or bulk redrive.',
    }),
    state: word(states, 'Where it stands.'),
    version: Type.Integer({ description: 'Grows with every change of the delivery.' }),
    changed_at: time('When it last changed.'),
    change: text('What changed it last: ACCEPTED, ATTEMPTED, SKIPPED, CANCELLED, REDRIVEN, …'),
    retry_count: count('Retries used in the current round: 0 to 3.'),
    next_due_at: nullable(time('When the next retry falls due.')),
    reason: nullable(text('Why it is dead or skipped, or why a command did nothing.')),
    by_hand: Type.Boolean({ description: 'A person asked for it, so no maximum age holds it back.' }),
    out_of_order: Type.Boolean({
      description:
        'Sent although a newer event of its order had been delivered, at an endpoint with strict order.',
    }),
    waited_for_order_ms: count('How much of its life it has waited for earlier events of its order.'),
    redrive_id: nullable(text('The latest redrive that it was part of.')),
    attempts: count('Requests made, over all rounds.'),
    last_outcome: nullable(text('How the latest request ended, e.g. `acknowledged`, `http_5xx`.')),
    last_status_code: nullable(Type.Integer({ description: 'HTTP status of the latest request.' })),
  },
  {
    $id: 'Delivery',
    description: 'One event for one endpoint.',
    examples: [
      {
        delivery_id: '3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55',
        event_id: '0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10',
        endpoint_id: 'acme-orders',
        partner_id: 'acme',
        order_id: '1101',
        event: 'out_for_delivery',
        payload_version: 'v2',
        occurred_at: '2026-11-22T08:30:00.000Z',
        routed_at: '2026-11-22T08:30:00.412Z',
        order_sequence: 3,
        test: false,
        state: 'dead',
        version: 9,
        changed_at: '2026-11-22T08:41:02.118Z',
        change: 'ATTEMPTED',
        retry_count: 3,
        next_due_at: null,
        reason: 'http_5xx',
        by_hand: false,
        out_of_order: false,
        waited_for_order_ms: 0,
        redrive_id: null,
        attempts: 4,
        last_outcome: 'http_5xx',
        last_status_code: 503,
      },
    ],
  },
)
export type DeliveryBody = Static<typeof deliveryBody>

export const attemptBody = Type.Object(
  {
    attempt_id: text('The request.'),
    delivery_id: text('The delivery.'),
    version: Type.Integer({ description: 'Version of the delivery that reported it.' }),
    retry_count: count('0 for the first request of a round, 1 to 3 for its retries.'),
    trigger: text('FIRST, RETRY, MANUAL, REDRIVE or TEST.'),
    started_at: time('When the request started.'),
    reported_at: time('When its outcome was taken in.'),
    outcome: text('How it ended, e.g. `acknowledged`, `timeout_response`.'),
    status_code: nullable(Type.Integer({ description: 'HTTP status, when there was one.' })),
    detail: nullable(text('The error or the first bytes of the response, shortened, secrets taken out.')),
    duration_ms: count('From start to end of the request.'),
    queued_ms: count(
      'How long it had stood in the queue of its endpoint before this request: for an earlier event, a free call, the ' +
        'rate, the breaker or a pause.',
    ),
    retry_after_ms: nullable(count('How long the receiver asked to wait (`Retry-After`), where it did.')),
    again: Type.Boolean({ description: 'True when the same request may have been made once before.' }),
    resulting_state: word(states, 'State of the delivery that resulted.'),
  },
  {
    $id: 'Attempt',
    description: 'One HTTP request of a delivery.',
    examples: [
      {
        attempt_id: '0193537a-1b1c-7a3e-b1f0-2f6d1f6b9c21',
        delivery_id: '3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55',
        version: 3,
        retry_count: 0,
        trigger: 'FIRST',
        started_at: '2026-11-22T08:30:00.431Z',
        reported_at: '2026-11-22T08:30:00.602Z',
        outcome: 'http_5xx',
        status_code: 503,
        detail: 'Service Unavailable',
        duration_ms: 166,
        queued_ms: 4,
        retry_after_ms: 120_000,
        again: false,
        resulting_state: 'waiting',
      },
    ],
  },
)
export type AttemptBody = Static<typeof attemptBody>

export const verdictBody = Type.Object(
  {
    endpoint_id: nullable(text('The endpoint; null when the partner has none.')),
    verdict: text('ROUTED, FILTERED, UNMAPPED, VERSION_TOO_OLD or TOO_OLD.'),
    delivery_id: nullable(text('The delivery, for ROUTED.')),
    payload_version: nullable(text('Payload version that the endpoint is pinned to.')),
    decided_at: time('When it was decided.'),
  },
  {
    $id: 'Verdict',
    description: 'What routing decided about an event and an endpoint.',
    examples: [
      {
        endpoint_id: 'acme-analytics',
        verdict: 'FILTERED',
        delivery_id: null,
        payload_version: 'v1',
        decided_at: '2026-11-22T08:30:00.412Z',
      },
    ],
  },
)
export type VerdictBody = Static<typeof verdictBody>
