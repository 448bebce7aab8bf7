/**
 * Builds the record that is kept of an input which could not be read or was refused: its bytes sealed and cut to
 * fit, what identifies it, and a preview that shows its form but none of its content.
 */
import { createHash } from 'node:crypto'
import type { Undecodable } from './generated/types.ts'
import type { Sealer } from './sealing.ts'

/** An input as it came, and what was wrong with it. */
export interface RefusedInput {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Its own timestamp, milliseconds. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** A stable word. */
  readonly reason: string
  /** What is wrong, without content. */
  readonly detail: string
  /** Pipeline time, milliseconds. */
  readonly at: number
}

/** Keys beyond this are cut: Debezium's are far below 1 KiB. */
export const keptKeyBytesMax = 4 * 1024

/** Values beyond this are cut; with the key and everything else it stays well below 1,000,000 bytes a record. */
export const keptValueBytesMax = 900_000

/** Details beyond this are cut; they are for people. */
export const detailCharactersMax = 1000

/** The record's own key is the refused one's, cut to this; the whole of it is sealed in the value. */
export const recordKeyBytesMax = 256

const previewBytesMax = 600

/** The key under which the record is kept: the original one, so that what belongs together stays together. */
export const undecodableKey = (key: Uint8Array | null): Uint8Array | null =>
  key === null ? null : key.subarray(0, recordKeyBytesMax)

/** Makes the record. It fits a topic that takes 1,000,000 bytes, whatever the size of the input. */
export function makeUndecodable(input: RefusedInput, sealer: Pick<Sealer, 'sealBytes'>): Undecodable {
  const keep = (bytes: Uint8Array | null, bytesMax: number): Uint8Array | null =>
    bytes && sealer.sealBytes(bytes.subarray(0, bytesMax))
  return {
    topic: input.topic,
    partition: input.partition,
    offset: input.offset,
    timestamp: input.timestamp,
    reason: input.reason,
    detail: input.detail.slice(0, detailCharactersMax),
    key_length: input.key?.length ?? -1,
    value_length: input.value?.length ?? -1,
    value_sha256: createHash('sha256')
      .update(input.value ?? new Uint8Array())
      .digest('hex'),
    key: keep(input.key, keptKeyBytesMax),
    value: keep(input.value, keptValueBytesMax),
    preview: input.value ? redactedPreview(input.value) : '',
    at: input.at,
  }
}

/**
 * Names that may stand in a preview: those of the CDC envelope. A row's columns may be added by who knows them; no
 * other name is shown, because what looks like a name may be content.
 */
const envelopeNames: ReadonlySet<string> = new Set([
  ...[
    'schema',
    'payload',
    'before',
    'after',
    'source',
    'op',
    'transaction',
    'type',
    'fields',
    'field',
    'name',
  ],
  ...['optional', 'version', 'connector', 'snapshot', 'db', 'table', 'file', 'pos', 'row', 'thread', 'query'],
  ...[
    'gtid',
    'lsn',
    'txId',
    'xmin',
    'sequence',
    'server_id',
    'ts_ms',
    'ts_us',
    'ts_ns',
    'databaseName',
    'ddl',
  ],
])

/** A quoted name with its colon; a word; a run of anything else. */
const tokens = /"(\w+)"(?=\s*:)|([A-Za-z_]\w*)|[^"A-Za-z_]+|"/g

/**
 * The first characters with all content replaced, so that no one-time password, phone or person's name can show:
 * digits become 0, letters x, except for known names where they stand as names, and true, false and null. Length
 * and form remain.
 */
export function redactedPreview(bytes: Uint8Array, columns: ReadonlySet<string> = new Set()): string {
  const text = Buffer.from(bytes.subarray(0, previewBytesMax)).toString('utf8')
  return text.replaceAll(tokens, (token: string, name: string | undefined, word: string | undefined) => {
    if (name !== undefined && (envelopeNames.has(name) || columns.has(name))) return token
    if (word === 'true' || word === 'false' || word === 'null') return token
    return redact(token)
  })
}

function redact(text: string): string {
  return text
    .replaceAll(/\p{N}/gu, '0')
    .replaceAll(/[\p{L}\p{M}]/gu, 'x')
    .replaceAll(/[^\p{ASCII}]|\p{Cc}/gu, '.')
}
