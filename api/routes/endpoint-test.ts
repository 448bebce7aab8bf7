/** `POST /v1/endpoints/{endpoint_id}/test`: an event made up for a test, sent once as any other is. */
import { Type } from 'typebox'
import { commandDefaults, sentEvents } from '../../schemas/index.ts'
import { endpointCommandId, testEventId } from '../commands.ts'
import { endpointTestBody } from '../contract/endpoint-test.ts'
import { answer } from '../contract/fields.ts'
import { idempotencyHeaders } from '../endpoint-commands.ts'
import { endpointNotPublished, refuse } from '../errors.ts'
import type { ApiOptions, TestDesk } from '../options.ts'
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

type Needs = Pick<ApiOptions, 'commands' | 'clock' | 'random' | 'report'>

export function addEndpointTest(app: Api, desk: TestDesk, needs: Needs): void {
  const { commands, clock, report } = needs
  app.post(
    '/v1/endpoints/:endpoint_id/test',
    {
      config: { access: 'token' },
      preHandler: refuseBody,
      schema: {
        operationId: 'testEndpoint',
        tags: ['endpoints'],
        summary: 'Send an endpoint an example event',
        description:
          'An event made up for the purpose is signed and sent like any other, with `waybill-trigger: test`, and once: ' +
          'it is not retried. What became of it shows in its delivery. It does not wait behind others, but an endpoint ' +
          'that is paused gets it when it is no longer.',
        params: Type.Object({ endpoint_id: endpointId }),
        querystring: Type.Object({ event: Type.Optional(eventParameter) }, { additionalProperties: false }),
        headers: idempotencyHeaders,
        response: {
          202: answer(endpointTestBody),
          ...commonFailures,
          ...notFound,
          ...conflict,
          ...unreadable,
        },
      },
    },
    async (request, reply) => {
      const { endpoint_id } = request.params
      const { event } = request.query
      const subject = `${endpoint_id} ${event ?? ''}`
      const id = endpointCommandId('TEST', subject, request.headers['idempotency-key'], needs)
      const now = clock.now()
      const made = await desk.make({
        scope: scopeOf(request),
        endpointId: endpoint_id,
        event,
        eventId: testEventId(id),
        now,
      })
      if ('refused' in made) return refuse(reply, made.refused, whyNot[made.refused])
      const { test } = made
      try {
        await commands.send({
          ...commandDefaults,
          command_id: id,
          kind: 'TEST',
          endpoint_id,
          requested_at: now,
          requested_by: 'api',
          test,
        })
      } catch (cause) {
        report(`the command ${id} may not have been queued`, cause)
        return refuse(reply, 'commands_unavailable')
      }
      return reply.code(202).send({
        command_id: id,
        endpoint_id,
        delivery_id: test.delivery_id,
        event_id: test.event_id,
        order_id: test.order_id,
        event: test.event,
        payload_version: test.payload_version,
        will: 'an example event is sent once; its delivery says what the endpoint made of it',
      })
    },
  )
}

const eventParameter = Type.Unsafe<(typeof sentEvents)[number]>({
  type: 'string',
  enum: sentEvents,
  description:
    'Event type, also one that the endpoint does not take. Without: one that it takes, out_for_delivery first.',
})

const whyNot = {
  no_such_endpoint: endpointNotPublished,
  version_too_old: undefined,
} as const
