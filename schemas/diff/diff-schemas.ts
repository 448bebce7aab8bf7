/** Says what differs between two versions of a schema, in the words of somebody who changed it. */
import type { SchemaText } from '../compatibility/finding.ts'
import { parseSchemaText } from '../compatibility/parse-schema-text.ts'
import { type Outline, type OutlineField, outlineOf } from './outline.ts'

/** One difference. */
export interface SchemaChange {
  readonly kind: 'added' | 'removed' | 'changed' | 'renamed'
  /** What: the path of a field, or the name of an enum. */
  readonly what: string
  /** The difference as a phrase. */
  readonly text: string
  /** Only words for people changed. */
  readonly docOnly: boolean
  /** In the newer text; of what is removed, in the older one. */
  readonly pointer: string
}

/** The differences, in the order of the newer text; none between texts that are no schemas. */
export function diffSchemas(
  before: Pick<SchemaText, 'text' | 'file'>,
  after: Pick<SchemaText, 'text' | 'file'>,
): readonly SchemaChange[] {
  const older = parseSchemaText(before.text, before.file)
  const newer = parseSchemaText(after.text, after.file)
  return older.ok && newer.ok ? diffOutlines(outlineOf(older), outlineOf(newer)) : []
}

/** The same for outlines at hand. */
export function diffOutlines(older: Outline, newer: Outline): readonly SchemaChange[] {
  const renamed = renames(older, newer)
  const changes: SchemaChange[] = []
  for (const field of newer.fields.values()) {
    const from = renamed.get(field.path)
    const before = older.fields.get(from ?? field.path)
    if (!before) changes.push(addedField(field))
    else {
      if (from !== undefined) {
        const text = `${from} is called ${field.path} now, with an alias`
        changes.push({ kind: 'renamed', what: field.path, text, docOnly: false, pointer: field.pointer })
      }
      changes.push(...changedField(before, field))
    }
  }
  const gone = new Set(renamed.values())
  for (const { path, type, pointer } of older.fields.values()) {
    if (newer.fields.has(path) || gone.has(path) || [...gone].some((from) => path.startsWith(`${from}.`)))
      continue
    changes.push({ kind: 'removed', what: path, text: `field ${path} (${type})`, docOnly: false, pointer })
  }
  return [...changes, ...enumChanges(older, newer)]
}

/** New path → old path, where an alias says so. */
function renames(older: Outline, newer: Outline): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { path, aliases } of newer.fields.values()) {
    if (older.fields.has(path)) continue
    const parent = path.slice(0, path.lastIndexOf('.') + 1)
    const from = aliases
      .map((alias) => parent + alias)
      .find((old) => older.fields.has(old) && !newer.fields.has(old))
    if (from !== undefined) found.set(path, from)
  }
  return found
}

function addedField({ path, type, default: fallback, pii, pointer }: OutlineField): SchemaChange {
  const ifMissing = fallback === undefined ? 'no default' : `default ${short(fallback)}`
  const tag = pii === undefined ? '' : `, ${pii}`
  const text = `field ${path} (${type}, ${ifMissing}${tag})`
  return { kind: 'added', what: path, text, docOnly: false, pointer }
}

function changedField(before: OutlineField, after: OutlineField): readonly SchemaChange[] {
  const changes: SchemaChange[] = []
  const change = (text: string, docOnly = false) =>
    changes.push({
      ...{ kind: 'changed', what: after.path, text: `${after.path}: ${text}`, docOnly },
      pointer: after.pointer,
    })
  if (before.type !== after.type) change(`type ${before.type} → ${after.type}`)
  if (!extendsDefault(before.default, after.default)) {
    change(`default ${short(before.default)} → ${short(after.default)}`)
  }
  if (before.pii !== after.pii) change(`pii tag ${before.pii ?? 'none'} → ${after.pii ?? 'none'}`)
  const dropped = before.aliases.filter((alias) => !after.aliases.includes(alias))
  if (dropped.length > 0) change(`alias ${dropped.join(', ')} dropped`)
  if (before.doc !== after.doc) change('doc', true)
  return changes
}

function enumChanges(older: Outline, newer: Outline): readonly SchemaChange[] {
  return [...newer.enums.values()].flatMap((after): SchemaChange[] => {
    const before = older.enums.get(after.name)
    if (!before) return []
    const about = { what: after.name, docOnly: false, pointer: after.pointer }
    const added = after.symbols.filter((symbol) => !before.symbols.includes(symbol))
    const removed = before.symbols.filter((symbol) => !after.symbols.includes(symbol))
    const changes: SchemaChange[] = [
      ...added.map(
        (symbol): SchemaChange => ({ ...about, kind: 'added', text: `symbol ${symbol} of ${after.name}` }),
      ),
      ...removed.map(
        (symbol): SchemaChange => ({ ...about, kind: 'removed', text: `symbol ${symbol} of ${after.name}` }),
      ),
    ]
    if (before.default !== after.default) {
      const text = `${after.name}: default symbol ${before.default ?? 'none'} → ${after.default ?? 'none'}`
      changes.push({ ...about, kind: 'changed', text })
    }
    return changes
  })
}

/** The default of a record grows with its fields, which are told themselves. */
function extendsDefault(before: string | undefined, after: string | undefined): boolean {
  if (before === after) return true
  if (before === undefined || after === undefined) return false
  const [older, newer] = [JSON.parse(before) as unknown, JSON.parse(after) as unknown]
  if (!isRecord(older) || !isRecord(newer)) return false
  return Object.entries(older).every(([name, value]) =>
    extendsDefault(JSON.stringify(value), JSON.stringify(newer[name])),
  )
}

const isRecord = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const short = (json: string | undefined): string =>
  json === undefined ? 'none' : json.length > 40 ? `${json.slice(0, 39)}…` : json
