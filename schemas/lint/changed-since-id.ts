/** Tells which released versions were edited, where nothing but their ids is at hand. */
import { type AvroRecord, parseSchema } from '../avro-schema.ts'
import type { SchemaText } from '../compatibility/finding.ts'
import { parseSchemaIds, schemaFingerprint } from '../schema-ids.ts'

/** Reads ids.json; what has no id yet was not released, and is not changed. */
export function changedSinceId(
  idsText: string,
  file: string,
): (subject: string, text: SchemaText) => boolean {
  const ids = parseSchemaIds(idsText, file)
  return (subject, { version, text }) => {
    const entry = ids.subjects[subject]?.[`v${version}`]
    const schema = schemaOf(text, file)
    return entry !== undefined && schema !== undefined && entry.fingerprint !== schemaFingerprint(schema)
  }
}

/** What is no schema at all is told by the checker. */
function schemaOf(text: string, file: string): AvroRecord | undefined {
  try {
    return parseSchema(text, file)
  } catch {
    return undefined
  }
}
