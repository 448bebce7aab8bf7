/**
 * The sender that really sends: POST over pooled keep-alive connections, one deadline over all of a call, no
 * redirects, no repeats of its own. What it reads of a response is bounded, what it keeps is short and redacted.
 */
import { setMaxListeners } from 'node:events'
import { Agent, type buildConnector } from 'undici'
import type { Clock } from '../../engine/index.ts'
import {
  isAcknowledged,
  type OutcomeClass,
  type Sender,
  type SendOutcome,
  type SendRequest,
} from '../../ports/sender.ts'
import { type EgressRules, makeVetting, type Vetting } from './address-vetting.ts'
import { type Agents, makeAgents } from './agents.ts'
import { classifyError, classifyStatus } from './classify.ts'
import { makeDial } from './dial.ts'
import { type Exchange, makeExchange } from './exchange.ts'
import type { EgressProxy } from './proxy-tunnel.ts'
import { redact } from './redact.ts'
import { type ResolveHost, systemResolver } from './resolve-host.ts'
import { parseRetryAfter } from './retry-after.ts'

export interface HttpSenderOptions {
  /** Real time. */
  readonly clock: Clock
  /** Where calls may go, and by which way. */
  readonly egress: EgressSettings
  /** Default: DNS, then the system. */
  readonly resolve?: ResolveHost
  /** PEM; certificates to trust beside Node's own (and those of `NODE_EXTRA_CA_CERTS`). */
  readonly trusted?: string
}

/** The rules, and the proxy that all calls leave by, if there is one. */
export interface EgressSettings extends EgressRules {
  readonly proxy?: EgressProxy | null
}

export interface HttpSender extends Sender {
  /** Ends idle connections and waits for running calls. Closing twice is harmless. */
  close(): Promise<void>
}

/** Node's servers close idle connections after 5 s; ours go before that, so that no request meets a closing one. */
const keepAliveMs = 4_000

/** Endpoints with a client certificate that are called at about the same time; each has connections of its own. */
const certifiedAgentsMax = 256

/** Makes the sender. */
export function createHttpSender({ clock, egress, resolve, trusted }: HttpSenderOptions): HttpSender {
  const vetting = makeVetting(egress)
  const dialOptions = {
    vetting,
    resolve: resolve ?? systemResolver(clock),
    proxy: egress.proxy ?? null,
    trusted,
    clock,
  }
  const agents = makeAgents(
    (certificate) => makeAgent(makeDial(dialOptions, certificate)),
    certifiedAgentsMax,
  )
  let closed: Promise<void> | undefined
  return {
    send: (request, { signal }) => sendOnce({ agents, clock, vetting }, request, signal),
    close() {
      closed ??= agents.close()
      return closed
    },
  }
}

/** Deadlines are per call and cover more than undici's own, which are left out. */
const makeAgent = (connect: buildConnector.connector): Agent =>
  new Agent({ pipelining: 1, keepAliveTimeout: keepAliveMs, headersTimeout: 0, bodyTimeout: 0, connect })

interface SenderParts {
  readonly agents: Agents
  readonly clock: Clock
  readonly vetting: Vetting
}

function sendOnce(
  { agents, clock, vetting }: SenderParts,
  request: SendRequest,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const startedAt = clock.now()
  const ended = (
    outcome: OutcomeClass,
    statusCode: number | null,
    detail: string | null,
    retryAfterMs: number | null = null,
  ): SendOutcome => ({
    class: outcome,
    statusCode,
    detail: detail === null || detail === '' ? null : redact(detail, request.secrets),
    durationMs: clock.now() - startedAt,
    retryAfterMs,
  })

  const target = parseTarget(request.url)
  if (typeof target === 'string') return Promise.resolve(ended('invalid_url', null, target))
  const forbidden = vetting.url(target)
  if (forbidden !== undefined) return Promise.resolve(ended('blocked_address', null, forbidden))
  if (signal.aborted) return Promise.reject(signal.reason)

  return new Promise((resolve, reject) => {
    const exchange = makeExchange()

    const finish = (settle: () => void): void => {
      if (exchange.isOver) return
      exchange.isOver = true
      cancelDeadline()
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = (): void =>
      finish(() => {
        exchange.stop('the call was called off')
        reject(signal.reason)
      })
    const cancelDeadline = clock.at(startedAt + request.timeoutMs, () =>
      finish(() => {
        const { kind, detail } = deadlineOutcome(exchange, request.timeoutMs)
        const { statusCode } = exchange
        exchange.stop('the deadline passed')
        resolve(ended(kind, statusCode, detail))
      }),
    )
    // One signal may call off all calls of an instance: hundreds of listeners, each removed when its call ends.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', onAbort, { once: true })

    const answered = (): void =>
      finish(() => {
        const { statusCode } = exchange
        exchange.stop('the response is longer than we read')
        if (statusCode === null) return resolve(ended('http_invalid', null, 'the response has no status'))
        const outcome = classifyStatus(statusCode, { ...request, isTooLong: exchange.isTooLong() })
        resolve(ended(outcome, statusCode, exchange.text(), retryAfter(outcome, exchange, clock.now())))
      })

    agents.of(request.clientCertificate ?? null).dispatch(
      {
        origin: target.origin,
        path: `${target.pathname}${target.search}`,
        method: 'POST',
        headers: request.headers,
        body: Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength),
      },
      {
        onRequestStart(controller) {
          exchange.controller = controller
          // The deadline may have passed while a connection was made: nothing has been written yet, nothing will be.
          if (exchange.isOver) exchange.stop('the deadline passed')
        },
        onResponseStart(_controller, statusCode, headers) {
          // 1xx are no answers; undici hands them over all the same.
          if (statusCode < 200) return
          exchange.statusCode = statusCode
          exchange.headers = headers
        },
        onResponseData(_controller, chunk) {
          if (exchange.take(chunk)) answered()
        },
        onResponseEnd() {
          exchange.hasEnded = true
          answered()
        },
        onResponseError(_controller, error) {
          exchange.hasEnded = true
          finish(() => {
            const { class: outcome, detail } = classifyError(error)
            resolve(ended(outcome, exchange.statusCode, detail))
          })
        },
      },
    )
  })
}

/** The URL taken apart, or what is wrong with it. The URL itself is not quoted: it may hold a token. */
function parseTarget(url: string): URL | string {
  if (!URL.canParse(url)) return 'the URL of the endpoint is malformed; correct it in the partner config'
  const target = new URL(url)
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    return `the URL of the endpoint begins with ${target.protocol}, not https: or http:; correct it in the partner config`
  }
  return target
}

/** A 2xx whose response does not end is no acknowledgement: half an answer may come from a receiver that fell. */
function deadlineOutcome(
  { controller, statusCode }: Exchange,
  timeoutMs: number,
): { readonly kind: OutcomeClass; readonly detail: string } {
  if (!controller) return { kind: 'timeout_connect', detail: `no connection within ${timeoutMs} ms` }
  const missing = statusCode === null ? 'no response' : 'the response did not end'
  return { kind: 'timeout_response', detail: `${missing} within ${timeoutMs} ms` }
}

/** A wish to be left alone counts where we would come again. */
function retryAfter(outcome: OutcomeClass, exchange: Exchange, nowMs: number): number | null {
  if (isAcknowledged(outcome)) return null
  return parseRetryAfter(exchange.header('retry-after'), { date: exchange.header('date'), nowMs })
}
