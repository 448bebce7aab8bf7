/** How intents lie in their store: a format byte, a length-prefixed JSON head, then the request's own bytes. */
import type { Intent } from '../graph/processor.ts'
import { type Serde, UndecodableError } from '../serdes/serde.ts'

export interface StoredIntent {
  readonly intent: Intent<unknown>
  /** How often an owner may have started the call before the one that holds it now. */
  readonly starts: number
}

const formatVersion = 1

export function intentSerde(request: Serde<unknown>): Serde<StoredIntent> {
  return {
    serialize({ intent, starts }) {
      const { id, key, pool, priority, notAfter } = intent
      const head = JSON.stringify({ id, key, pool, priority, notAfter, starts })
      const headLength = Buffer.byteLength(head)
      const requestBytes = request.serialize(intent.request)
      if (requestBytes === null) throw new Error(`the request of intent ${intent.id} serialized to null`)
      const bytes = Buffer.allocUnsafe(5 + headLength + requestBytes.length)
      bytes.writeUInt8(formatVersion, 0)
      bytes.writeUInt32BE(headLength, 1)
      bytes.write(head, 5)
      bytes.set(requestBytes, 5 + headLength)
      return bytes
    },
    deserialize(raw) {
      if (raw === null) throw new UndecodableError('null', 'an intent cannot be null')
      const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
      if (bytes[0] !== formatVersion) {
        throw new UndecodableError('unknown_format', `intent format ${bytes[0]} is not known to this version`)
      }
      const headEnd = 5 + bytes.readUInt32BE(1)
      const { starts, ...head } = JSON.parse(bytes.toString('utf8', 5, headEnd)) as Omit<
        Intent<unknown>,
        'request'
      > & { starts: number }
      return { intent: { ...head, request: request.deserialize(bytes.subarray(headEnd)) }, starts }
    },
  }
}
