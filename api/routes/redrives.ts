/** `/v1/redrives`: sending again what an endpoint missed, and how far that is. */
import { Type } from 'typebox'
import { endpointCommandId, isoMs } from '../commands.ts'
import { answer } from '../contract/fields.ts'
import {
  endpointCommandBody,
  type RedriveRequest,
  redriveBody,
  redriveListBody,
  redriveRequest,
} from '../contract/redrives.ts'
import { idempotencyHeaders, sendEndpointCommand } from '../endpoint-commands.ts'
import { refuse } from '../errors.ts'
import type { ApiOptions, RedriveDesk } from '../options.ts'
import {
  type Api,
  commonFailures,
  conflict,
  endpointId,
  notFound,
  redriveId,
  refuseBody,
  scopeOf,
  unreadable,
} from '../requests.ts'
import { redriveOf } from '../row-bodies.ts'

type Needs = Pick<ApiOptions, 'deliveryLog' | 'commands' | 'clock' | 'random' | 'report'>

const noQuery = Type.Object({}, { additionalProperties: false })

export function addRedrives(app: Api, desk: RedriveDesk, needs: Needs): void {
  addBegin(app, needs)
  addLookUps(app, desk)
  addStop(app, desk, needs)
}

function addBegin(app: Api, needs: Needs): void {
  app.post(
    '/v1/redrives',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'beginRedrive',
        tags: ['redrives'],
        summary: 'Send again what an endpoint missed',
        description:
          'Dead and skipped deliveries that match are sent again, the same bytes under the same webhook-id, each with ' +
          'all its retries, at a pace that does not disturb what is new. Without filters: all that the endpoint missed.',
        body: redriveRequest,
        querystring: noQuery,
        headers: idempotencyHeaders,
        response: { 202: answer(endpointCommandBody), ...commonFailures, ...notFound, ...unreadable },
      },
    },
    async (request, reply) => {
      const asked = request.body
      const since = isoMs(asked.since)
      const until = isoMs(asked.until)
      if (Number.isNaN(since) || Number.isNaN(until)) {
        return refuse(reply, 'bad_request', { message: 'since or until is not a time' })
      }
      const id = endpointCommandId(
        'REDRIVE_MATCHING',
        asked.endpoint,
        request.headers['idempotency-key'],
        needs,
      )
      return sendEndpointCommand(needs, reply, scopeOf(request), {
        command: {
          ...orderOf(asked, since, until),
          command_id: id,
          kind: 'REDRIVE_MATCHING',
          endpoint_id: asked.endpoint,
        },
        redriveId: id,
        will: 'what matches is sent again at its pace; GET /v1/redrives/{redrive_id} says how far that is',
      })
    },
  )
}

const orderOf = (asked: RedriveRequest, since: number | null, until: number | null) => ({
  filter: { event: asked.event ?? null, since, until, outcomes: asked.outcomes ?? [] },
  per_second: asked.per_second ?? null,
  within_max_age: asked.within_max_age ?? false,
  confirm_out_of_order: asked.confirm_out_of_order ?? false,
})

const defaultLimit = 100
const limit = Type.Integer({
  minimum: 1,
  maximum: 1000,
  default: defaultLimit,
  description: 'Most redrives of the answer.',
})

function addLookUps(app: Api, desk: RedriveDesk): void {
  app.get(
    '/v1/redrives',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'listRedrives',
        tags: ['redrives'],
        summary: 'List redrives',
        description: 'Those that go on, and those that ended within a week, newest first.',
        querystring: Type.Object(
          { endpoint: Type.Optional(endpointId), limit: Type.Optional(limit) },
          { additionalProperties: false },
        ),
        response: { 200: answer(redriveListBody), ...commonFailures },
      },
    },
    async (request, reply) => {
      const { endpoint, limit = defaultLimit } = request.query
      const { partnerId } = scopeOf(request)
      const redrives = (await desk.list()).filter(
        (one) =>
          (partnerId === null || one.partner_id === partnerId) &&
          (endpoint === undefined || one.endpoint_id === endpoint),
      )
      return reply.send({ redrives: redrives.slice(0, limit).map(redriveOf) })
    },
  )

  app.get(
    '/v1/redrives/:redrive_id',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'getRedrive',
        tags: ['redrives'],
        summary: 'See how far a redrive is',
        description: 'Counts what it looked at, what it sent again, and what became of that.',
        params: Type.Object({ redrive_id: redriveId }),
        querystring: noQuery,
        response: { 200: answer(redriveBody), ...commonFailures, ...notFound },
      },
    },
    async (request, reply) => {
      const found = await find(desk, request.params.redrive_id, scopeOf(request).partnerId)
      return found ? reply.send(redriveOf(found)) : refuse(reply, 'no_such_redrive')
    },
  )
}

function addStop(app: Api, desk: RedriveDesk, needs: Needs): void {
  app.post(
    '/v1/redrives/:redrive_id/stop',
    {
      config: { access: 'token' },
      preHandler: refuseBody,
      schema: {
        operationId: 'stopRedrive',
        tags: ['redrives'],
        summary: 'Send no more of a redrive',
        description: 'What it has sent again already stays as it is; cancel a delivery to give it up.',
        params: Type.Object({ redrive_id: redriveId }),
        querystring: noQuery,
        headers: idempotencyHeaders,
        response: {
          202: answer(endpointCommandBody),
          ...commonFailures,
          ...notFound,
          ...conflict,
          ...unreadable,
        },
      },
    },
    async (request, reply) => {
      const { redrive_id } = request.params
      const found = await find(desk, redrive_id, scopeOf(request).partnerId)
      if (!found) return refuse(reply, 'no_such_redrive')
      if (found.phase !== 'SEARCHING') return refuse(reply, 'not_searching')
      const id = endpointCommandId('STOP_REDRIVE', redrive_id, request.headers['idempotency-key'], needs)
      return sendEndpointCommand(needs, reply, scopeOf(request), {
        command: { command_id: id, kind: 'STOP_REDRIVE', endpoint_id: found.endpoint_id, redrive_id },
        redriveId: redrive_id,
        will: 'no more of it is sent again',
      })
    },
  )
}

async function find(desk: RedriveDesk, id: string, partnerId: string | null) {
  const found = (await desk.list()).find(({ redrive_id }) => redrive_id === id)
  return found && (partnerId === null || found.partner_id === partnerId) ? found : undefined
}
