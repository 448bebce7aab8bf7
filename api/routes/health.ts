/** `/v1/endpoints/{id}/health` and `/v1/partners/{id}/health`: how receivers do, as WATCH reports. */
import { Type } from 'typebox'
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import { answer } from '../contract/fields.ts'
import { endpointHealthBody, partnerHealthBody } from '../contract/health.ts'
import { refuse } from '../errors.ts'
import { type Api, commonFailures, endpointId, notFound, partnerId, scopeOf } from '../requests.ts'
import { endpointHealthOf, partnerHealthOf } from '../row-bodies.ts'

export function addHealth(app: Api, log: DeliveryLog): void {
  app.get(
    '/v1/endpoints/:endpoint_id/health',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'getEndpointHealth',
        tags: ['health'],
        summary: 'How an endpoint does',
        description:
          'Acknowledgement rates, failures in a row, open deliveries, deadlines, and a state with its reason.',
        params: Type.Object({ endpoint_id: endpointId }),
        querystring: Type.Object({}, { additionalProperties: false }),
        response: { 200: answer(endpointHealthBody), ...commonFailures, ...notFound },
      },
    },
    async (request, reply) => {
      const { endpoint_id } = request.params
      const row = (await log.listHealth(scopeOf(request))).find((one) => one.endpoint_id === endpoint_id)
      return row ? reply.send(endpointHealthOf(row)) : refuse(reply, 'no_such_endpoint')
    },
  )

  app.get(
    '/v1/partners/:partner_id/health',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'getPartnerHealth',
        tags: ['health'],
        summary: 'How a partner does',
        description: 'The fold of its endpoints, with their reports.',
        params: Type.Object({ partner_id: partnerId }),
        querystring: Type.Object({}, { additionalProperties: false }),
        response: { 200: answer(partnerHealthBody), ...commonFailures, ...notFound },
      },
    },
    async (request, reply) => {
      const { partner_id } = request.params
      const own = scopeOf(request)
      if (own.partnerId !== null && own.partnerId !== partner_id) return refuse(reply, 'no_such_partner')
      const rows = await log.listHealth({ partnerId: partner_id })
      return rows.length > 0
        ? reply.send(partnerHealthOf(partner_id, rows))
        : refuse(reply, 'no_such_partner')
    },
  )
}
