/**
 * Seals the secret columns of a captured change before it is appended anywhere: one-time passwords, customer names
 * and phones become `sealed:…`, rider phones are masked, and SQL text is dropped. Every other byte of the message
 * stays as Debezium wrote it.
 */
import { isUtf8 } from 'node:buffer'
import { ensureSealed, plainOf, type Sealing } from './captured-secrets.ts'
import { asRow, payloadOf, unavailableValue } from './envelope.ts'
import { replaceMembers } from './json-text.ts'
import { maskPhone } from './mask-phone.ts'
import type { SourceBlock, SourceMapping } from './source-blocks.ts'
import { blocksOf } from './source-topics.ts'

/**
 * The change with its secrets sealed. Tombstones and topics that the mapping does not name come back as they are
 * (an ingest has no use for the latter). A text that is no change message is sealed whole, since nobody can tell
 * where its secrets are; NORMALIZE opens it and refuses it.
 */
export function sealChange(
  topic: string,
  valueText: string | null,
  mapping: SourceMapping,
  seal: Sealing,
): string | null {
  if (valueText === null) return null
  const blocks = blocksOf(topic, mapping)
  if (blocks.length === 0 || plainOf(valueText, seal) !== valueText) return valueText
  if (!isChange(valueText)) return seal.seal(valueText)
  const secrets = secretColumns(blocks)
  return replaceMembers(valueText, (path, text) => {
    const inner = path[0] === 'payload' ? path.slice(1) : path
    const [part, column] = inner
    if (part === undefined || (inner.length === 1 && isRowPart(part))) return 'descend'
    if (column === undefined) return 'keep'
    if (part === 'source') return column === 'query' && text() !== 'null' ? { replaceBy: 'null' } : 'keep'
    const treatment = secrets.get(column)
    if (treatment === undefined) return 'keep'
    return { replaceBy: JSON.stringify(treatment(plainText(text()), mapping.defaultRegion, seal)) }
  })
}

/**
 * The same for a message in bytes. What is no text is sealed whole: its secrets lie somewhere in it, and nothing of
 * it may be read on disk. NORMALIZE opens it and decodes the very bytes.
 */
export function sealMessage(topic: string, value: Uint8Array, mapping: SourceMapping, seal: Sealing): string {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (!isUtf8(bytes) || bytes[0] === 0) return seal.seal(bytes.toString('latin1'))
  const text = bytes.toString('utf8')
  return sealChange(topic, text, mapping, seal) ?? text
}

/** What becomes of a secret value. */
type Treatment = (value: string | null, region: string, seal: Sealing) => string | null

const sealValue: Treatment = (value, _region, seal) => ensureSealed(value, seal)

/** A rider's phone goes on masked, never whole, so it can be masked here and for good. */
const maskValue: Treatment = (value, region) =>
  value === unavailableValue ? value : maskPhone(value, region)

/** By column, for all blocks of the topic: which of them takes the record is not known before it is parsed. */
function secretColumns(blocks: readonly SourceBlock[]): Map<string, Treatment> {
  const secrets = new Map<string, Treatment>()
  const add = (column: string | null, treatment: Treatment) => {
    if (column !== null && secrets.get(column) !== sealValue) secrets.set(column, treatment)
  }
  for (const block of blocks) {
    if (block.role === 'orders') {
      add(block.columns.customer_name, sealValue)
      add(block.columns.customer_phone, sealValue)
    } else {
      add(block.columns.otp, sealValue)
      add(block.columns.rider_phone, maskValue)
    }
  }
  return secrets
}

const isRowPart = (part: string): boolean => part === 'before' || part === 'after' || part === 'source'

/** A JSON value as the text that stands for it; a number or an object is sealed as it was written. */
function plainText(valueText: string): string | null {
  if (valueText === 'null') return null
  if (!valueText.startsWith('"')) return valueText
  return String(JSON.parse(valueText))
}

/** Whether this is JSON, and an envelope: a flattened row would carry its secrets at the top, unseen. */
function isChange(valueText: string): boolean {
  try {
    const body = payloadOf(JSON.parse(valueText))
    return body !== null && typeof body.op === 'string' && asRow(body.source) !== null
  } catch {
    return false
  }
}
