/**
 * Opens a connection through an egress proxy (HTTP CONNECT, RFC 9110 §9.3.6), so that TLS runs from us to the
 * receiver and the proxy sees bytes alone. What the proxy does wrong is told apart from what the receiver does.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../engine/index.ts'
import type { OutcomeClass } from '../../ports/sender.ts'
import { DialError } from './dial-error.ts'

/** The proxy that all calls leave by. */
export interface EgressProxy {
  /** `http://` or `https://`, with the credentials in it that the proxy asks for. */
  readonly url: string
  /**
   * Whether the proxy looks names up. False: we do, vet every answer, and name the vetted address to the proxy.
   * True: the proxy gets the name, and must itself refuse what is not public.
   */
  readonly resolvesNames: boolean
}

export interface TunnelOptions {
  readonly proxy: EgressProxy
  /** `host:port` as CONNECT names it. */
  readonly target: string
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Longer than any proxy's answer to CONNECT. */
const headBytesMax = 16 * 1024

/**
 * Whose doing an answer of the proxy is. 403: its rules refuse the receiver. 502, 503, 504: it could not reach the
 * receiver (Squid says 503 of names and connections that fail, Envoy too). Anything else is between it and us.
 */
const outcomeByStatus: Readonly<Record<number, OutcomeClass>> = {
  403: 'blocked_address',
  502: 'unreachable',
  503: 'unreachable',
  504: 'unreachable',
}

/** A socket whose other end is the receiver; rejects with a `DialError`. */
export function openTunnel({ proxy, target, timeoutMs, clock }: TunnelOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTo(new URL(proxy.url), () => socket.write(connectRequest(proxy, target)))
    let head = Buffer.alloc(0)

    const fail = (outcome: OutcomeClass, message: string, cause?: unknown): void => {
      letGo()
      // A socket that breaks once more after this must not end the process.
      socket.on('error', () => undefined).destroy()
      reject(new DialError(outcome, message, { cause }))
    }
    const cancelTimeout = clock.at(clock.now() + timeoutMs, () =>
      fail('proxy', `the egress proxy made no connection within ${timeoutMs} ms`),
    )
    const onError = (error: Error): void =>
      fail('proxy', `the egress proxy cannot be used: ${error.message}`, error)
    const onEnd = (): void => fail('proxy', 'the egress proxy closed the connection before it answered')
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const answer = readAnswer(head)
      if (answer === 'incomplete') return
      if (answer.outcome) {
        fail(answer.outcome, answer.what)
        return
      }
      letGo()
      socket.pause()
      if (answer.rest.length > 0) socket.unshift(answer.rest)
      resolve(socket)
    }
    const letGo = (): void => {
      cancelTimeout()
      socket.off('error', onError).off('end', onEnd).off('data', onData)
    }
    socket.on('error', onError).on('end', onEnd).on('data', onData)
  })
}

function connectTo(url: URL, onReady: () => void): Socket {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (url.protocol !== 'https:') {
    const port = url.port === '' ? 80 : Number(url.port)
    return connectTcp({ host, port, noDelay: true }, onReady)
  }
  const port = url.port === '' ? 443 : Number(url.port)
  // An empty server name is how an IP address is said to have none.
  return connectTls({ host, port, servername: /[a-z]/i.test(host) ? host : '' }, onReady)
}

function connectRequest(proxy: EgressProxy, target: string): string {
  const { username, password } = new URL(proxy.url)
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const authorization =
    credentials === ':' ? '' : `proxy-authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`
  return `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${authorization}\r\n`
}

type Answer =
  | { readonly outcome: OutcomeClass; readonly what: string }
  /** The tunnel stands; what came behind the head is the receiver's. */
  | { readonly outcome: undefined; readonly rest: Buffer }

function readAnswer(head: Buffer): Answer | 'incomplete' {
  const end = head.indexOf('\r\n\r\n')
  if (end < 0 && head.length <= headBytesMax) return 'incomplete'
  const status = /^HTTP\/1\.[01] (\d{3})(?: |\r\n)/.exec(head.toString('latin1'))?.[1]
  if (end < 0 || status === undefined) {
    return { outcome: 'proxy', what: 'the egress proxy answered with what is no HTTP' }
  }
  if (status.startsWith('2')) return { outcome: undefined, rest: head.subarray(end + 4) }
  const what = `the egress proxy answered ${status} to CONNECT`
  return { outcome: outcomeByStatus[Number(status)] ?? 'proxy', what }
}
