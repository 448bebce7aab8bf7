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

const previewBytesMax = 600

/** Makes the record. `sealBytes` is the sealer's. */
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

/** Words that may stand in a preview: those of the CDC envelope and JSON's own. Everything else becomes x. */
const plainWords: ReadonlySet<string> = new Set([
  ...['true', 'false', 'null'],
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
  ...[
    'optional',
    'struct',
    'version',
    'connector',
    'snapshot',
    'db',
    'table',
    'file',
    'pos',
    'row',
    'thread',
  ],
  ...[
    'gtid',
    'query',
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

/**
 * The first characters with all content replaced, so that no one-time password, phone or name can show: digits
 * become 0, letters x, except the envelope's own words where they stand as a name. Length and form remain.
 */
export function redactedPreview(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, previewBytesMax)).toString('utf8')
  let preview = ''
  // A quoted name with its colon, a bare word, or any one character.
  for (const [token, name, word] of text.matchAll(/"(\w+)"(?=\s*:)|([A-Za-z_]\w*)|[\s\S]/g)) {
    if (name !== undefined && plainWords.has(name)) preview += token
    else if (word !== undefined && /^(true|false|null)$/.test(word)) preview += token
    else preview += redact(token)
  }
  return preview
}

function redact(text: string): string {
  return text
    .replaceAll(/\p{N}/gu, '0')
    .replaceAll(/[\p{L}\p{M}]/gu, 'x')
    .replaceAll(/[^\p{ASCII}]|\p{Cc}/gu, '.')
}
