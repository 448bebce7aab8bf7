/** The keys that come with a captured record: its own, and those that Debezium's headers name when a key changed. */
import { asRow, type CapturedRow, payloadOf } from './envelope.ts'
import { parseJsonExactly } from './json-text.ts'
import { type Undecodable, undecodable } from './outcomes.ts'

/** Debezium's headers of the two halves of a primary key change. */
const oldKeyHeader = '__debezium.oldkey'
const newKeyHeader = '__debezium.newkey'

/** The keys of a change: of the row, and of its other half when the key changed. */
export interface CapturedKeys {
  /** The key's columns; empty when there is none or it is no JSON (deletes then rely on `before`). */
  readonly record: CapturedRow
  /** On the create half: the row's key before. */
  readonly previous: string | null
  /** On the delete half: the row's key after. */
  readonly next: string | null
}

interface KeyedRecord {
  readonly key: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** Reads the keys; a header that is there and cannot be read is undecodable, because it decides what fires. */
export function readKeys(record: KeyedRecord, idColumn: string): CapturedKeys | Undecodable {
  const previous = headerKey(record, oldKeyHeader, idColumn)
  const next = headerKey(record, newKeyHeader, idColumn)
  if (previous === undefined || next === undefined) {
    return undecodable('bad_key_header', `header ${previous === undefined ? oldKeyHeader : newKeyHeader}`)
  }
  return { record: parseKey(record.key) ?? {}, previous, next }
}

export const isUndecodable = (keys: CapturedKeys | Undecodable): keys is Undecodable => 'kind' in keys

function headerKey(record: KeyedRecord, name: string, idColumn: string): string | null | undefined {
  const header = record.headers.find((candidate) => candidate.key === name)
  if (!header) return null
  const columns = parseKey(header.value)
  const id = columns?.[idColumn] ?? (columns ? Object.values(columns)[0] : undefined)
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

function parseKey(bytes: Uint8Array | null): CapturedRow | null {
  if (bytes === null) return null
  try {
    return payloadOf(parseJsonExactly(Buffer.from(bytes).toString('utf8'), hasWideInteger))
  } catch {
    // No JSON: a key in another format says nothing that the row does not say.
    return null
  }
}

/** Whether a row holds an integer that JSON.parse may have rounded. */
export function hasWideInteger(message: unknown): boolean {
  const row = payloadOf(message)
  if (!row) return false
  const rows = [row, asRow(row.before), asRow(row.after)]
  return rows.some((columns) => columns !== null && Object.entries(columns).some(isWide))
}

/** `ts_ns` of the envelope is always wide and never read. */
const isWide = ([column, value]: [string, unknown]): boolean =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && column !== 'ts_ns'
