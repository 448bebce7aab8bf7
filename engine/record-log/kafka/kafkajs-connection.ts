/**
 * The one place that reaches into kafkajs: its `Connection`, i.e. a socket with TLS, SASL and replies matched to
 * requests. Its producer, consumer and cluster are not used. kafkajs is pinned to 2.2.4, and a test holds the
 * internals named here.
 *
 * Cured on the way: every connection of kafkajs re-arms a timer of 1 ms for ever (6 % of a core when idle) and checks
 * time-outs every 100 ms; requests were copied twice before they were sent, and replies joined from pieces.
 */
import { createRequire } from 'node:module'
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { assembleReplies } from './reply-assembly.ts'
import type { KafkaSecurity } from './security.ts'

/** What we use of `kafkajs/src/network/connection`. */
export interface KafkajsConnection {
  connect(): Promise<unknown>
  /** SASL, where configured; also when the session is about to end. */
  authenticate(): Promise<void>
  isConnected(): boolean
  isAuthenticated(): boolean
  nextCorrelationId(): number
  setVersions(versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>): void
  setSupportAuthenticationProtocol(supported: boolean): void
  /** Takes bytes that came; handed one whole reply, and with nothing in `chunks`, it copies nothing. */
  processData(bytes: Buffer): void
  /** What has come of the next reply; after a whole one an empty piece, with which the next would be joined. */
  chunks: Buffer[]
  /** Rejects what is under way. */
  rejectRequests(error: Error): void
  readonly clientId: string
  readonly socket: Socket | undefined
  readonly requestQueue: KafkajsRequestQueue
}

interface KafkajsRequestQueue {
  push(request: {
    readonly entry: {
      readonly apiKey: number
      readonly apiName: string
      readonly apiVersion: number
      readonly correlationId: number
      resolve(reply: { readonly payload: Buffer }): void
      reject(error: Error): void
    }
    readonly expectResponse: boolean
    readonly requestTimeout: number | null
    sendRequest(): void
  }): void
  /** Replaced: only throttling by the client needs it, and the broker throttles by itself. */
  scheduleCheckPendingRequests: () => void
}

type ConnectionClass = new (options: Record<string, unknown>) => KafkajsConnection

const loaded: unknown = createRequire(import.meta.url)('kafkajs/src/network/connection')

/** kafkajs logs what it also throws: nothing is lost here. */
const silent = {
  namespace: () => silent,
  debug() {},
  info() {},
  warn() {},
  error() {},
}

export interface KafkajsConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly security: KafkaSecurity
}

const keepAliveMs = 60_000

/** A connection that is not connected yet. */
export function makeKafkajsConnection(options: KafkajsConnectionOptions): KafkajsConnection {
  if (typeof loaded !== 'function')
    throw new Error('kafkajs 2.2.4 is needed exactly: its Connection is not there')
  const { tls, sasl } = options.security
  const connection: KafkajsConnection = new (loaded as ConnectionClass)({
    host: options.host,
    port: options.port,
    clientId: options.clientId,
    logger: silent,
    socketFactory: (to: SocketOptions) =>
      openSocket(to, (reply) => {
        connection.chunks = []
        connection.processData(reply)
      }),
    connectionTimeout: options.connectTimeoutMs,
    requestTimeout: options.connectTimeoutMs,
    enforceRequestTimeout: false,
    ssl: tls === true ? {} : (tls ?? null),
    // A copy: kafkajs keeps its authenticator in it.
    sasl: sasl ? { ...sasl } : null,
  })
  connection.requestQueue.scheduleCheckPendingRequests = () => {}
  return connection
}

/** What kafkajs asks for a socket with. */
interface SocketOptions {
  readonly host: string
  readonly port: number
  readonly ssl: object | null
  readonly onConnect: () => void
}

/**
 * What sockets without TLS read into, as much as the system has, in few calls. Shared by all of them: what one has
 * read is taken out before the next one reads.
 */
const readMemory = Buffer.allocUnsafeSlow(256 * 1024)

/** Small requests must not wait for the acknowledgement of the one before: no Nagle. */
function openSocket({ host, port, ssl, onConnect }: SocketOptions, onReply: (reply: Buffer) => void): Socket {
  const named = isIP(host) ? {} : { servername: host }
  const socket = ssl
    ? connectTls({ host, port, ...named, ...ssl }, onConnect)
    : connectTcp({ host, port, onread: readInto(onReply, (error) => socket.destroy(error)) }, onConnect)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAliveMs)
  return socket
}

/** What is read is put together to replies beside it, and `data` is not emitted. */
function readInto(onReply: (reply: Buffer) => void, onNonsense: (error: Error) => void): OnReadOpts {
  const assembly = assembleReplies({ onReply, onNonsense })
  return {
    buffer: readMemory,
    callback(size) {
      assembly.add(readMemory.subarray(0, size))
      return true
    },
  }
}
