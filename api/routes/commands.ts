/** `POST /v1/deliveries/{delivery_id}/retry` and `/cancel`: wishes that are queued for DELIVER. */
import { Type } from 'typebox'
import { commandFor, commandId, planCommand, type Wish } from '../commands.ts'
import { commandBody } from '../contract/answers.ts'
import { answer } from '../contract/fields.ts'
import { idempotencyHeaders } from '../endpoint-commands.ts'
import { refuse } from '../errors.ts'
import type { ApiOptions } from '../options.ts'
import {
  type Api,
  commonFailures,
  conflict,
  deliveryId,
  notFound,
  refuseBody,
  scopeOf,
  unreadable,
} from '../requests.ts'
import { timeOrNull } from '../row-bodies.ts'

type Needs = Pick<ApiOptions, 'deliveryLog' | 'commands' | 'clock' | 'random' | 'report'>

const idempotency =
  'With an `Idempotency-Key`, the same request may be repeated: it is done once. A repeat that comes after the ' +
  'delivery has moved on may be answered 409.'

export function addCommands(app: Api, needs: Needs): void {
  addCommand(app, needs, 'retry', {
    operationId: 'retryDelivery',
    summary: 'Send a delivery now, or again',
    description:
      'A waiting delivery is sent now instead of when its retry falls due. A dead or skipped one is sent again, ' +
      `with all its retries. ${idempotency}`,
  })
  addCommand(app, needs, 'cancel', {
    operationId: 'cancelDelivery',
    summary: 'Give a waiting delivery up',
    description: `It becomes \`skipped\`, and can be sent again by a retry. ${idempotency}`,
  })
}

const confirmation = Type.Optional(
  Type.Boolean({
    description:
      'For an endpoint with strict order: a dead or skipped delivery is sent although a newer event of its order was ' +
      'delivered. Without, that is refused.',
  }),
)
/** Of one type, so that one handler serves both: what a route does not document, it does not let through. */
const query = (parameters: { readonly confirm_out_of_order?: typeof confirmation }) =>
  Type.Unsafe<{ readonly confirm_out_of_order?: boolean }>(
    Type.Object(parameters, { additionalProperties: false }),
  )
const queries = { retry: query({ confirm_out_of_order: confirmation }), cancel: query({}) }

interface Words {
  readonly operationId: string
  readonly summary: string
  readonly description: string
}

function addCommand(app: Api, needs: Needs, wish: Wish, words: Words): void {
  const { deliveryLog, commands, clock, random, report } = needs
  app.post(
    `/v1/deliveries/:delivery_id/${wish}` as '/v1/deliveries/:delivery_id/retry',
    {
      config: { access: 'token' },
      preHandler: refuseBody,
      schema: {
        ...words,
        tags: ['deliveries'],
        params: Type.Object({ delivery_id: deliveryId }),
        querystring: queries[wish],
        headers: idempotencyHeaders,
        response: {
          202: answer(commandBody),
          ...commonFailures,
          ...notFound,
          ...conflict,
          ...unreadable,
        },
      },
    },
    async (request, reply) => {
      const asOf = await deliveryLog.asOf()
      const { delivery_id } = request.params
      const found = await deliveryLog.getDelivery(scopeOf(request), delivery_id)
      if (!found) return refuse(reply, 'no_such_delivery', { message: `there is no delivery ${delivery_id}` })
      const row = found.delivery
      const plan = planCommand(wish, row)
      if ('refused' in plan) {
        return refuse(reply, plan.refused, { message: `delivery ${delivery_id} is ${row.state}` })
      }
      const id = commandId(wish, row, request.headers['idempotency-key'], { clock, random })
      try {
        const confirmOutOfOrder = request.query.confirm_out_of_order ?? false
        await commands.send(commandFor(plan, id, row, { now: clock.now(), confirmOutOfOrder }))
      } catch (cause) {
        report(`the command ${id} may not have been queued`, cause)
        return refuse(reply, 'commands_unavailable')
      }
      return reply.code(202).send({
        command_id: id,
        delivery_id: row.delivery_id,
        command: plan.command,
        will: plan.will,
        state: row.state,
        as_of: timeOrNull(asOf),
      })
    },
  )
}
