/**
 * A request of Kafka's protocol as a value: its key, the one version that we speak, and how request and reply are
 * written. `wire/` holds one such value per request; connections send them and know nothing more.
 */
import { WireError, WireReader, type WireWriter } from './primitives.ts'

export interface Api<Request, Reply> {
  readonly name: string
  readonly key: number
  readonly version: number
  /** Whether this version uses compact lengths and tags. */
  readonly flexible: boolean
  /** ApiVersions alone answers with an old header, whatever its version. */
  readonly plainReplyHeader?: true
  encode(out: WireWriter, request: Request): void
  decode(from: WireReader): Reply
}

/** A broker that requests can be sent to. Declared here for fetcher, admin, writer and group; transport provides it. */
export interface Connection {
  readonly nodeId: number
  /** Rejects when the connection fails or `timeoutMs` passes; error codes inside the reply are the caller's to read. */
  send<Request, Reply>(
    api: Api<Request, Reply>,
    request: Request,
    options?: { readonly timeoutMs?: number },
  ): Promise<Reply>
}

/**
 * Writes what follows the plain request header (key, version, correlation id, client id): the header's own empty tags
 * in the flexible dialect, then the body. The bytes are a view into the writer.
 */
export function encodeRequest<Request>(
  out: WireWriter,
  api: Api<Request, unknown>,
  request: Request,
): Buffer {
  out.begin(api.flexible)
  out.tags()
  api.encode(out, request)
  return out.view()
}

/** Reads what follows the correlation id of a reply. Bytes left over mean that it was not understood. */
export function decodeReply<Reply>(api: Api<never, Reply>, bytes: Buffer): Reply {
  const from = new WireReader(bytes, api.flexible)
  try {
    if (!api.plainReplyHeader) from.tags()
    const reply = api.decode(from)
    if (from.remaining > 0) throw new WireError(`${from.remaining} bytes are left over`)
    return reply
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new WireError(`the reply to ${api.name} v${api.version} cannot be read: ${error.message}`)
  }
}
