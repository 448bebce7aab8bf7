/** `POST /v1/endpoints/{endpoint_id}/secret/rotate`: replaces the signing secret of an endpoint. */
import { Type } from 'typebox'
import { endpointCommandId } from '../commands.ts'
import { endpointSecretBody } from '../contract/endpoint-secret.ts'
import { answer } from '../contract/fields.ts'
import { idempotencyHeaders } from '../endpoint-commands.ts'
import { endpointNotPublished, refuse } from '../errors.ts'
import type { ApiOptions, SecretDesk } from '../options.ts'
import {
  type Api,
  commonFailures,
  conflict,
  endpointId,
  notFound,
  refuseBody,
  scopeOf,
  unreadable,
} from '../requests.ts'
import { timeText } from '../row-bodies.ts'

type Needs = Pick<ApiOptions, 'clock' | 'random' | 'report'>

/** A day: long enough to change a receiver over in office hours. */
const overlapSecondsDefault = 86_400
/** As in the partners' file. */
const overlapSecondsMax = 30 * 86_400

export function addEndpointSecret(app: Api, desk: SecretDesk, needs: Needs): void {
  const { clock, report } = needs
  app.post(
    '/v1/endpoints/:endpoint_id/secret/rotate',
    {
      config: { access: 'token' },
      preHandler: refuseBody,
      schema: {
        operationId: 'rotateEndpointSecret',
        tags: ['endpoints'],
        summary: 'Replace the signing secret of an endpoint',
        description:
          'A new secret is made and shown once. From then on requests are signed with it and, until the overlap is ' +
          'over, with the former one too, also those that wait already. With an `Idempotency-Key`, a repeat is ' +
          'answered with the same secret, for as long as it is the newest. A secret that is stated in the ' +
          'settings of the endpoint is replaced there.',
        params: Type.Object({ endpoint_id: endpointId }),
        querystring: Type.Object(
          {
            overlap_seconds: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: overlapSecondsMax,
                default: overlapSecondsDefault,
                description: 'How long the former secret goes on signing. 0: it stops at once.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        headers: idempotencyHeaders,
        response: {
          200: answer(endpointSecretBody),
          ...commonFailures,
          ...notFound,
          ...conflict,
          ...unreadable,
        },
      },
    },
    async (request, reply) => {
      const { endpoint_id } = request.params
      const { overlap_seconds = overlapSecondsDefault } = request.query
      const scope = scopeOf(request)
      const rotated = await desk
        .rotate({
          scope,
          endpointId: endpoint_id,
          commandId: endpointCommandId(
            'ROTATE_SECRET',
            endpoint_id,
            request.headers['idempotency-key'],
            needs,
          ),
          overlapMs: overlap_seconds * 1000,
          now: clock.now(),
        })
        .catch((cause: unknown) => {
          report(`the signing secret of ${endpoint_id} may not have been replaced`, cause)
          return { refused: 'commands_unavailable' } as const
        })
      if ('refused' in rotated) return refuse(reply, rotated.refused, whyNot[rotated.refused])
      return reply.send({
        endpoint_id,
        key_id: rotated.keyId,
        secret: rotated.secret,
        former_until: timeText(rotated.formerUntil),
        will: 'requests are signed with both until former_until, and with the new one alone from then on',
      })
    },
  )
}

const whyNot = {
  no_such_endpoint: endpointNotPublished,
  secret_stated: undefined,
  too_many_secrets: undefined,
  commands_unavailable: {
    message: 'it is not certain that the secret was replaced',
    mend: 'ask again with the same Idempotency-Key',
  },
} as const
