/**
 * One call: POST, one deadline over all of it, no redirects, no repeats. What is read of a response is bounded, what is
 * kept is short, and redacted where others wrote it.
 */
import type { Clock } from '../../engine/index.ts'
import { isAcknowledged, type OutcomeClass, type SendOutcome, type SendRequest } from '../../ports/sender.ts'
import type { Agents } from './agents.ts'
import type { AwaitedOrigins } from './awaited-origins.ts'
import type { CallOffs } from './call-offs.ts'
import { classifyError, classifyStatus } from './classify.ts'
import { type Exchange, makeExchange } from './exchange.ts'
import { redact } from './redact.ts'
import { redirectTarget } from './redirect-target.ts'
import { parseRetryAfter } from './retry-after.ts'
import type { Target } from './target.ts'

/** What all calls share. */
export interface SenderParts {
  readonly agents: Agents
  readonly awaited: AwaitedOrigins
  readonly callOffs: CallOffs
  readonly clock: Clock
  /** What an endpoint's URL leads to, or why it may not be called. */
  readonly targetOf: (url: string) => Target
}

/** Resolves with an outcome whatever the network does; rejects only when `signal` aborts. */
export function sendOnce(
  { agents, awaited, callOffs, clock, targetOf }: SenderParts,
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
    detail: detail === '' ? null : detail,
    durationMs: clock.now() - startedAt,
    retryAfterMs,
  })

  /** For texts that are not ours alone. */
  const redacted = (text: string): string => (text === '' ? text : redact(text, request.secrets))

  /** Says where to: that address is what has to be registered. */
  const redirected = (statusCode: number, exchange: Exchange): SendOutcome => {
    const to = redirectTarget(exchange.header('location'), new URL(request.url))
    const detail = redacted(to === undefined ? exchange.text() : `redirects to ${to}`)
    const waits = retryAfter('http_3xx', exchange, clock.now())
    return { ...ended('http_3xx', statusCode, detail, waits), ...(to !== undefined && { redirectsTo: to }) }
  }

  const target = targetOf(request.url)
  if (target.kind === 'refused') return Promise.resolve(ended(target.outcome, null, target.detail))
  if (signal.aborted) return Promise.reject(signal.reason)

  return new Promise((resolve, reject) => {
    const exchange = makeExchange()
    const stopWaiting = awaited.wait(target.origin)

    const finish = (settle: () => void): void => {
      if (exchange.isOver) return
      exchange.isOver = true
      cancelDeadline()
      stopWaiting()
      forgetCallOff()
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
    const forgetCallOff = callOffs.on(signal, onAbort)

    const answered = (): void =>
      finish(() => {
        const { statusCode } = exchange
        exchange.stop('the response is longer than we read')
        if (statusCode === null) return resolve(ended('http_invalid', null, 'the response has no status'))
        const outcome = classifyStatus(statusCode, {
          ...(request.acknowledgeOn && { acknowledgeOn: request.acknowledgeOn }),
          isTooLong: exchange.isTooLong(),
        })
        if (outcome === 'http_3xx') return resolve(redirected(statusCode, exchange))
        resolve(
          ended(outcome, statusCode, redacted(exchange.text()), retryAfter(outcome, exchange, clock.now())),
        )
      })

    agents.of(request.clientCertificate ?? null).dispatch(
      {
        origin: target.origin,
        path: target.path,
        method: 'POST',
        headers: request.headers,
        body: Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength),
      },
      {
        onRequestStart(controller) {
          stopWaiting()
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
            resolve(ended(outcome, exchange.statusCode, redacted(detail)))
          })
        },
      },
    )
  })
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
