/** Redrives of many deliveries, and commands about endpoints. */
import { type Static, Type } from 'typebox'
import { count, named, nullable, text, time, word } from './fields.ts'

const filterBody = Type.Object({
  event: nullable(text('Event type; null takes all.')),
  since: nullable(time('Changed at or after.')),
  until: nullable(time('Changed before.')),
  outcomes: Type.Array(Type.String(), {
    description: 'Why they are dead or skipped; empty takes every reason but `cancelled`.',
  }),
})

export const redriveBody = Type.Object(
  {
    redrive_id: text('The redrive.'),
    endpoint_id: text('The endpoint.'),
    partner_id: text('The partner.'),
    phase: word(
      ['SEARCHING', 'SENDING', 'FINISHED', 'STOPPED', 'UNKNOWN'],
      'SEARCHING: looks for what matches, and sends it. SENDING: all of it is queued, not all has come to an end.',
    ),
    automatic: Type.Boolean({ description: 'Begun by itself, when the endpoint answered again.' }),
    requested_by: text('Who asked: api or system.'),
    requested_at: time('When it was asked for.'),
    ended_at: nullable(time('When it finished or was stopped.')),
    filter: filterBody,
    per_second: Type.Number({ description: 'How many are sent again per second at most.' }),
    within_max_age: Type.Boolean({ description: 'Leaves what is older than its maximum age where it is.' }),
    confirm_out_of_order: Type.Boolean({ description: 'Takes also what now comes after a newer event.' }),
    to_look_at: count(
      'Dead and skipped deliveries that there were to look at; other endpoints’ are among them.',
    ),
    looked_at: count('How many of these it has looked at.'),
    redriven: count('Deliveries sent again.'),
    delivered: count('Of these: delivered.'),
    dead: count('Of these: dead again.'),
    skipped: count('Of these: skipped again, or cancelled.'),
    left_too_old: count('Matching, but too old.'),
    left_out_of_order: count('Matching, but a newer event of their order was delivered.'),
    as_of: time('When this was so.'),
  },
  {
    $id: 'Redrive',
    description: 'How far a redrive is.',
    examples: [
      {
        redrive_id: '019ab4c2-7d5e-7c1a-9b1e-0c6f1b1f7a01',
        endpoint_id: 'acme-orders',
        partner_id: 'acme',
        phase: 'SENDING',
        automatic: false,
        requested_by: 'api',
        requested_at: '2026-11-22T09:00:00.000Z',
        ended_at: null,
        filter: { event: 'delivered', since: '2026-11-21T22:00:00.000Z', until: null, outcomes: [] },
        per_second: 50,
        within_max_age: false,
        confirm_out_of_order: false,
        to_look_at: 1400,
        looked_at: 1400,
        redriven: 1200,
        delivered: 1150,
        dead: 0,
        skipped: 0,
        left_too_old: 0,
        left_out_of_order: 0,
        as_of: '2026-11-22T09:00:24.000Z',
      },
    ],
  },
)
export type RedriveBody = Static<typeof redriveBody>

export const redriveListBody = Type.Object(
  {
    redrives: Type.Array(named(redriveBody), {
      description: 'Newest first; kept for a week after they end.',
    }),
  },
  { $id: 'RedriveList', description: 'Redrives.' },
)
export type RedriveListBody = Static<typeof redriveListBody>

/** What `POST /v1/redrives` asks for. */
export const redriveRequest = Type.Object(
  {
    endpoint: Type.String({ minLength: 1, maxLength: 200, description: 'The endpoint.' }),
    event: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Event type.' })),
    since: Type.Optional(Type.String({ format: 'date-time', description: 'Changed at or after.' })),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Changed before.' })),
    outcomes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        maxItems: 50,
        description:
          'Why they are dead or skipped, e.g. http_5xx, timeout_response, too_old, endpoint_disabled. Without: every ' +
          'reason but `cancelled`, which is all that the endpoint missed.',
      }),
    ),
    per_second: Type.Optional(
      Type.Number({ minimum: 0.1, maximum: 5000, description: 'Pace. Default: 50.' }),
    ),
    within_max_age: Type.Optional(
      Type.Boolean({ description: 'Leave what is older than the maximum age of its type. Default: false.' }),
    ),
    confirm_out_of_order: Type.Optional(
      Type.Boolean({
        description:
          'For an endpoint with strict order: take also what now comes after a newer event of its order.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type RedriveRequest = Static<typeof redriveRequest>

export const endpointCommandBody = Type.Object(
  {
    command_id: text('The command. The same Idempotency-Key gives the same one, and it is done once.'),
    endpoint_id: text('The endpoint.'),
    command: word(
      ['ENABLE', 'PROBE', 'REDRIVE_MATCHING', 'STOP_REDRIVE'],
      'What the pipeline is asked to do.',
    ),
    redrive_id: nullable(text('The redrive that it is about.')),
    will: text('What will happen, for people.'),
  },
  {
    $id: 'EndpointCommand',
    description: 'A command that was taken.',
    examples: [
      {
        command_id: '5a7d7b1e-0a4f-5d57-9a55-5f2b0d7c1e11',
        endpoint_id: 'acme-orders',
        command: 'ENABLE',
        redrive_id: null,
        will: 'an endpoint that the system disabled is tried with one delivery, and gets the others when it takes that',
      },
    ],
  },
)
export type EndpointCommandBody = Static<typeof endpointCommandBody>
