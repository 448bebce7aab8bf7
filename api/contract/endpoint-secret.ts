/** What the replacement of a signing secret is answered. */
import { type Static, Type } from 'typebox'
import { text, time } from './fields.ts'

export const endpointSecretBody = Type.Object(
  {
    endpoint_id: text('The endpoint.'),
    key_id: text('Names the new secret; says nothing about it.'),
    secret: text(
      'What to verify with from now on: `whsec_…`, or the public key `whpk_…`. Shown in this answer and nowhere else.',
    ),
    former_until: time('Until then requests bear a signature of the former secret too.'),
    will: text('What will happen, for people.'),
  },
  {
    $id: 'EndpointSecret',
    description: 'A signing secret that was replaced.',
    examples: [
      {
        endpoint_id: 'acme-orders',
        key_id: 'made-1.1',
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=',
        former_until: '2026-11-23T08:30:00.000Z',
        will: 'requests are signed with both until former_until, and with the new one alone from then on',
      },
    ],
  },
)
export type EndpointSecretBody = Static<typeof endpointSecretBody>
