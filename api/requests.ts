/** What routes have in common: the types of a request, the parameters, who asks, and the documented ways to fail. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import { Type } from 'typebox'
import { type EventFilter, pageLimitMax, type Scope, statusFilters } from '../ports/delivery-log.ts'
import { sentEvents } from '../schemas/index.ts'
import type { Access } from './auth.ts'
import type { ErrorBody } from './contract/error.ts'
import { type ErrorCode, type Particulars, refuse } from './errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says who may call it; one that does not is refused when it is added. */
    access?: Access
  }
}

/** The server, with types that follow from the routes' schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

const scopeKey = 'waybill.scope'

/** Makes room for the scope on every request. */
export const addScope = (app: FastifyInstance): void => void app.decorateRequest(scopeKey, null)

interface Request {
  getDecorator<T>(name: string): T
  setDecorator<T>(name: string, value: T): void
}

export const setScope = (request: Request, scope: Scope): void => request.setDecorator(scopeKey, scope)

/** What the caller may see. */
export const scopeOf = (request: Request): Scope => request.getDecorator<Scope>(scopeKey)

/** Ids and names: anything printable; a control character is never part of one. */
const idPattern = '^[^\\u0000-\\u001f\\u007f]+$'
const id = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 200, pattern: idPattern, description, examples: [example] })
const word = <const Words extends readonly string[]>(words: Words, description: string) =>
  Type.Optional(Type.Unsafe<Words[number]>({ type: 'string', enum: words, description }))

export const eventId = id('The event.', '0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10')
export const deliveryId = id('The delivery.', '3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55')
export const endpointId = id('The endpoint.', 'acme-orders')
export const partnerId = id('The partner.', 'acme')
export const orderId = id('The order.', '1101')
export const redriveId = id('The redrive.', '019ab4c2-7d5e-7c1a-9b1e-0c6f1b1f7a01')

/** The filters that lists share. All that is given must hold. */
export const filterParameters = {
  type: word(sentEvents, 'Event type.'),
  status: word(
    statusFilters,
    'State of a delivery; `failed` is the same as `dead`, `retried` means that it took more than one try.',
  ),
  since: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'The order changed at or after this time, RFC 3339.',
      examples: ['2026-11-22T08:00:00Z'],
    }),
  ),
  until: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'The order changed before this time, RFC 3339.',
      examples: ['2026-11-22T09:00:00Z'],
    }),
  ),
  partner: Type.Optional(partnerId),
  endpoint: Type.Optional(endpointId),
  order: Type.Optional(orderId),
  redrive: Type.Optional(redriveId),
  out_of_order: Type.Optional(
    Type.Boolean({ description: 'Sent although a newer event of its order had been delivered, or not so.' }),
  ),
  test: Type.Optional(Type.Boolean({ description: 'Sent to try an endpoint, or not so.' })),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 500, description: 'Where a page goes on; part of `next`.' }),
  ),
}

export const limitParameter = (minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: pageLimitMax, default: 50, description })

/** The shared filters as a request brings them. */
export interface Filters {
  readonly type?: string
  readonly status?: (typeof statusFilters)[number]
  readonly since?: string
  readonly until?: string
  readonly partner?: string
  readonly endpoint?: string
  readonly order?: string
  readonly redrive?: string
  readonly out_of_order?: boolean
  readonly test?: boolean
}

/** A request's filters as a question to the log, or why it cannot be asked. */
export type Question =
  | { readonly scope: Scope; readonly filter: EventFilter }
  | { readonly refused: Extract<ErrorCode, 'bad_request' | 'other_partner'>; readonly why?: Particulars }

export function questionOf(request: Request, filters: Filters): Question {
  const own = scopeOf(request)
  const { partner, type, status, since, until, endpoint, order, redrive, out_of_order, test } = filters
  if (partner !== undefined && own.partnerId !== null && own.partnerId !== partner) {
    return { refused: 'other_partner' }
  }
  const sinceMs = since === undefined ? undefined : Date.parse(since)
  const untilMs = until === undefined ? undefined : Date.parse(until)
  const broken = Object.entries({ since: sinceMs, until: untilMs }).filter(([, ms]) => Number.isNaN(ms))
  if (broken.length > 0) {
    const details = broken.map(([name]) => ({ where: `query.${name}`, what: 'there is no such time' }))
    return { refused: 'bad_request', why: { details } }
  }
  return {
    scope: partner === undefined ? own : { partnerId: partner },
    filter: {
      ...(type !== undefined && { type }),
      ...(status !== undefined && { status }),
      ...(sinceMs !== undefined && { sinceMs }),
      ...(untilMs !== undefined && { untilMs }),
      ...(endpoint !== undefined && { endpointId: endpoint }),
      ...(order !== undefined && { orderId: order }),
      ...(redrive !== undefined && { redriveId: redrive }),
      ...(out_of_order !== undefined && { outOfOrder: out_of_order }),
      ...(test !== undefined && { test }),
    },
  }
}

/** The address of the next page: the same question from the cursor on. */
export function nextLink(url: string, cursor: string | null): string | null {
  if (cursor === null) return null
  const next = new URL(url, 'http://waybill.invalid')
  next.searchParams.set('cursor', cursor)
  return `${next.pathname}${next.search}`
}

/** Before the handler of a route that takes no body: one that says something would be ignored, and somebody might rely on it. */
export async function refuseBody(request: { body: unknown }, reply: FastifyReply): Promise<unknown> {
  const { body } = request
  const saysNothing =
    body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0)
  return saysNothing ? undefined : refuse(reply, 'bad_request', { message: 'this route takes no body' })
}

const failure = (description: string) => Type.Unsafe<ErrorBody>({ $ref: 'Error#', description })

/** How every route that needs a token may fail. */
export const commonFailures = {
  400: failure('The request is not as documented.'),
  401: failure('No valid token was given.'),
  403: failure('The token may not do that.'),
  500: failure('A bug in Waybill.'),
  503: failure('Something cannot be reached now; `Retry-After` says when to try again.'),
}
export const notFound = { 404: failure('There is none, or it is another partner’s.') }
export const conflict = { 409: failure('It would change nothing.') }
export const unreadable = {
  413: failure('The body is too large.'),
  415: failure('The body is of a type that is not read here.'),
}
export const overloaded = { 429: failure('Too much at once; `Retry-After` says when to try again.') }
