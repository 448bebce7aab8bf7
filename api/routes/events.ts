/** `/v1/events`: what happened to orders, and what became of it. */
import { Type } from 'typebox'
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import { answerVersionHeaders } from '../../schemas/index.ts'
import { eventDetailBody, eventPageBody } from '../contract/answers.ts'
import { answer } from '../contract/fields.ts'
import { refuse } from '../errors.ts'
import {
  type Api,
  commonFailures,
  eventId,
  filterParameters,
  limitParameter,
  nextLink,
  notFound,
  questionOf,
  scopeOf,
} from '../requests.ts'
import { deliveryOf, eventOf, payloadOf, timeOrNull, verdictOf } from '../row-bodies.ts'

export function addEvents(app: Api, log: DeliveryLog): void {
  app.get(
    '/v1/events',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'listEvents',
        tags: ['events'],
        summary: 'List events',
        description:
          'Newest first, by the time the order changed. `status` and `endpoint` speak of deliveries: an event is ' +
          'listed when one and the same delivery of it matches.',
        querystring: Type.Object(
          { ...filterParameters, limit: Type.Optional(limitParameter(1, 'Most events of a page.')) },
          { additionalProperties: false },
        ),
        response: { 200: answer(eventPageBody), ...commonFailures },
      },
    },
    async (request, reply) => {
      const { limit = 50, cursor, ...filters } = request.query
      const question = questionOf(request, filters)
      if ('refused' in question) return refuse(reply, question.refused, question.why)
      const page = await log.listEvents(question.scope, question.filter, {
        limit,
        ...(cursor !== undefined && { cursor }),
      })
      if (page === 'bad_cursor') return refuse(reply, 'bad_cursor')
      const next = nextLink(request.url, page.cursor)
      if (next !== null) reply.header('link', `<${next}>; rel="next"`)
      return reply.send({ events: page.events.map(eventOf), next, as_of: timeOrNull(page.as_of) })
    },
  )

  app.get(
    '/v1/events/:event_id',
    {
      config: { access: 'token' },
      schema: {
        operationId: 'getEvent',
        tags: ['events'],
        summary: 'Look up an event',
        description: 'With its deliveries, what routing decided, and the bodies, secrets masked.',
        params: Type.Object({ event_id: eventId }),
        querystring: Type.Object({}, { additionalProperties: false }),
        response: { 200: answer(eventDetailBody), ...commonFailures, ...notFound },
      },
    },
    async (request, reply) => {
      // Asked first: what happens in between is then in the answer, and `as_of` promises too little, never too much.
      const asOf = await log.asOf()
      const { event_id } = request.params
      const found = await log.getEvent(scopeOf(request), event_id)
      if (!found) return refuse(reply, 'no_such_event', { message: `there is no event ${event_id}` })
      // Whoever looks at a body in a version that will end is told so, with the days.
      reply.headers(answerVersionHeaders(found.payloads.map(({ payload_version }) => payload_version)))
      return reply.send({
        event: eventOf(found.event),
        deliveries: found.deliveries.map(deliveryOf),
        verdicts: found.verdicts.map(verdictOf),
        payloads: found.payloads.map(({ payload_version, payload }) => ({
          payload_version,
          payload: payloadOf(payload),
        })),
        as_of: timeOrNull(asOf),
      })
    },
  )
}
