/**
 * What an ingest has to know of a change before it is appended: the key that orders it, and the position by which a
 * repeat is recognised. Says nothing about whether the change is sound; that is told when it is normalized.
 */
import { type CapturedRow, readEnvelope } from './envelope.ts'
import { parseJsonExactly } from './json-text.ts'
import { hasWideInteger } from './record-keys.ts'
import { rowReader } from './row-reader.ts'
import type { SourceMapping } from './source-blocks.ts'
import { sourcePosition } from './source-position.ts'
import { blockFor } from './source-topics.ts'

export interface ChangeIdentity {
  /** The record's key as Debezium writes it, e.g. `{"id":1101}`; null where the change names no row. */
  readonly key: string | null
  /** Equal only for repeats of one change; null for snapshot rows and what else has no place in its source's log. */
  readonly position: string | null
}

const unknown: ChangeIdentity = { key: null, position: null }

/** The identity of a change message of a captured topic. */
export function changeIdentity(topic: string, valueText: string, mapping: SourceMapping): ChangeIdentity {
  let message: unknown
  try {
    message = parseJsonExactly(valueText, hasWideInteger)
  } catch {
    return unknown
  }
  const read = readEnvelope(message)
  if (read.kind === 'undecodable') return unknown
  const { envelope } = read
  const block = blockFor(topic, String(envelope.source.connector), mapping)
  if (!block) return unknown
  const column = block.role === 'orders' ? block.columns.order_id : block.columns.assignment_id
  const id = idOf(envelope.after ?? envelope.before, column)
  const position = sourcePosition(envelope, id?.text ?? '', 0)
  return {
    key: id === null ? null : JSON.stringify({ [column]: id.value }),
    position: position.lineage === null ? null : `${topic}|${position.source}|${position.identity}`,
  }
}

/** The id as text, and as it stands in the row, so that the key has the form that Debezium gives it. */
function idOf(row: CapturedRow | null, column: string): { text: string; value: unknown } | null {
  if (!row) return null
  const text = rowReader(row, null).code(column)
  return text === null ? null : { text, value: row[column] }
}
