/** Turns whatever went wrong around a route into the one shape of errors, and says in one line how a request ended. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { DeliveryLogError } from '../ports/delivery-log.ts'
import { type ErrorCode, errorOf, errorTable, type Particulars } from './errors.ts'
import type { ApiOptions } from './options.ts'
import type { Api } from './requests.ts'

/** When to try again after a 503: long enough not to be part of the trouble. */
const retryAfterSeconds = '5'

/** Takes over the answers to unknown routes and to all that is thrown. */
export function answerFailures(app: Api, report: ApiOptions['report']): void {
  app.setNotFoundHandler((request, reply) =>
    send(reply, 'no_such_route', { message: `there is no ${request.method} ${pathOf(request.url)}` }),
  )
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { code, particulars } = classify(error)
    if (errorTable[code].status >= 500) {
      report(`${request.method} ${pathOf(request.url)} (${request.id}) failed`, error)
      request.log.error({ err: error }, 'failed')
    }
    return send(reply, code, particulars)
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, log } = request
    const durationMs = Math.round(reply.elapsedTime)
    log.info({ method, path: pathOf(url), status: reply.statusCode, durationMs }, 'answered')
  })
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 503 && !reply.hasHeader('retry-after'))
      reply.header('retry-after', retryAfterSeconds)
  })
}

/** A query string may hold order numbers: it is neither logged nor repeated. */
const pathOf = (url: string): string => url.split('?')[0] ?? url

const send = (reply: FastifyReply, code: ErrorCode, particulars?: Particulars) =>
  reply.code(errorTable[code].status).send(errorOf(code, particulars))

interface Classified {
  readonly code: ErrorCode
  readonly particulars?: Particulars
}

function classify(error: FastifyError): Classified {
  if (error.validation)
    return { code: 'bad_request', particulars: { details: error.validation.map(detailOf(error)) } }
  if (error instanceof DeliveryLogError) return { code: 'log_unavailable' }
  switch (error.statusCode) {
    case 413:
      return { code: 'too_large' }
    case 415:
      return { code: 'unsupported_media' }
    case undefined:
      return { code: 'internal' }
    default:
      return error.statusCode < 500
        ? { code: 'bad_request', particulars: { message: error.message } }
        : { code: 'internal' }
  }
}

type Problem = NonNullable<FastifyError['validation']>[number]

/** `query.limit` and `must be <= 100`. */
const detailOf =
  ({ validationContext }: FastifyError) =>
  ({ instancePath, params, message, keyword }: Problem): { where: string; what: string } => {
    const context = validationContext === 'querystring' ? 'query' : (validationContext ?? 'request')
    if (keyword === 'additionalProperties') {
      return { where: `${context}.${String(params.additionalProperty)}`, what: 'there is no such parameter' }
    }
    const where = `${context}${instancePath.replaceAll('/', '.')}`
    const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : ''
    return { where, what: `${message ?? 'is wrong'}${allowed}` }
  }

/** An address that cannot even be read reaches no route and no hook. */
export function unreadableAddress(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  void send(reply, 'bad_request', { message: error.message })
}

/** What is no HTTP is answered on the bare socket. */
export function brokenConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const body = JSON.stringify(errorOf('bad_request', { message: 'this is no readable HTTP request' }))
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
