/** `/v1/endpoints`: how endpoints are set up; and `/pause`, `/resume`, which change that while everything runs. */
import { Type } from 'typebox'
import { endpointBody, endpointListBody } from '../contract/endpoints.ts'
import { answer } from '../contract/fields.ts'
import { endpointNotPublished, refuse } from '../errors.ts'
import type { ApiOptions, EndpointDesk } from '../options.ts'
import {
  type Api,
  commonFailures,
  conflict,
  endpointId,
  notFound,
  partnerId,
  refuseBody,
  scopeOf,
  unreadable,
} from '../requests.ts'

type Needs = Pick<ApiOptions, 'report'>

const noQuery = Type.Object({}, { additionalProperties: false })
const params = Type.Object({ endpoint_id: endpointId })

export function addEndpointSettings(app: Api, desk: EndpointDesk, needs: Needs): void {
  addLookUps(app, desk)
  addPauses(app, desk, needs)
}

function addLookUps(app: Api, desk: EndpointDesk): void {
  app.get(
    '/v1/endpoints',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'listEndpoints',
        tags: ['endpoints'],
        summary: 'List endpoints',
        description: 'By id, with their settings. Secrets are left out.',
        querystring: Type.Object({ partner: Type.Optional(partnerId) }, { additionalProperties: false }),
        response: { 200: answer(endpointListBody), ...commonFailures },
      },
    },
    async (request, reply) => {
      const { partner } = request.query
      const own = scopeOf(request)
      if (partner !== undefined && own.partnerId !== null && own.partnerId !== partner)
        return refuse(reply, 'other_partner')
      const scope = partner === undefined ? own : { partnerId: partner }
      return reply.send({ endpoints: [...(await desk.list(scope))] })
    },
  )

  app.get(
    '/v1/endpoints/:endpoint_id',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'getEndpoint',
        tags: ['endpoints'],
        summary: 'Look up an endpoint',
        description: 'Its settings. Secrets are left out.',
        params,
        querystring: noQuery,
        response: { 200: answer(endpointBody), ...commonFailures, ...notFound },
      },
    },
    async (request, reply) => {
      const { endpoint_id } = request.params
      const found = (await desk.list(scopeOf(request))).find((each) => each.endpoint_id === endpoint_id)
      return found ? reply.send(found) : refuse(reply, 'no_such_endpoint', endpointNotPublished)
    },
  )
}

const wishes = {
  pause: {
    paused: true,
    operationId: 'pauseEndpoint',
    summary: 'Hold back what goes to an endpoint',
    description:
      'Deliveries wait until it is resumed; a request that is running is not broken off. It stays paused over restarts, ' +
      'until it is resumed or its settings say another state than before.',
  },
  resume: {
    paused: false,
    operationId: 'resumeEndpoint',
    summary: 'Send what was held back',
    description:
      'What waited is sent, as far as it is not too old. An endpoint that the settings disabled is enabled there; one ' +
      'that the system disabled with `enable`.',
  },
} as const

function addPauses(app: Api, desk: EndpointDesk, { report }: Needs): void {
  for (const [name, { paused, ...words }] of Object.entries(wishes)) {
    app.post(
      `/v1/endpoints/:endpoint_id/${name}` as '/v1/endpoints/:endpoint_id/pause',
      {
        config: { access: 'token' },
        preHandler: refuseBody,
        schema: {
          ...words,
          tags: ['endpoints'],
          params,
          querystring: noQuery,
          response: { 200: answer(endpointBody), ...commonFailures, ...notFound, ...conflict, ...unreadable },
        },
      },
      async (request, reply) => {
        const { endpoint_id: endpointId } = request.params
        const changed = await desk
          .setPaused({ scope: scopeOf(request), endpointId, paused })
          .catch((cause: unknown) => {
            report(`the state of ${endpointId} may not have been changed`, cause)
            return { refused: 'commands_unavailable' } as const
          })
        if (!('refused' in changed)) return reply.send(changed)
        return refuse(reply, changed.refused, whyNot[changed.refused])
      },
    )
  }
}

const whyNot = {
  no_such_endpoint: endpointNotPublished,
  endpoint_disabled: undefined,
  commands_unavailable: {
    message: 'it is not certain that the state was changed',
    mend: 'ask again: done twice it is the same',
  },
} as const
