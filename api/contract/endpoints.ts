/** What is said of the settings of endpoints. */
import { type Static, Type } from 'typebox'
import { named, nullable, text, time, word } from './fields.ts'

const states = ['active', 'paused', 'disabled'] as const

const keyBody = Type.Object({
  key_id: text('Names the secret; says nothing about it.'),
  kind: word(['hmac', 'ed25519'], 'A shared secret, or a key pair of which the partner has the public half.'),
  created_at: time('When it was made.'),
  expires_at: nullable(time('Until when it signs on; null: it is not replaced.')),
})

/** One that is set up as endpoints usually are. */
export const endpointExample = {
  endpoint_id: 'acme-orders',
  partner_id: 'acme',
  url: 'https://hooks.acme.example/waybill',
  state: 'active' as const,
  stated_state: null,
  events: ['*'],
  payload_version: 'v2',
  timeout_ms: 10_000,
  max_concurrent: 4,
  rate_per_second: null,
  acknowledge_on: 'any_2xx' as const,
  strict_order: false,
  auto_redrive: false,
  max_age_ms: {},
  headers: [],
  client_certificate: false,
  signing_keys: [
    {
      key_id: 'made-1',
      kind: 'hmac' as const,
      created_at: '2026-11-01T08:00:00.000Z',
      expires_at: null,
    },
  ],
  config_version: 3,
}

export const endpointBody = Type.Object(
  {
    endpoint_id: text('The endpoint.'),
    partner_id: text('The partner.'),
    url: text('Where its webhooks go; the query is left out.'),
    state: word(states, 'paused: deliveries wait. disabled: they are skipped, and kept.'),
    stated_state: nullable(
      text(
        'The state that the settings say, where somebody has paused or resumed it since; null: state is what they say.',
      ),
    ),
    events: Type.Array(Type.String(), { description: 'Event types that it takes; `*` takes all.' }),
    payload_version: text('Payload version that it is pinned to.'),
    timeout_ms: Type.Integer({ description: 'How long one request may take.' }),
    max_concurrent: Type.Integer({ description: 'Most requests at once.' }),
    rate_per_second: nullable(Type.Number({ description: 'Most requests per second; null: no limit.' })),
    acknowledge_on: word(['any_2xx', 'only_200'], 'Which answers acknowledge.'),
    strict_order: Type.Boolean({ description: 'Whether the events of an order wait for each other.' }),
    auto_redrive: Type.Boolean({ description: 'Whether what it missed is sent by itself.' }),
    max_age_ms: Type.Record(Type.String(), Type.Integer(), {
      description: 'Ages of its own after which an event is not sent by itself, by type.',
    }),
    headers: Type.Array(Type.String(), { description: 'Names of further headers; their values are secret.' }),
    client_certificate: Type.Boolean({ description: 'Whether it is shown a certificate of its own.' }),
    signing_keys: Type.Array(keyBody, { description: 'What signs its requests, newest first.' }),
    config_version: Type.Integer({ description: 'Version of the partner’s settings that say so.' }),
  },
  {
    $id: 'Endpoint',
    description: 'An endpoint as it is set up.',
    examples: [endpointExample],
  },
)
export type EndpointBody = Static<typeof endpointBody>

export const endpointListBody = Type.Object(
  { endpoints: Type.Array(named(endpointBody)) },
  { $id: 'EndpointList', description: 'Endpoints, by id.', examples: [{ endpoints: [] }] },
)
export type EndpointListBody = Static<typeof endpointListBody>
