/**
 * What changed between two versions that Avro's resolution does not look at: logical types, scales and units,
 * defaults, and the shapes and ranges of values in JavaScript. Both versions are walked side by side, fields matched
 * by name and alias.
 */
import { runWalk, type Walk } from './depth.ts'
import type { SameTypes } from './equal-types.ts'
import { isWrapped, lookAlikes } from './javascript-shape.ts'
import type { RuleId } from './rules.ts'
import {
  describeNode,
  type FieldNode,
  isNamed,
  type LogicalType,
  type RecordNode,
  type SchemaModel,
  type SchemaNode,
} from './schema-model.ts'

/** One such change. */
export interface MeaningChange {
  readonly rule: RuleId
  readonly message: string
  readonly mend: string
  readonly fieldPath: string
  readonly newerPointer: string
  readonly olderPointer: string
}

/** So many changes of one pair are listed. */
const changesMax = 200

/** Lists what changed in meaning from an older version to a newer one. */
export function meaningChanges(
  newer: SchemaModel,
  older: SchemaModel,
  same: SameTypes = () => false,
): readonly MeaningChange[] {
  const changes: MeaningChange[] = []
  const report = (change: MeaningChange) => {
    if (changes.length < changesMax) changes.push(change)
  }
  const seen = new Set<number>()
  function* walk(now: SchemaNode, before: SchemaNode, fieldPath: string): Walk<void> {
    const key = now.id * older.size + before.id
    if (same(now, before) || seen.has(key) || changes.length >= changesMax || seen.size > pairsMax) return
    seen.add(key)
    compareShapes(now, before, fieldPath, report)
    for (const [branch, was] of matchingBranches(now, before)) {
      compareLogical(branch, was, fieldPath, report)
      compareRanges(branch, was, fieldPath, report)
      if (branch.kind === 'array' && was.kind === 'array')
        yield walk(branch.items, was.items, `${fieldPath}[]`)
      if (branch.kind === 'map' && was.kind === 'map') yield walk(branch.values, was.values, `${fieldPath}{}`)
      if (branch.kind !== 'record' || was.kind !== 'record') continue
      if (branch !== now || was !== before) {
        const inner = branch.id * older.size + was.id
        if (seen.has(inner)) continue
        seen.add(inner)
      }
      for (const field of branch.fields) {
        const match = matchingField(field, was)
        if (match && same(field, match)) continue
        const path = fieldPath ? `${fieldPath}.${field.name}` : field.name
        if (match) {
          compareDefaults(field, match, path, report)
          if (!isSimplySame(field.type, match.type)) yield walk(field.type, match.type, path)
        } else compareNewField(field, was, path, report)
      }
    }
  }
  runWalk(walk(newer.root, older.root, ''))
  return changes
}

/** Walks end after so many pairs of types; see the same limit of comparisons. */
const pairsMax = 400_000

type Report = (change: MeaningChange) => void

const isSimplySame = (now: SchemaNode, before: SchemaNode): boolean =>
  now.kind === before.kind &&
  !now.logical &&
  !before.logical &&
  (now.kind === 'string' || now.kind === 'long' || now.kind === 'int' || now.kind === 'boolean')

/** The types that stand for each other; two single types do, in unions those of the same kind and name. */
function matchingBranches(
  now: SchemaNode,
  before: SchemaNode,
): readonly (readonly [SchemaNode, SchemaNode])[] {
  if (now.kind !== 'union' && before.kind !== 'union') return [[now, before]]
  const branches = now.kind === 'union' ? now.branches : [now]
  const olderByKey = new Map<string, SchemaNode>()
  for (const was of before.kind === 'union' ? before.branches : [before]) olderByKey.set(keyOf(was), was)
  return branches.flatMap((branch): readonly (readonly [SchemaNode, SchemaNode])[] => {
    if (branch.kind === 'null') return []
    const was = olderByKey.get(keyOf(branch)) ?? (branch.kind === 'long' ? olderByKey.get('int') : undefined)
    return was ? [[branch, was]] : []
  })
}

const keyOf = (node: SchemaNode): string => (isNamed(node) ? `${node.kind} ${node.name}` : node.kind)

function matchingField(field: FieldNode, older: RecordNode): FieldNode | undefined {
  const direct = older.fieldsByName.get(field.name)
  if (direct) return direct
  for (const name of field.aliases) {
    const match = older.fieldsByName.get(name)
    if (match) return match
  }
  return undefined
}

function compareShapes(now: SchemaNode, before: SchemaNode, fieldPath: string, report: Report): void {
  const wrapped = isWrapped(now)
  if (wrapped === isWrapped(before)) return
  const cause = now.kind === 'union' ? lookAlikes(now) : undefined
  report({
    rule: 'JS_UNION_WRAPPED',
    message: cause
      ? `field "${fieldPath}" now decodes to {${wrapperKey(cause[0])}: …} instead of the bare value, because ${describeNode(cause[0])} and ${describeNode(cause[1])} look alike in JavaScript`
      : `field "${fieldPath}" now decodes to the bare value instead of an object by type`,
    mend: 'leave the field as it was and add a new one',
    fieldPath,
    newerPointer: now.pointer,
    olderPointer: before.pointer,
  })
}

const wrapperKey = (node: SchemaNode): string => (isNamed(node) ? node.fullName : node.kind)

function compareLogical(now: SchemaNode, before: SchemaNode, fieldPath: string, report: Report): void {
  const [is, was] = [now.logical, before.logical]
  if (!is && !was) return
  // Between kinds that do not read each other the change of type is the finding.
  const change = logicalChange(is, was)
  if (!change) return
  report({
    ...change,
    message: `field "${fieldPath}" ${change.message}`,
    fieldPath,
    newerPointer: is ? `${now.pointer}/logicalType` : now.pointer,
    olderPointer: was ? `${before.pointer}/logicalType` : before.pointer,
  })
}

function logicalChange(
  is: LogicalType | undefined,
  was: LogicalType | undefined,
): Pick<MeaningChange, 'rule' | 'message' | 'mend'> | undefined {
  if (is?.name === 'decimal' && was?.name === 'decimal') {
    if (is.scale !== was.scale) {
      return {
        rule: 'DECIMAL_SCALE_CHANGED',
        message: `had scale ${was.scale} and has ${is.scale}: the same bytes are another amount`,
        mend: `put "scale": ${was.scale} back and add a field with the new scale`,
      }
    }
    if (is.precision === was.precision) return undefined
    return {
      rule: 'DECIMAL_PRECISION_CHANGED',
      message: `had precision ${was.precision} and has ${is.precision}`,
      mend: 'only ever raise the precision, and upgrade readers first',
    }
  }
  if (is?.name === was?.name) return undefined
  const [isUnit, wasUnit] = [unitOf(is), unitOf(was)]
  if (isUnit && wasUnit && isUnit.of === wasUnit.of) {
    return {
      rule: 'TIMESTAMP_UNIT_CHANGED',
      message: `counted ${wasUnit.unit} and counts ${isUnit.unit}: the same number is another time`,
      mend: `put "${was?.name}" back and add a field in the new unit`,
    }
  }
  return {
    rule: 'LOGICAL_TYPE_CHANGED',
    message: `was ${was ? `"${was.name}"` : 'without logical type'} and is ${is ? `"${is.name}"` : 'without one'}`,
    mend: was
      ? `put "logicalType": "${was.name}" back`
      : 'leave it out, or tell everyone who reads the field',
  }
}

const units: ReadonlyMap<string, string> = new Map([
  ['millis', 'milliseconds'],
  ['micros', 'microseconds'],
  ['nanos', 'nanoseconds'],
])

function unitOf(
  logical: LogicalType | undefined,
): { readonly of: string; readonly unit: string } | undefined {
  const dash = logical?.name.lastIndexOf('-') ?? -1
  const unit = dash < 0 ? undefined : units.get(logical?.name.slice(dash + 1) ?? '')
  return logical && unit ? { of: logical.name.slice(0, dash), unit } : undefined
}

function compareRanges(now: SchemaNode, before: SchemaNode, fieldPath: string, report: Report): void {
  const nanos = now.kind === 'long' && isNanos(now) && !(before.kind === 'long' && isNanos(before))
  if (!nanos && !(now.kind === 'long' && before.kind === 'int')) return
  report({
    rule: 'JS_LONG_UNSAFE',
    message: nanos
      ? `field "${fieldPath}" counts nanoseconds, which are beyond 2^53`
      : `field "${fieldPath}" was int and is long: values beyond 2^53 are not exact in JavaScript`,
    mend: nanos
      ? 'use timestamp-micros'
      : 'use a string for ids and hashes; otherwise keep values within 2^53',
    fieldPath,
    newerPointer: now.pointer,
    olderPointer: before.pointer,
  })
}

const isNanos = (node: SchemaNode): boolean => node.logical?.name.endsWith('-nanos') ?? false

/** Names of numbers that grow beyond 2^53: nanoseconds, hashes, generated ids. */
const largeName = /(^|_)(ns|nanos|hash|snowflake)$/i

function compareNewField(field: FieldNode, older: RecordNode, fieldPath: string, report: Report): void {
  const types = field.type.kind === 'union' ? field.type.branches : [field.type]
  const large = types.find((type) => type.kind === 'long' && (isNanos(type) || largeName.test(field.name)))
  if (!large) return
  report({
    rule: 'JS_LONG_UNSAFE',
    message: `new field "${fieldPath}" is a long that is likely to be beyond 2^53`,
    mend: 'use a string, or timestamp-micros for a time',
    fieldPath,
    newerPointer: large.pointer,
    olderPointer: older.pointer,
  })
}

function compareDefaults(now: FieldNode, before: FieldNode, fieldPath: string, report: Report): void {
  if (!now.hasDefault || !before.hasDefault || sameJson(now.default, before.default)) return
  report({
    rule: 'DEFAULT_CHANGED',
    message: `the default of field "${fieldPath}" was ${short(before.default)} and is ${short(now.default)}`,
    mend: 'keep the default that was released first',
    fieldPath,
    newerPointer: `${now.pointer}/default`,
    olderPointer: `${before.pointer}/default`,
  })
}

/** A record's default grows with the record; what matters is that the parts of before stay. */
function sameJson(now: unknown, before: unknown): boolean {
  if (isObject(now) && isObject(before)) {
    return Object.entries(before).every(
      ([key, value]) => !Object.hasOwn(now, key) || sameJson(now[key], value),
    )
  }
  if (Array.isArray(now) && Array.isArray(before)) {
    return now.length === before.length && now.every((item, index) => sameJson(item, before[index]))
  }
  return now === before
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
