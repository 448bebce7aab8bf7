/**
 * A message as Debezium writes it, without the record around it: finds out what it is, and for a change the topic it
 * belongs to and when it was captured. What the change means is NORMALIZE's to say.
 */
import { type CapturedRecord, readCapturedRecord } from './captured-record.ts'
import { envelopeOfCloudEvent, isCloudEvent } from './cloud-event.ts'

/** Messages beside the changes, which a server sends along and nobody here needs. */
export type AsideWhy = 'heartbeat' | 'transaction' | 'schema_change'

/** What a message turned out to be. */
export type ReadMessage =
  | { readonly kind: 'record'; readonly record: CapturedRecord }
  | { readonly kind: 'aside'; readonly why: AsideWhy }
  /** `reason` quotes nothing of the message. */
  | { readonly kind: 'unreadable'; readonly reason: string }

/** What is known of a message from elsewhere. */
export interface MessageContext {
  /** The topic of messages that do not tell; it also wins over the one that they tell. */
  readonly topic?: string
  /** Milliseconds since the epoch, for messages without a time. */
  readonly now: number
}

/** Reads one message: a captured record as a line of ours, a change message, or a CloudEvent. */
export function readMessage(text: string, context: MessageContext): ReadMessage {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return { kind: 'unreadable', reason: 'not JSON' }
  }
  const message = asObject(parsed)
  if (!message) return { kind: 'unreadable', reason: 'not a JSON object' }
  if (isCapturedRecord(message)) {
    const record = readCapturedRecord(message)
    return typeof record === 'string' ? { kind: 'unreadable', reason: record } : { kind: 'record', record }
  }
  if (!isCloudEvent(message)) return readEnvelope(text, message, context)
  const envelope = envelopeOfCloudEvent(text)
  if ('reason' in envelope) return { kind: 'unreadable', reason: envelope.reason }
  return readEnvelope(envelope.text, asObject(JSON.parse(envelope.text)) ?? {}, context)
}

type Members = Readonly<Record<string, unknown>>

const asObject = (value: unknown): Members | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined

/** A line of a captured file: told by its topic, which no message of Debezium has. */
const isCapturedRecord = (message: Members): boolean => 'topic' in message && !('op' in message)

function readEnvelope(text: string, message: Members, context: MessageContext): ReadMessage {
  const body = ('schema' in message && asObject(message.payload)) || message
  const why = asideOf(body)
  if (why) return { kind: 'aside', why }
  const source = asObject(body.source)
  const isChange = typeof body.op === 'string' && source !== undefined
  const topic = context.topic ?? (isChange ? topicOf(source) : undefined)
  if (topic === undefined) {
    return {
      kind: 'unreadable',
      reason: isChange
        ? 'its source names no table: give the topic with ?topic='
        : 'no change of Debezium (no op or no source): is a transform flattening it?',
    }
  }
  return {
    kind: 'record',
    record: {
      topic,
      partition: null,
      timestamp: firstTime(body.ts_ms, source?.ts_ms) ?? context.now,
      key: null,
      value: text,
      headers: {},
    },
  }
}

function asideOf(body: Members): AsideWhy | undefined {
  if ('op' in body) return undefined
  if (body.status === 'BEGIN' || body.status === 'END') return 'transaction'
  if ('ddl' in body || 'tableChanges' in body) return 'schema_change'
  return Object.keys(body).every((member) => member === 'ts_ms') ? 'heartbeat' : undefined
}

/**
 * The topic that Debezium would write to: `<topic.prefix>.<database or schema>.<table>`. Its HTTP sink does not say
 * the topic, and transforms that route records elsewhere do not show here.
 */
function topicOf(source: Members): string | undefined {
  const parts = [source.name, source.schema ?? source.db, source.table]
  return parts.every((part) => typeof part === 'string' && part !== '') ? parts.join('.') : undefined
}

function firstTime(...candidates: readonly unknown[]): number | undefined {
  for (const candidate of candidates) {
    // CloudEvents carry numbers as text.
    const time = typeof candidate === 'string' && /^\d+$/.test(candidate) ? Number(candidate) : candidate
    if (typeof time === 'number' && Number.isSafeInteger(time) && time >= 0) return time
  }
  return undefined
}
