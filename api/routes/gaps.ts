/** `/v1/gaps`: missed transitions. They are listed, and sent only when an operator asks for it. */
import { Type } from 'typebox'
import { newCommandId } from '../commands.ts'
import { answer } from '../contract/fields.ts'
import { gapCommandBody, gapListBody } from '../contract/gaps.ts'
import { refuse } from '../errors.ts'
import type { ApiOptions, GapDesk } from '../options.ts'
import {
  type Api,
  commonFailures,
  conflict,
  eventId,
  notFound,
  orderId,
  partnerId,
  refuseBody,
  unreadable,
} from '../requests.ts'
import { gapOf } from '../row-bodies.ts'

type Needs = Pick<ApiOptions, 'clock' | 'random' | 'report'>

export function addGaps(app: Api, desk: GapDesk, { clock, random, report }: Needs): void {
  app.get(
    '/v1/gaps',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listGaps',
        tags: ['gaps'],
        summary: 'List missed transitions',
        description:
          'What a snapshot of the source showed and no change had told of. Nothing of it is sent by itself.',
        querystring: Type.Object(
          {
            state: Type.Optional(
              Type.Unsafe<'PENDING' | 'SENT' | 'NOTHING_TO_SEND'>({
                type: 'string',
                enum: ['PENDING', 'SENT', 'NOTHING_TO_SEND'],
                description: 'Those in one state.',
              }),
            ),
            partner: Type.Optional(partnerId),
            order: Type.Optional(orderId),
          },
          { additionalProperties: false },
        ),
        response: { 200: answer(gapListBody), ...commonFailures },
      },
    },
    async (request, reply) => {
      const { state, partner, order } = request.query
      const gaps = (await desk.list()).filter(
        (gap) =>
          (state === undefined || gap.state === state) &&
          (partner === undefined || gap.partner_id === partner) &&
          (order === undefined || gap.order_id === order),
      )
      return reply.send({ gaps: gaps.map(gapOf) })
    },
  )

  app.post(
    '/v1/gaps/:order_id/:event_id/send',
    {
      config: { access: 'operator' },
      preHandler: refuseBody,
      schema: {
        operationId: 'sendGap',
        tags: ['gaps'],
        summary: 'Send a missed transition',
        description: 'A gap is sent once, however often and by whomever it is asked for.',
        params: Type.Object({ order_id: orderId, event_id: eventId }),
        querystring: Type.Object({}, { additionalProperties: false }),
        response: { 202: answer(gapCommandBody), ...commonFailures, ...notFound, ...conflict, ...unreadable },
      },
    },
    async (request, reply) => {
      const { order_id, event_id } = request.params
      const gap = (await desk.list()).find((one) => one.order_id === order_id && one.event_id === event_id)
      if (!gap) return refuse(reply, 'no_such_gap')
      if (gap.state !== 'PENDING') return refuse(reply, 'not_pending')
      const command_id = newCommandId({ clock, random })
      try {
        await desk.send({
          orderId: order_id,
          eventId: event_id,
          commandId: command_id,
          requestedBy: 'api',
          now: clock.now(),
        })
      } catch (cause) {
        report(`the command ${command_id} may not have been queued`, cause)
        return refuse(reply, 'commands_unavailable', { mend: 'send it again; a gap is sent once' })
      }
      return reply.code(202).send({
        command_id,
        order_id,
        event_id,
        command: 'SEND_GAP',
        will: 'the event is sent to every endpoint that takes it, as if the change had just come',
      })
    },
  )
}
