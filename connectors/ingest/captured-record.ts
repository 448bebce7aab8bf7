/**
 * A captured record: one Kafka record as one line of JSON, `{topic, partition, offset, timestamp, key, value,
 * headers}`. Keys and values are texts holding the record's exact bytes (UTF-8), `{"base64": "…"}` where they are
 * no text, or null. As texts, 19-digit numbers inside them survive the reading of the line.
 */

/** The bytes of a key, value or header: text, bytes, or a Kafka null. */
export type CapturedBytes = string | Uint8Array | null

/** A record as it was captured. */
export interface CapturedRecord {
  readonly topic: string
  /** Where it was captured; `null` when the line does not say: it is then placed by its key. */
  readonly partition: number | null
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: CapturedBytes
  readonly value: CapturedBytes
  readonly headers: Readonly<Record<string, CapturedBytes>>
}

/** Reads a parsed line; a line that is no record comes back as the reason, in words, without quoting its content. */
export function readCapturedRecord(document: Readonly<Record<string, unknown>>): CapturedRecord | string {
  const { topic, partition, timestamp, key, value, headers } = document
  if (typeof topic !== 'string' || topic === '') return '"topic" is not a text'
  if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    return '"timestamp" is not a number of milliseconds'
  }
  if (partition !== undefined && partition !== null && !isCount(partition)) {
    return '"partition" is not a whole number'
  }
  const keyBytes = parseBytes(key)
  if (keyBytes === undefined) return '"key" is neither a text, nor null, nor {"base64": …}'
  const valueBytes = parseBytes(value)
  if (valueBytes === undefined) return '"value" is neither a text, nor null, nor {"base64": …}'
  const headerBytes = parseHeaders(headers)
  if (typeof headerBytes === 'string') return headerBytes
  return {
    topic,
    partition: partition ?? null,
    timestamp,
    key: keyBytes,
    value: valueBytes,
    headers: headerBytes,
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** `undefined` means "none of these". An absent key or value is a null. */
function parseBytes(value: unknown): CapturedBytes | undefined {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return null
  if (typeof value !== 'object' || !('base64' in value) || typeof value.base64 !== 'string') return undefined
  // Buffer.from skips what is no base64 without a word.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value.base64) || value.base64.length % 4 !== 0) return undefined
  return Buffer.from(value.base64, 'base64')
}

const noHeaders: Readonly<Record<string, CapturedBytes>> = Object.freeze({})

function parseHeaders(headers: unknown): Readonly<Record<string, CapturedBytes>> | string {
  if (headers === undefined || headers === null) return noHeaders
  if (typeof headers !== 'object' || Array.isArray(headers)) return '"headers" is not an object'
  const given = headers as Record<string, unknown>
  let parsed: Record<string, CapturedBytes> | undefined
  for (const name in given) {
    const value = given[name]
    if (typeof value === 'string') continue
    const bytes = parseBytes(value)
    if (bytes === undefined)
      return `the header "${name.slice(0, 60)}" is neither a text, nor null, nor base64`
    // The usual case, texts only, needs no copy.
    parsed ??= { ...(given as Record<string, CapturedBytes>) }
    parsed[name] = bytes
  }
  return parsed ?? (given as Record<string, CapturedBytes>)
}
