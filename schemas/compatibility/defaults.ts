/**
 * Whether the defaults of a schema fit their types, as avsc, Java and the specification agree on it: the default of
 * a union must fit the union's first type (Java takes any, avsc throws); bytes and fixed are text with one character
 * per byte; a record's default may leave out fields that have defaults of their own.
 */
import { childPointer } from './places.ts'
import {
  describeNode,
  type FieldNode,
  type RecordNode,
  type SchemaModel,
  type SchemaNode,
} from './schema-model.ts'

/** A default, or a part of one, that does not fit. */
export interface DefaultProblem {
  readonly pointer: string
  readonly message: string
  readonly mend: string
}

/** More misfits of one schema than anybody reads. */
const problemsMax = 100

/** So many branches of a union are tried for a default that does not fit the first. */
const branchesMax = 16

/** How deep defaults are looked into: deeper than any text may nest. */
const depthMax = 1000

/** Checks all defaults of a schema. */
export function checkDefaults(model: SchemaModel): readonly DefaultProblem[] {
  const problems: DefaultProblem[] = []
  for (const node of model.named.values()) {
    if (node.kind !== 'record') continue
    for (const field of node.fields) {
      if (problems.length >= problemsMax) return problems
      if (field.hasDefault) problems.push(...checkDefault(field))
    }
  }
  return problems
}

function checkDefault(field: FieldNode): readonly DefaultProblem[] {
  const pointer = childPointer(field.pointer, 'default')
  const { type } = field
  const branches = type.kind === 'union' ? type.branches : [type]
  const [first] = branches
  if (!first) return [{ pointer, message: 'a default for a union without types', mend: 'remove it' }]
  const misfit = misfitOf(first, field.default, pointer, 0)
  if (!misfit) return []
  const later = branches.slice(1, branchesMax).find((branch) => !misfitOf(branch, field.default, pointer, 0))
  if (!later) return [misfit]
  return [
    {
      pointer,
      message: `the default fits ${describeNode(later)}, which is not the first type of the union`,
      mend: `put ${JSON.stringify(describeNode(later))} first in the union, or write a default for ${describeNode(first)}`,
    },
  ]
}

/** What does not fit, or nothing. */
function misfitOf(
  type: SchemaNode,
  value: unknown,
  pointer: string,
  depth: number,
): DefaultProblem | undefined {
  const misfit = (expected: string, mend: string): DefaultProblem => ({
    pointer,
    message: `${kindOf(value)} where the type is ${expected}`,
    mend,
  })
  if (depth > depthMax) return misfit('a type that contains itself without end', 'remove the default')
  switch (type.kind) {
    case 'null':
      return value === null ? undefined : misfit('null', 'write null, without quotes')
    case 'boolean':
      return typeof value === 'boolean' ? undefined : misfit('boolean', 'write true or false, without quotes')
    case 'int':
      return isInt(value) ? undefined : misfit('int', 'write a whole number from -2147483648 to 2147483647')
    case 'long':
      return isLong(value) ? undefined : misfit('long', 'write a whole number of 64 bits')
    case 'float':
    case 'double':
      return typeof value === 'number' ? undefined : misfit(type.kind, 'write a number, without quotes')
    case 'string':
      return typeof value === 'string' ? undefined : misfit('string', 'write text in quotes')
    case 'bytes':
      return isByteText(value)
        ? undefined
        : misfit('bytes', 'write one character from \\u0000 to \\u00ff per byte')
    case 'fixed':
      return isByteText(value) && value.length === type.size
        ? undefined
        : misfit(`fixed ${type.name}`, `write ${type.size} characters from \\u0000 to \\u00ff, one per byte`)
    case 'enum':
      return typeof value === 'string' && type.symbols.has(value)
        ? undefined
        : misfit(`enum ${type.name}`, `write one of its symbols: ${[...type.symbols].slice(0, 5).join(', ')}`)
    case 'array':
      if (!Array.isArray(value)) return misfit('array', 'write a list: []')
      return firstMisfit(value.entries(), () => type.items, pointer, depth)
    case 'map':
      if (!isObject(value)) return misfit('map', 'write an object: {}')
      return firstMisfit(Object.entries(value), () => type.values, pointer, depth)
    case 'union': {
      const [first] = type.branches
      return first ? misfitOf(first, value, pointer, depth + 1) : misfit('a union without types', 'remove it')
    }
    case 'record':
      return isObject(value)
        ? misfitOfRecord(type, value, pointer, depth)
        : misfit(`record ${type.name}`, 'write an object with its fields')
  }
}

function firstMisfit(
  entries: Iterable<readonly [string | number, unknown]>,
  typeOf: () => SchemaNode,
  pointer: string,
  depth: number,
): DefaultProblem | undefined {
  for (const [key, item] of entries) {
    const misfit = misfitOf(typeOf(), item, childPointer(pointer, key), depth + 1)
    if (misfit) return misfit
  }
  return undefined
}

function misfitOfRecord(
  record: RecordNode,
  value: Readonly<Record<string, unknown>>,
  pointer: string,
  depth: number,
): DefaultProblem | undefined {
  for (const field of record.fields) {
    if (Object.hasOwn(value, field.name)) {
      const misfit = misfitOf(field.type, value[field.name], childPointer(pointer, field.name), depth + 1)
      if (misfit) return misfit
    } else if (!field.hasDefault) {
      return {
        pointer,
        message: `the default of record ${record.name} lacks "${field.name}", which has no default of its own`,
        mend: `add "${field.name}", or give that field a default`,
      }
    }
  }
  return undefined
}

const isInt = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31

const isLong = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63

const isByteText = (value: unknown): value is string => typeof value === 'string' && !beyondBytes.test(value)

const beyondBytes = /[\u0100-\uffff]/

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What kind of thing a value is, for a message. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string')
    return value.length > 40 ? 'a long text' : `the text ${JSON.stringify(value)}`
  if (typeof value === 'number') return `the number ${value}`
  return typeof value === 'boolean' ? String(value) : 'an object'
}
