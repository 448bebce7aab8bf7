/** Every way in which the API says no: code, status and what mends it, in one table. Codes are never reused. */
import type { ErrorBody } from './contract/error.ts'

export const errorTable = {
  bad_request: {
    status: 400,
    message: 'the request is not as documented',
    mend: 'compare it with /openapi.json',
  },
  bad_cursor: {
    status: 400,
    message: 'the cursor is not one of ours, or belongs to another question',
    mend: 'start again without a cursor, and follow `next` as it is',
  },
  unauthorized: {
    status: 401,
    message: 'no valid token was given',
    mend: 'send the header "Authorization: Bearer <token>"',
  },
  forbidden: {
    status: 403,
    message: 'this token may not do that',
    mend: 'use a token of an operator',
  },
  other_partner: {
    status: 403,
    message: 'this token belongs to one partner and sees nothing else',
    mend: 'leave the filter `partner` out',
  },
  local_only: {
    status: 403,
    message: 'without tokens only programs on this machine are answered',
    mend: 'call it as 127.0.0.1 or localhost, or configure tokens',
  },
  no_such_route: { status: 404, message: 'there is no such route', mend: 'see /openapi.json' },
  no_such_event: {
    status: 404,
    message: 'there is no such event',
    mend: 'check the id; what just happened shows up within seconds, see as_of',
  },
  no_such_delivery: {
    status: 404,
    message: 'there is no such delivery',
    mend: 'check the id; what just happened shows up within seconds, see as_of',
  },
  no_such_endpoint: {
    status: 404,
    message: 'nothing was reported about such an endpoint',
    mend: 'check the id; an endpoint is reported about from its first delivery on',
  },
  no_such_partner: {
    status: 404,
    message: 'nothing was reported about endpoints of such a partner',
    mend: 'check the id; endpoints are reported about from their first delivery on',
  },
  no_such_gap: { status: 404, message: 'there is no such missed transition', mend: 'see GET /v1/gaps' },
  no_such_redrive: {
    status: 404,
    message: 'there is no such redrive',
    mend: 'check the id; a new one shows up within seconds, and one that ended for a week',
  },
  not_searching: {
    status: 409,
    message: 'this redrive sends nothing more anyway',
    mend: 'there is nothing to do',
  },
  already_delivered: {
    status: 409,
    message: 'the delivery is delivered',
    mend: 'there is nothing to do; what was acknowledged is never sent again',
  },
  not_waiting: {
    status: 409,
    message: 'only a waiting delivery can be cancelled',
    mend: 'there is nothing to do',
  },
  not_pending: {
    status: 409,
    message: 'this missed transition was sent, or has no event to send',
    mend: 'there is nothing to do',
  },
  version_too_old: {
    status: 409,
    message: 'the payload version that the endpoint is pinned to has no such event',
    mend: 'choose another event, or pin a newer version in its settings',
  },
  endpoint_disabled: {
    status: 409,
    message: 'the settings of this endpoint have disabled it',
    mend: 'enable it in partners.yaml',
  },
  secret_stated: {
    status: 409,
    message: 'the settings of this endpoint state its signing secret',
    mend: 'replace it in partners.yaml: the former one signs on for secret_overlap',
  },
  too_many_secrets: {
    status: 409,
    message: 'as many replaced secrets of this endpoint sign still as may at once',
    mend: 'wait until the overlap of one of them is over',
  },
  backup_running: {
    status: 409,
    message: 'a backup is being taken already',
    mend: 'wait for it; there is one at a time',
  },
  log_elsewhere: {
    status: 409,
    message: 'the record log is Kafka, and its backup is not ours to make',
    mend: 'replicate or snapshot the topics with the means of Kafka',
  },
  too_large: {
    status: 413,
    message: 'the body is too large',
    mend: 'no request of this API needs a body of more than a few kilobytes',
  },
  unsupported_media: {
    status: 415,
    message: 'the body is of a type that is not read here',
    mend: 'send none, or JSON',
  },
  internal: {
    status: 500,
    message: 'a bug in Waybill',
    mend: 'report it with the x-request-id of this answer',
  },
  log_unavailable: {
    status: 503,
    message: 'the delivery log cannot be reached',
    mend: 'try again in a moment; deliveries go on meanwhile',
  },
  commands_unavailable: {
    status: 503,
    message: 'it is not certain that the command was taken',
    mend: 'send it again with the same Idempotency-Key',
  },
} as const satisfies Record<string, { status: number; message: string; mend: string }>

export type ErrorCode = keyof typeof errorTable
export type StatusOf<Code extends ErrorCode> = (typeof errorTable)[Code]['status']

/** What the table does not know about one case. */
export interface Particulars {
  readonly message?: string
  readonly mend?: string
  readonly details?: ErrorBody['error']['details']
}

/** For routes that ask settings, not reports: an endpoint is in those before anything was delivered to it. */
export const endpointNotPublished = {
  message: 'there is no such endpoint',
  mend: 'check the id; an endpoint is there once its settings are published',
} as const satisfies Particulars

/** The body for a code. */
export function errorOf(code: ErrorCode, particulars: Particulars = {}): ErrorBody {
  const { message, mend } = errorTable[code]
  return {
    error: {
      code,
      message: particulars.message ?? message,
      mend: particulars.mend ?? mend,
      ...(particulars.details && { details: particulars.details }),
    },
  }
}

/** Answers with an error. That the route documents its status is held by the tests; the compiler does not see it. */
export function refuse<Code extends ErrorCode, Reply>(
  reply: { code(status: StatusOf<Code>): { send(body: ErrorBody): Reply } },
  code: Code,
  particulars?: Particulars,
): Reply {
  return reply.code(errorTable[code].status).send(errorOf(code, particulars))
}
