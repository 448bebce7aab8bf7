/** Reads the parts of definitions that are not types: names, aliases, symbols, sizes, logical types. */
import { nameMend, type ReportProblem, shown, tolerable } from './model-problems.ts'
import {
  isDottedName,
  isName,
  isNamespace,
  isPrimitiveName,
  namespaceOf,
  qualify,
  simpleName,
} from './names.ts'
import { childPointer } from './places.ts'
import type { LogicalType } from './schema-model.ts'

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether JSON is an object. */
export const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** Where a type stands: its pointer, and the namespace that names without a dot belong to. */
export interface TypeSpot {
  readonly pointer: string
  readonly namespace: string
}

/** The names of a record, enum or fixed. */
export interface TypeNames {
  readonly fullName: string
  readonly name: string
  readonly aliases: ReadonlySet<string>
}

const noAliases: ReadonlySet<string> = new Set()

/** Reads name, namespace and aliases; nothing when there is no name. */
export function readTypeNames(
  json: JsonObject,
  spot: TypeSpot,
  report: ReportProblem,
): TypeNames | undefined {
  const { name, namespace, type } = json
  const at = childPointer(spot.pointer, 'name')
  if (typeof name !== 'string') {
    if (name === undefined) {
      report('SCHEMA_ATTRIBUTE_MISSING', spot.pointer, `this ${type} has no "name"`, 'add "name": "…"')
    } else report('SCHEMA_ATTRIBUTE_INVALID', at, `the name is ${shown(name)}`, 'write text in quotes')
    return undefined
  }
  if (!isDottedName(name)) {
    report('SCHEMA_NAME_INVALID', at, `the name ${shown(name)} is no Avro name`, nameMend, tolerable)
  } else if (isPrimitiveName(simpleName(name))) {
    const message = `${shown(name)} is the name of a primitive type`
    report('SCHEMA_NAME_INVALID', at, message, 'choose another name', tolerable)
  }
  if (namespace !== undefined && !(typeof namespace === 'string' && isNamespace(namespace))) {
    const message = `the namespace ${shown(namespace)} is no Avro name`
    report('SCHEMA_NAME_INVALID', childPointer(spot.pointer, 'namespace'), message, nameMend, tolerable)
  }
  const fullName = qualify(name, typeof namespace === 'string' ? namespace : spot.namespace)
  const own = namespaceOf(fullName)
  const aliases = readAliases(json, spot.pointer, report)
  return {
    fullName,
    name: simpleName(fullName),
    aliases: aliases.length > 0 ? new Set(aliases.map((alias) => qualify(alias, own))) : noAliases,
  }
}

const noNames: readonly string[] = []

/** Reads aliases as they are written. */
function readAliases(json: JsonObject, pointer: string, report: ReportProblem): readonly string[] {
  const { aliases } = json
  if (aliases === undefined) return noNames
  const at = childPointer(pointer, 'aliases')
  if (!isTextList(aliases)) {
    report('SCHEMA_ATTRIBUTE_INVALID', at, '"aliases" is no list of names', 'write ["old_name"]')
    return noNames
  }
  for (const [index, alias] of aliases.entries()) {
    if (isDottedName(alias)) continue
    const message = `the alias ${shown(alias)} is no Avro name`
    report('SCHEMA_NAME_INVALID', childPointer(at, index), message, nameMend, tolerable)
  }
  return aliases
}

const isTextList = (json: unknown): json is readonly string[] =>
  Array.isArray(json) && json.every((item) => typeof item === 'string')

/** Reads the symbols of an enum and its default; nothing when there is no list. */
export function readSymbols(
  json: JsonObject,
  pointer: string,
  report: ReportProblem,
): { readonly symbols: ReadonlySet<string>; readonly default: string | undefined } | undefined {
  const { symbols, default: fallback } = json
  const at = childPointer(pointer, 'symbols')
  if (symbols === undefined) {
    report('SCHEMA_ATTRIBUTE_MISSING', pointer, 'an enum without "symbols"', 'add "symbols": ["UNKNOWN", …]')
    return undefined
  }
  if (!Array.isArray(symbols)) {
    report('SCHEMA_ATTRIBUTE_INVALID', at, '"symbols" is no list', 'write ["A", "B"]')
    return undefined
  }
  const known = new Set<string>()
  for (const [index, symbol] of symbols.entries()) {
    const own = childPointer(at, index)
    if (typeof symbol !== 'string') {
      report('SCHEMA_ATTRIBUTE_INVALID', own, `the symbol ${shown(symbol)} is no text`, 'write it in quotes')
      continue
    }
    if (!isName(symbol)) {
      report('SCHEMA_NAME_INVALID', own, `the symbol ${shown(symbol)} is no Avro name`, nameMend, tolerable)
    }
    if (known.has(symbol)) {
      const message = `the symbol ${shown(symbol)} is given twice`
      report('SCHEMA_NAME_DUPLICATE', own, message, 'remove one of the two')
    }
    known.add(symbol)
  }
  if (fallback !== undefined && !(typeof fallback === 'string' && known.has(fallback))) {
    const message = `the default ${shown(fallback)} is not among the symbols`
    report(
      'SCHEMA_DEFAULT_INVALID',
      childPointer(pointer, 'default'),
      message,
      'name one of the symbols',
      tolerable,
    )
  }
  return { symbols: known, default: typeof fallback === 'string' ? fallback : undefined }
}

/** Reads the size of a fixed. */
export function readSize(json: JsonObject, pointer: string, report: ReportProblem): number | undefined {
  const { size } = json
  if (size === undefined) {
    report('SCHEMA_ATTRIBUTE_MISSING', pointer, 'a fixed without "size"', 'add "size": the number of bytes')
    return undefined
  }
  if (typeof size === 'number' && Number.isInteger(size) && size >= 0) return size
  const mend = 'write a whole number of bytes, without quotes'
  report('SCHEMA_ATTRIBUTE_INVALID', childPointer(pointer, 'size'), `${shown(size)} is no size`, mend)
  return undefined
}

/** What stands beside the type of a field. */
export interface FieldHead {
  readonly name: string
  readonly type: unknown
  readonly aliases: readonly string[]
  readonly default: unknown
}

/** Reads a field; nothing when it has no name or no type. */
export function readFieldHead(item: unknown, pointer: string, report: ReportProblem): FieldHead | undefined {
  if (!isObject(item)) {
    report('SCHEMA_ATTRIBUTE_INVALID', pointer, `the field is ${shown(item)}`, 'write {"name": …, "type": …}')
    return undefined
  }
  const { name, type, order, default: fallback } = item
  if (name === undefined) {
    report('SCHEMA_ATTRIBUTE_MISSING', pointer, 'a field without "name"', 'add "name": "…"')
    return undefined
  }
  const at = childPointer(pointer, 'name')
  if (typeof name !== 'string') {
    report('SCHEMA_ATTRIBUTE_INVALID', at, `the field's name is ${shown(name)}`, 'write text in quotes')
    return undefined
  }
  if (!isName(name)) {
    report('SCHEMA_NAME_INVALID', at, `the field's name ${shown(name)} is no Avro name`, nameMend, tolerable)
  }
  if (type === undefined) {
    report(
      'SCHEMA_ATTRIBUTE_MISSING',
      pointer,
      `the field ${shown(name)} has no "type"`,
      'add "type": "string", …',
    )
    return undefined
  }
  if (order !== undefined && order !== 'ascending' && order !== 'descending' && order !== 'ignore') {
    const mend = 'write "ascending", "descending" or "ignore"'
    report(
      'SCHEMA_ATTRIBUTE_INVALID',
      childPointer(pointer, 'order'),
      `the order is ${shown(order)}`,
      mend,
      tolerable,
    )
  }
  return { name, type, aliases: readAliases(item, pointer, report), default: fallback }
}

const noLogicalType: { readonly logical?: LogicalType } = {}

/** Reads a logical type, whether or not it fits. */
export function readLogicalType(json: JsonObject): { readonly logical?: LogicalType } {
  const { logicalType, precision, scale } = json
  if (typeof logicalType !== 'string') return noLogicalType
  if (logicalType !== 'decimal') return { logical: { name: logicalType } }
  return {
    logical: {
      name: logicalType,
      ...(typeof precision === 'number' ? { precision } : {}),
      scale: typeof scale === 'number' ? scale : 0,
    },
  }
}
