/**
 * Debezium's envelope: what a change message says, before anything is known about columns. Accepts JSON with and
 * without `schema`; Avro comes in through the decoder that the caller passes.
 */
import { type Undecodable, undecodable } from './outcomes.ts'

/** A row as captured: column → value. */
export type CapturedRow = Readonly<Record<string, unknown>>

export type ChangeKind = 'create' | 'update' | 'delete' | 'snapshot' | 'truncate' | 'message'

/** A change message, whichever connector wrote it. */
export interface Envelope {
  readonly kind: ChangeKind
  /** Debezium's letter, as it is in event ids. */
  readonly op: string
  readonly before: CapturedRow | null
  readonly after: CapturedRow | null
  readonly source: CapturedRow
  /** Debezium's own id of the transaction, where it provides transaction metadata. */
  readonly transactionId: string | null
}

/** What Debezium writes for a large value that an update left alone (PostgreSQL TOAST). */
export const unavailableValue = '__debezium_unavailable_value'

const kinds: Readonly<Record<string, ChangeKind>> = {
  c: 'create',
  u: 'update',
  d: 'delete',
  r: 'snapshot',
  t: 'truncate',
  m: 'message',
}

export type DecodedEnvelope = { readonly kind: 'envelope'; readonly envelope: Envelope } | Undecodable

/** Reads an envelope out of the parsed message. */
export function readEnvelope(message: unknown): DecodedEnvelope {
  const body = payloadOf(message)
  const op = body?.op
  const source = asRow(body?.source)
  if (!body || typeof op !== 'string' || !source) {
    return undecodable('not_an_envelope', 'the message has no op or no source: is a transform flattening it?')
  }
  const kind = kinds[op]
  if (!kind) return undecodable('unknown_op', `op ${JSON.stringify(op.slice(0, 20))}`)
  const transaction = asRow(body.transaction)
  return {
    kind: 'envelope',
    envelope: {
      kind: kind !== 'delete' && isSnapshot(source.snapshot) && body.after ? 'snapshot' : kind,
      op,
      before: asRow(body.before),
      after: asRow(body.after),
      source,
      transactionId: typeof transaction?.id === 'string' ? transaction.id : null,
    },
  }
}

/** A message without the `schema` that `schemas.enable=true` puts around it. */
export function payloadOf(message: unknown): CapturedRow | null {
  const outer = asRow(message)
  return outer && 'payload' in outer && 'schema' in outer ? asRow(outer.payload) : outer
}

/** `false` as text or value, null and absence mean "streamed"; `first`, `true`, `last`, `incremental` … do not. */
function isSnapshot(snapshot: unknown): boolean {
  return snapshot !== undefined && snapshot !== null && snapshot !== false && snapshot !== 'false'
}

/** The value as a row; null where it is no object. */
export function asRow(value: unknown): CapturedRow | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as CapturedRow) : null
}
