/**
 * One record of a captured topic → what it means. The way of a record: bytes → JSON (or Avro) → envelope → the
 * mapping's block for its topic and connector → order or assignment. Pure.
 */
import { type MessageDecoder, SchemaError } from '../../schemas/index.ts'
import { plainOf, type Sealing } from './captured-secrets.ts'
import { readEnvelope } from './envelope.ts'
import { parseJsonExactly } from './json-text.ts'
import { normalizeAssignment } from './normalize-assignment.ts'
import { normalizeOrder } from './normalize-order.ts'
import { type NormalizeResult, type Undecodable, undecodable } from './outcomes.ts'
import { hasWideInteger, isUndecodable, readKeys } from './record-keys.ts'
import type { SourceMapping } from './source-blocks.ts'
import { blockFor, classifyTopic } from './source-topics.ts'

/**
 * Names the topic that a record was captured from, where it was appended under another name (an ingest that reads
 * several sources into one topic). The mapping is asked for this one.
 */
export const sourceTopicHeader = 'waybill.source-topic'

/** A captured record, as the engine hands it over. */
export interface CapturedRecord {
  readonly topic: string
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  readonly timestamp: number
}

export interface NormalizeOptions {
  readonly mapping: SourceMapping
  readonly seal: Sealing
  /** Decodes a message in the Confluent wire format. Throws a `SchemaError` on bytes that it cannot read. */
  readonly decodeAvro: MessageDecoder
}

/** Says what a captured record means, or why it cannot be read. */
export function normalizeRecord(record: CapturedRecord, options: NormalizeOptions): NormalizeResult {
  const topic = sourceTopicOf(record)
  if (classifyTopic(topic, options.mapping) === 'ignored') return { kind: 'ignored', why: 'unmapped_topic' }
  if (record.value === null) return { kind: 'ignored', why: 'tombstone' }

  const decoded = decodeMessage(record.value, options)
  if (decoded.kind === 'undecodable') return decoded
  const read = readEnvelope(decoded.message)
  if (read.kind === 'undecodable') return read
  const { envelope } = read
  const { kind } = envelope
  if (kind === 'message') return { kind: 'ignored', why: 'message' }
  if (kind === 'truncate') return { kind: 'truncated' }

  const connector = String(envelope.source.connector)
  const block = blockFor(topic, connector, options.mapping)
  if (!block) return undecodable('unmapped_source', `no block takes ${topic} from connector ${connector}`)
  const reading = {
    seal: options.seal,
    defaultRegion: options.mapping.defaultRegion,
    recordTimestamp: record.timestamp,
  }
  if (block.role === 'orders') {
    const keys = readKeys(record, block.columns.order_id)
    return isUndecodable(keys) ? keys : normalizeOrder(envelope, kind, keys, { block, ...reading })
  }
  const keys = readKeys(record, block.columns.assignment_id)
  return isUndecodable(keys) ? keys : normalizeAssignment(envelope, kind, keys, { block, ...reading })
}

type DecodedMessage = { readonly kind: 'message'; readonly message: unknown } | Undecodable

const utf8 = new TextDecoder('utf-8', { fatal: true })
/** First byte of Confluent's wire format; no JSON text starts with it. */
const avroMagic = 0

function decodeMessage(bytes: Uint8Array, options: NormalizeOptions): DecodedMessage {
  if (bytes[0] === avroMagic) return decodeAvro(bytes, options)
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return undecodable('not_utf8', 'the value is not UTF-8')
  }
  // What an ingest could not look into, it sealed whole; see sealChange and sealMessage.
  const plain = plainOf(text, options.seal)
  if (plain.charCodeAt(0) === avroMagic) return decodeAvro(Buffer.from(plain, 'latin1'), options)
  try {
    return { kind: 'message', message: parseJsonExactly(plain, hasWideInteger) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // V8 quotes the text in its message, and the text may hold secrets.
    return undecodable('not_json', `${text.length} characters that are not JSON`)
  }
}

function decodeAvro(bytes: Uint8Array, { decodeAvro: decode }: NormalizeOptions): DecodedMessage {
  try {
    return { kind: 'message', message: decode(bytes) }
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    return undecodable(error.reason, error.message)
  }
}

function sourceTopicOf(record: CapturedRecord): string {
  const header = record.headers.find(({ key }) => key === sourceTopicHeader)
  return header?.value ? Buffer.from(header.value).toString('utf8') : record.topic
}
