/** How commands about an endpoint are checked, queued and answered. */
import { Type } from 'typebox'
import type { Scope } from '../ports/delivery-log.ts'
import { commandDefaults, type DeliveryCommand } from '../schemas/index.ts'
import type { ErrorBody } from './contract/error.ts'
import type { EndpointCommandBody } from './contract/redrives.ts'
import { errorOf } from './errors.ts'
import type { ApiOptions } from './options.ts'

/** Names a request, so that a repeat of it is done once. */
export const idempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[\\x21-\\x7e]+$',
      description: 'A text of your own that names this request: repeated with it, it is done once.',
      examples: ['order-1101-again-1'],
    }),
  ),
})

type EndpointKind = EndpointCommandBody['command']

export interface EndpointCommand {
  readonly command: Partial<DeliveryCommand> & {
    readonly command_id: string
    readonly kind: EndpointKind
    readonly endpoint_id: string
  }
  readonly redriveId: string | null
  /** What will happen, for people. */
  readonly will: string
}

interface Reply<Sent> {
  code(status: 202): { send(body: EndpointCommandBody): Sent }
  code(status: 404 | 503): { send(body: ErrorBody): Sent }
}

type Needs = Pick<ApiOptions, 'deliveryLog' | 'commands' | 'clock' | 'report'>

/** Queues it, if the endpoint is one of the caller's. */
export async function sendEndpointCommand<Sent>(
  { deliveryLog, commands, clock, report }: Needs,
  reply: Reply<Sent>,
  scope: Scope,
  { command, redriveId, will }: EndpointCommand,
): Promise<Sent> {
  const { command_id, endpoint_id, kind } = command
  const known = (await deliveryLog.listHealth(scope)).some((row) => row.endpoint_id === endpoint_id)
  if (!known) return reply.code(404).send(errorOf('no_such_endpoint'))
  try {
    await commands.send({
      ...commandDefaults,
      ...command,
      requested_at: clock.now(),
      requested_by: 'api',
    })
  } catch (cause) {
    report(`the command ${command_id} may not have been queued`, cause)
    return reply.code(503).send(errorOf('commands_unavailable'))
  }
  return reply.code(202).send({ command_id, endpoint_id, command: kind, redrive_id: redriveId, will })
}
