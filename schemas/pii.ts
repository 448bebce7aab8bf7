/**
 * Which fields hold secrets or personal data. The `pii` tags of the schemas say so, and this is the one place
 * that reads them.
 */
import {
  type AvroRecord,
  type AvroType,
  isUnion,
  namedTypes,
  type Pii,
  parseSchema,
  shortName,
} from './avro-schema.ts'
import type { SubjectTypes } from './generated/types.ts'
import type { Registry } from './registry.ts'

/** A tagged field. `path` goes from the record down; `*` stands for every item of an array or map. */
export interface PiiField {
  readonly path: readonly string[]
  readonly pii: Pii
}

/** What stands where a secret was. */
export const maskText = '••••••'

/** The privacy of all subjects of a registry. */
export interface Privacy {
  /** The tagged fields of a subject's newest version. */
  fields(subject: string): readonly PiiField[]
  /** A copy of a value in which every tagged field that is not null is masked: for previews and people's eyes. */
  maskSecrets<S extends keyof SubjectTypes>(subject: S, value: SubjectTypes[S]): SubjectTypes[S]
}

/** Reads the tags of a registry's subjects, each when it is first asked for. */
export function makePrivacy(registry: Registry): Privacy {
  const known = new Map<string, readonly PiiField[]>()
  const fields = (subject: string): readonly PiiField[] => {
    const found = known.get(subject) ?? piiFields(parseSchema(registry.latest(subject).text, subject))
    known.set(subject, found)
    return found
  }
  return Object.freeze({
    fields,
    maskSecrets: <S extends keyof SubjectTypes>(subject: S, value: SubjectTypes[S]): SubjectTypes[S] => {
      let masked: unknown = value
      for (const { path } of fields(subject)) masked = maskAt(masked, path)
      return masked as SubjectTypes[S]
    },
  })
}

/** A copy of any value of a schema, whatever its version, with every tagged field masked that is not null. */
export function maskTagged(schema: AvroRecord, value: unknown): unknown {
  return piiFields(schema).reduce((masked, { path }) => maskAt(masked, path), value)
}

/** Every tagged field of a schema. */
export function piiFields(schema: AvroRecord): readonly PiiField[] {
  const types = namedTypes(schema)
  const found: PiiField[] = []
  const visit = (type: AvroType, path: readonly string[], within: readonly string[]): void => {
    if (isUnion(type)) {
      for (const branch of type) visit(branch, path, within)
      return
    }
    const definition = typeof type === 'string' ? types.get(shortName(type)) : type
    if (definition?.type === 'array') visit(definition.items, [...path, '*'], within)
    if (definition?.type === 'map') visit(definition.values, [...path, '*'], within)
    if (definition?.type !== 'record' || within.includes(definition.name)) return
    for (const field of definition.fields) {
      const at = [...path, field.name]
      if (field.pii) found.push({ path: at, pii: field.pii })
      else visit(field.type, at, [...within, definition.name])
    }
  }
  visit(schema, [], [])
  return found
}

function maskAt(value: unknown, path: readonly string[]): unknown {
  if (value === null || value === undefined) return value
  const [step, ...rest] = path
  if (step === undefined) return mask(value)
  if (Array.isArray(value)) return value.map((item) => maskAt(item, rest))
  if (typeof value !== 'object') return value
  const entries = Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, item]) => [name, step === '*' || step === name ? maskAt(item, rest) : item]),
  )
}

/** Keeps the shape: text stays text, bytes bytes, lists keep their length. */
function mask(value: unknown): unknown {
  if (value === null) return null
  if (value instanceof Uint8Array) return Buffer.from(maskText)
  if (Array.isArray(value)) return value.map(mask)
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mask(item)]))
  return maskText
}
