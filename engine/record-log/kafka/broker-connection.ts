/**
 * One socket to one broker: opened when it is first needed and again after it failed, asked for its versions,
 * authenticated. A request that the broker does not take in our version is refused before it is sent; one that gets
 * no reply in time closes the socket, because replies come in order and the next would be late too.
 */
import type { Clock } from '../../clock.ts'
import { LogError } from '../port.ts'
import { KafkaAccessError } from './access.ts'
import { type KafkajsConnection, makeKafkajsConnection } from './kafkajs-connection.ts'
import { type KafkaSecurity, principalOf } from './security.ts'
import { type Api, type Connection, decodeReply } from './wire/api.ts'
import { apiVersionsApi } from './wire/api-versions.ts'
import { WireError, WireWriter } from './wire/primitives.ts'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface BrokerConnectionOptions {
  readonly address: BrokerAddress
  readonly clientId: string
  readonly security: KafkaSecurity
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

export interface BrokerConnection extends Connection {
  /** Finalized features as of the last time it connected. */
  features(): Promise<ReadonlyMap<string, number>>
  close(): void
}

interface Versions {
  readonly ranges: ReadonlyMap<number, { min: number; max: number }>
  readonly features: ReadonlyMap<string, number>
}

interface Opened {
  readonly socket: KafkajsConnection
  versions: Versions
}

/** Makes a connection; nothing is sent yet. */
export function makeBrokerConnection(options: BrokerConnectionOptions): BrokerConnection {
  const { address, clock, requestTimeoutMs } = options
  const where = `${address.host}:${address.port}`
  let opening: Promise<Opened> | undefined
  let opened: Opened | undefined
  let closed = false

  async function open(): Promise<Opened> {
    const socket = makeKafkajsConnection({ ...options, host: address.host, port: address.port })
    const attempt: Opened = { socket, versions: { ranges: new Map(), features: new Map() } }
    try {
      await within(options.connectTimeoutMs, 'connecting', socket, () => socket.connect())
      attempt.versions = await askVersions(socket)
      await within(options.connectTimeoutMs, 'authenticating', socket, () =>
        authenticate(socket, attempt.versions),
      )
      if (closed) throw closedError()
      opened = attempt
      return attempt
    } catch (error) {
      drop(socket, 'it could not be opened')
      throw unreachable(error)
    }
  }

  /** A lost race or a refusal, told from a broker that is not there. */
  function unreachable(error: unknown): LogError {
    if (error instanceof LogError) return error
    const why = error instanceof Error ? error.message : String(error)
    if (error instanceof Error && /SASL|authentication/i.test(`${error.name} ${why}`)) {
      return authenticationRefused(why, error)
    }
    if (isTlsRefusal(error)) {
      const mend = 'check that the port speaks TLS, and the authorities in the TLS settings'
      return new LogError('rejected', `TLS with broker ${where} cannot be set up: ${why}: ${mend}`, {
        cause: error,
      })
    }
    return new LogError('retriable', `broker ${where} cannot be reached: ${why}`, { cause: error })
  }

  const authenticationRefused = (why: string, cause: unknown) => {
    const mechanism = options.security.sasl?.mechanism.toUpperCase() ?? 'no SASL'
    return new KafkaAccessError(
      principalOf(options.security),
      `authentication with ${mechanism} at broker ${where} was refused: ${why}: check mechanism, user and password`,
      { cause },
    )
  }

  async function authenticate(socket: KafkajsConnection, { ranges }: Versions): Promise<void> {
    const versions: Record<number, { minVersion: number; maxVersion: number }> = {}
    for (const [key, { min, max }] of ranges) versions[key] = { minVersion: min, maxVersion: max }
    socket.setVersions(versions)
    socket.setSupportAuthenticationProtocol(ranges.has(saslAuthenticateKey))
    await socket.authenticate()
  }

  async function askVersions(socket: KafkajsConnection): Promise<Versions> {
    const reply = await exchange(
      socket,
      apiVersionsApi,
      { clientName: 'waybill', clientVersion: '1' },
      options.connectTimeoutMs,
    )
    if (reply.error !== 0) {
      throw new LogError(
        'rejected',
        `broker ${where} does not support ApiVersions v${apiVersionsApi.version}: it is older than Kafka 2.4`,
      )
    }
    return { ranges: reply.ranges, features: reply.finalizedFeatures }
  }

  /** The open socket. */
  async function ready(): Promise<Opened> {
    if (closed) throw closedError()
    if (opened && !opened.socket.isConnected()) opened = undefined
    if (opened && (!options.security.sasl || opened.socket.isAuthenticated())) return opened
    if (opened) {
      const again = opened
      try {
        await within(options.connectTimeoutMs, 'authenticating again', again.socket, () =>
          again.socket.authenticate(),
        )
      } catch (error) {
        drop(again.socket, 'its session ended')
        throw unreachable(error)
      }
      return again
    }
    opening ??= open().finally(() => {
      opening = undefined
    })
    return opening
  }

  /** Sends and waits, on a socket that is open; closes it when no reply comes. */
  function exchange<Request, Reply>(
    socket: KafkajsConnection,
    api: Api<Request, Reply>,
    request: Request,
    timeoutMs: number,
  ): Promise<Reply> {
    return within(timeoutMs, `${api.name}`, socket, async () => {
      const payload = await new Promise<Buffer>((resolve, reject) => {
        const correlationId = socket.nextCorrelationId()
        const frame = frameOf(api, request, correlationId, options.clientId)
        socket.requestQueue.push({
          entry: {
            apiKey: api.key,
            apiName: api.name,
            apiVersion: api.version,
            correlationId,
            resolve: (reply) => resolve(reply.payload),
            reject,
          },
          expectResponse: true,
          requestTimeout: null,
          sendRequest: () => socket.socket?.write(frame.bytes, frame.written),
        })
      })
      return decodeReply(api, payload)
    })
  }

  async function within<T>(
    timeoutMs: number,
    what: string,
    socket: KafkajsConnection,
    action: () => Promise<T>,
  ): Promise<T> {
    let cancel = () => {}
    const late = new Promise<never>((_, reject) => {
      cancel = clock.at(clock.now() + timeoutMs, () => {
        const error = new LogError(
          'retriable',
          `broker ${where} did not answer ${what} within ${timeoutMs} ms`,
        )
        reject(error)
        drop(socket, error.message)
      })
    })
    try {
      return await Promise.race([action(), late])
    } finally {
      cancel()
    }
  }

  function drop(socket: KafkajsConnection, why: string): void {
    if (opened?.socket === socket) opened = undefined
    socket.rejectRequests(new Error(why))
    socket.socket?.destroy()
  }

  const closedError = () => new LogError('retriable', `the connection to broker ${where} was closed`)

  return {
    nodeId: address.nodeId,
    async send(api, request, { timeoutMs = requestTimeoutMs } = {}) {
      const { socket, versions } = await ready()
      const range = versions.ranges.get(api.key)
      if (!range || api.version < range.min || api.version > range.max) {
        throw new LogError('rejected', unsupported(where, api, range))
      }
      try {
        return await exchange(socket, api, request, timeoutMs)
      } catch (error) {
        if (error instanceof LogError) throw error
        if (error instanceof WireError) drop(socket, error.message)
        else if (!isConnectionTrouble(error)) throw error
        const why = error instanceof Error ? error.message : String(error)
        throw new LogError('retriable', `${api.name} to broker ${where} got no reply: ${why}`, {
          cause: error,
        })
      }
    },
    async features() {
      return (await ready()).versions.features
    },
    close() {
      closed = true
      if (opened) drop(opened.socket, closedError().message)
    },
  }
}

const saslAuthenticateKey = 36

/** A certificate that is not trusted, or a port that does not speak TLS: asking again changes nothing. */
const isTlsRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(String(error.code))

/** Errors of kafkajs, of the socket, and our own drops; anything else is a bug in encoding or decoding. */
const isConnectionTrouble = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError)

const unsupported = (
  where: string,
  api: { name: string; version: number },
  range: { min: number; max: number } | undefined,
): string =>
  `broker ${where} does not support ${api.name} v${api.version}: ` +
  (range ? `it takes v${range.min} to v${range.max}` : 'it does not know this request') +
  '; Kafka 2.8 or newer is needed'

const headWriter = new WireWriter()
const frameWriter = new WireWriter(64 * 1024)

interface Frame {
  readonly bytes: Buffer
  /** To be called when the socket has no more use for the bytes. */
  readonly written: (error?: Error | null) => void
}

/** Requests larger than this are sent from the memory that they were written in; smaller ones are copied out of it. */
const copiedBytesMax = 16 * 1024
/** Memory of large requests that were sent, for the next ones: a fresh one each would be garbage outside the heap. */
const spares: Buffer[] = []
const sparesMax = 4

/** A whole request. The socket may still hold it when the next one is written. */
function frameOf<Request>(
  api: Api<Request, unknown>,
  request: Request,
  correlationId: number,
  clientId: string,
): Frame {
  const head = headWriter
    .begin(false)
    .int16(api.key)
    .int16(api.version)
    .int32(correlationId)
    .string(clientId)
    .view()
  frameWriter.begin(api.flexible).int32(0).raw(head).tags()
  api.encode(frameWriter, request)
  frameWriter.memory().writeInt32BE(frameWriter.length - 4, 0)
  if (frameWriter.length <= copiedBytesMax) return { bytes: frameWriter.copy(), written: () => {} }
  const memory = frameWriter.memory()
  return {
    bytes: frameWriter.handOver(spares.pop() ?? Buffer.allocUnsafeSlow(memory.length)),
    written() {
      if (spares.length < sparesMax) spares.push(memory)
    },
  }
}
