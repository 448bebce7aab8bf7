/**
 * avsc writes `Buffer`s only; our types say `Uint8Array`. This gives values whose bytes are Buffers over the same
 * memory, copying only the records on the way to one that was none.
 */
import { type AvroRecord, type AvroType, isUnion, namedTypes, shortName } from './avro-schema.ts'

type View = (value: unknown) => unknown

/** A view of all bytes of one subject's values, or `undefined` where its schema has no bytes. */
export function byteViews(schema: AvroRecord): View | undefined {
  const types = namedTypes(schema)
  const ofType = (type: AvroType, within: readonly string[]): View | undefined => {
    if (isUnion(type)) {
      // Unwrapped unions have at most one branch that may hold bytes for a given kind of value.
      const views = type.map((branch) => ofType(branch, within)).filter((view) => view !== undefined)
      return views.length === 0
        ? undefined
        : (value) => views.reduce<unknown>((seen, view) => view(seen), value)
    }
    if (typeof type !== 'string') return ofDefinition(type, within)
    if (type === 'bytes') return asBuffer
    const named = types.get(shortName(type))
    return named && ofDefinition(named, within)
  }
  const ofDefinition = (type: Exclude<AvroType, string | readonly AvroType[]>, within: readonly string[]) => {
    if (type.type === 'bytes') return asBuffer
    if (type.type === 'array') return ofItems(ofType(type.items, within))
    if (type.type === 'map') return ofFields(ofType(type.values, within))
    if (type.type !== 'record' || within.includes(type.name)) return undefined
    const fields = new Map<string, View>()
    for (const field of type.fields) {
      const view = ofType(field.type, [...within, type.name])
      if (view) fields.set(field.name, view)
    }
    return fields.size === 0 ? undefined : ofRecord(fields)
  }
  return ofDefinition(schema, [])
}

const asBuffer: View = (value) =>
  value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

function ofRecord(fields: ReadonlyMap<string, View>): View {
  return (value) => {
    if (!isObject(value)) return value
    let copy: Record<string, unknown> | undefined
    for (const [name, view] of fields) {
      const viewed = view(value[name])
      if (viewed === value[name]) continue
      copy ??= { ...value }
      copy[name] = viewed
    }
    return copy ?? value
  }
}

const ofItems = (view: View | undefined): View | undefined =>
  view && ((value) => (Array.isArray(value) ? value.map(view) : value))

const ofFields = (view: View | undefined): View | undefined =>
  view &&
  ((value) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, view(item)]))
      : value)
