/**
 * The sender that really sends: POST over pooled keep-alive connections, one deadline over all of a call, no
 * redirects, no repeats of its own. What it reads of a response is bounded, what it keeps is short and redacted.
 */
import { setMaxListeners } from 'node:events'
import { Agent, type Dispatcher } from 'undici'
import type { Clock } from '../../engine/index.ts'
import type { OutcomeClass, Sender, SendOutcome, SendRequest } from '../../ports/sender.ts'
import { classifyError, classifyStatus } from './classify.ts'
import { redact } from './redact.ts'

export interface HttpSenderOptions {
  /** Real time. */
  readonly clock: Clock
  /** For tests and proxies; by default an agent of our own, which `close` ends. */
  readonly dispatcher?: Dispatcher
}

export interface HttpSender extends Sender {
  /** Ends idle connections and waits for running calls. Closing twice is harmless. */
  close(): Promise<void>
}

/** A response longer than this is not read to its end; what it says in the status line counts. */
const readBytesMax = 64 * 1024

/** Node's servers close idle connections after 5 s; ours go before that, so that no request meets a closing one. */
const keepAliveMs = 4_000

/** Our deadlines are per call and cover more; undici's own timers are left out, but for the longest connect. */
const connectTimeoutMs = 15_000

/** Makes the sender. */
export function createHttpSender({ clock, dispatcher }: HttpSenderOptions): HttpSender {
  const agent =
    dispatcher ??
    new Agent({
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: connectTimeoutMs },
    })
  let closed: Promise<void> | undefined
  return {
    send: (request, { signal }) => sendOnce(agent, clock, request, signal),
    close() {
      closed ??= agent.close()
      return closed
    },
  }
}

function sendOnce(
  dispatcher: Dispatcher,
  clock: Clock,
  request: SendRequest,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const startedAt = clock.now()
  const ended = (outcome: OutcomeClass, statusCode: number | null, detail: string | null): SendOutcome => ({
    class: outcome,
    statusCode,
    detail: detail === null || detail === '' ? null : redact(detail, request.secrets),
    durationMs: clock.now() - startedAt,
    retryAfterMs: null,
  })

  const target = parseTarget(request.url)
  if (typeof target === 'string') return Promise.resolve(ended('invalid_url', null, target))
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
        resolve(
          statusCode === null
            ? ended('http_invalid', null, 'the response has no status')
            : ended(classifyStatus(statusCode), statusCode, exchange.text()),
        )
      })

    dispatcher.dispatch(
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
        onResponseStart(_controller, statusCode) {
          // 1xx are no answers; undici hands them over all the same.
          if (statusCode >= 200) exchange.statusCode = statusCode
        },
        onResponseData(_controller, chunk) {
          if (exchange.take(chunk) >= readBytesMax) answered()
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

/** One request and what has come back of it so far. */
interface Exchange {
  controller: Dispatcher.DispatchController | undefined
  statusCode: number | null
  hasEnded: boolean
  isOver: boolean
  /** Keeps the first bytes; answers how many came in all. */
  take(chunk: Uint8Array): number
  text(): string
  /** Breaks the connection, unless the response has ended and it can be used again. */
  stop(why: string): void
}

/** Bytes kept of a response: enough for what is kept as text, and for a secret across the cut. */
const keptBytesMax = 8 * 1024

function makeExchange(): Exchange {
  const kept: Uint8Array[] = []
  let keptBytes = 0
  let seenBytes = 0
  const exchange: Exchange = {
    controller: undefined,
    statusCode: null,
    hasEnded: false,
    isOver: false,
    take(chunk) {
      seenBytes += chunk.length
      if (keptBytes < keptBytesMax) {
        const part = chunk.subarray(0, keptBytesMax - keptBytes)
        kept.push(Uint8Array.from(part))
        keptBytes += part.length
      }
      return seenBytes
    },
    text: () => Buffer.concat(kept).toString('utf8'),
    stop(why) {
      if (!exchange.hasEnded) exchange.controller?.abort(new Error(why))
    },
  }
  return exchange
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
