/** `POST /v1/endpoints/{endpoint_id}/enable` and `/probe`: an endpoint is given another chance. */
import { Type } from 'typebox'
import { endpointCommandId } from '../commands.ts'
import { answer } from '../contract/fields.ts'
import { endpointCommandBody } from '../contract/redrives.ts'
import { idempotencyHeaders, sendEndpointCommand } from '../endpoint-commands.ts'
import type { ApiOptions } from '../options.ts'
import {
  type Api,
  commonFailures,
  endpointId,
  notFound,
  refuseBody,
  scopeOf,
  unreadable,
} from '../requests.ts'

type Needs = Pick<ApiOptions, 'deliveryLog' | 'commands' | 'clock' | 'random' | 'report'>

const commands = {
  enable: {
    kind: 'ENABLE',
    operationId: 'enableEndpoint',
    summary: 'Use an endpoint again that was disabled by the system',
    description:
      'An endpoint is disabled by the system when it answers 410, or fails for days. What it missed stays skipped and ' +
      'can be sent again with a redrive. One that its partner disabled is enabled in its settings.',
    will: 'an endpoint that the system disabled is tried with one delivery, and gets the others when it takes that',
  },
  probe: {
    kind: 'PROBE',
    operationId: 'probeEndpoint',
    summary: 'Try an endpoint now that is left alone because it fails',
    description:
      'While an endpoint fails, it is left alone for a while and then tried with one delivery. This is the end of the while.',
    will: 'the oldest delivery that waits is sent now; when it is taken, the others follow',
  },
} as const

export function addEndpoints(app: Api, needs: Needs): void {
  for (const [name, { kind, will, ...words }] of Object.entries(commands)) {
    app.post(
      `/v1/endpoints/:endpoint_id/${name}` as '/v1/endpoints/:endpoint_id/enable',
      {
        config: { access: 'token' },
        preHandler: refuseBody,
        schema: {
          ...words,
          tags: ['endpoints'],
          params: Type.Object({ endpoint_id: endpointId }),
          querystring: Type.Object({}, { additionalProperties: false }),
          headers: idempotencyHeaders,
          response: { 202: answer(endpointCommandBody), ...commonFailures, ...notFound, ...unreadable },
        },
      },
      async (request, reply) => {
        const { endpoint_id } = request.params
        const id = endpointCommandId(kind, endpoint_id, request.headers['idempotency-key'], needs)
        return sendEndpointCommand(needs, reply, scopeOf(request), {
          command: { command_id: id, kind, endpoint_id },
          redriveId: null,
          will,
        })
      },
    )
  }
}
