/** `/v1/deliveries`: one event for one endpoint, and every request that was made for it. */
import { Type } from 'typebox'
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import { deliveryDetailBody, deliveryPageBody } from '../contract/answers.ts'
import { answer } from '../contract/fields.ts'
import { refuse } from '../errors.ts'
import {
  type Api,
  commonFailures,
  deliveryId,
  filterParameters,
  limitParameter,
  nextLink,
  notFound,
  questionOf,
  scopeOf,
} from '../requests.ts'
import { attemptOf, deliveryOf, payloadOf, timeOrNull } from '../row-bodies.ts'

export function addDeliveries(app: Api, log: DeliveryLog): void {
  app.get(
    '/v1/deliveries',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'listDeliveries',
        tags: ['deliveries'],
        summary: 'List deliveries',
        description: 'Newest event first, then by endpoint. Follow `next` until it is null.',
        querystring: Type.Object(
          { ...filterParameters, limit: Type.Optional(limitParameter(1, 'Most deliveries of a page.')) },
          { additionalProperties: false },
        ),
        response: { 200: answer(deliveryPageBody), ...commonFailures },
      },
    },
    async (request, reply) => {
      const { limit = 50, cursor, ...filters } = request.query
      const question = questionOf(request, filters)
      if ('refused' in question) return refuse(reply, question.refused, question.why)
      const page = await log.listDeliveries(question.scope, question.filter, {
        limit,
        ...(cursor !== undefined && { cursor }),
      })
      if (page === 'bad_cursor') return refuse(reply, 'bad_cursor')
      const next = nextLink(request.url, page.cursor)
      if (next !== null) reply.header('link', `<${next}>; rel="next"`)
      return reply.send({ deliveries: page.deliveries.map(deliveryOf), next, as_of: timeOrNull(page.as_of) })
    },
  )

  app.get(
    '/v1/deliveries/:delivery_id',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'getDelivery',
        tags: ['deliveries'],
        summary: 'Look up a delivery',
        description: 'With its requests, and the body, secrets masked.',
        params: Type.Object({ delivery_id: deliveryId }),
        querystring: Type.Object({}, { additionalProperties: false }),
        response: { 200: answer(deliveryDetailBody), ...commonFailures, ...notFound },
      },
    },
    async (request, reply) => {
      const asOf = await log.asOf()
      const { delivery_id } = request.params
      const found = await log.getDelivery(scopeOf(request), delivery_id)
      if (!found) return refuse(reply, 'no_such_delivery', { message: `there is no delivery ${delivery_id}` })
      return reply.send({
        delivery: deliveryOf(found.delivery),
        attempts: found.attempts.map(attemptOf),
        payload: payloadOf(found.payload),
        as_of: timeOrNull(asOf),
      })
    },
  )
}
