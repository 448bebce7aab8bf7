/**
 * Makes the graph of a schema from its JSON and reports, by pointer, all that keeps it from meaning something.
 * Defaults and lint are other files' concern: this one only says what each type is.
 */
import { runWalk, type Walk } from './depth.ts'
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
import type { RuleId } from './rules.ts'
import type {
  ArrayNode,
  FieldNode,
  LogicalType,
  MapNode,
  NamedNode,
  SchemaModel,
  SchemaNode,
} from './schema-model.ts'

/** Something wrong with a schema, by pointer. `fatal`: without it there is no telling what the schema means. */
export interface ModelProblem {
  readonly rule: RuleId
  readonly pointer: string
  readonly message: string
  readonly mend: string
  readonly fatal: boolean
}

/** The graph, where nothing fatal was found, and everything that was found. */
export interface BuiltModel {
  readonly model: SchemaModel | undefined
  readonly problems: readonly ModelProblem[]
}

/** More problems of one schema than anybody reads. */
const problemsMax = 100

type JsonObject = Readonly<Record<string, unknown>>

/** Where a type stands: its pointer, and the namespace that names without a dot belong to. */
interface Spot {
  readonly pointer: string
  readonly namespace: string
}

/** A node whose parts are set while the graph is being made; it is read-only to everybody else. */
type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** A name that was used before its definition, and how to put the type where it belongs. */
interface Pending {
  readonly name: string
  readonly fullName: string
  readonly pointer: string
  readonly put: (node: NamedNode) => void
}

/** Builds the graph of parsed schema JSON. Never throws and does not mind how deep it nests. */
export function buildModel(json: unknown): BuiltModel {
  const builder = new ModelBuilder()
  let root: SchemaNode | undefined
  const walk = builder.type(json, { pointer: '', namespace: '' }, (node) => {
    root = node
  })
  runWalk(walk)
  builder.settlePending()
  const { problems } = builder
  const whole = root !== undefined && !problems.some((problem) => problem.fatal)
  return {
    model: whole && root ? { root, size: builder.size, named: builder.named } : undefined,
    problems,
  }
}

class ModelBuilder {
  readonly problems: ModelProblem[] = []
  readonly named = new Map<string, NamedNode>()
  size = 0
  private readonly pending: Pending[] = []

  settlePending(): void {
    for (const { name, fullName, pointer, put } of this.pending) {
      const node = this.named.get(fullName) ?? this.named.get(name)
      if (!node) {
        this.report(
          'SCHEMA_UNKNOWN_TYPE',
          pointer,
          `${shown(name)} is neither an Avro type nor defined in this schema`,
          this.suggestion(name),
        )
        continue
      }
      put(node)
      this.report(
        'SCHEMA_FORWARD_REFERENCE',
        pointer,
        `${shown(name)} is used before its definition`,
        'define the type here and refer to it by name further down',
        false,
      )
    }
  }

  *type(json: unknown, spot: Spot, put: (node: SchemaNode) => void): Walk<void> {
    if (typeof json === 'string') this.reference(json, spot, put)
    else if (Array.isArray(json)) yield this.union(json, spot, put)
    else if (isObject(json)) yield this.definition(json, spot, put)
    else
      this.report(
        'SCHEMA_ATTRIBUTE_INVALID',
        spot.pointer,
        `${shown(json)} is no type`,
        'write a type: a name in quotes, an object or a union in brackets',
      )
  }

  private reference(text: string, spot: Spot, put: (node: SchemaNode) => void): void {
    if (isPrimitiveName(text)) {
      put({ kind: text, id: this.size++, pointer: spot.pointer })
      return
    }
    const fullName = qualify(text, spot.namespace)
    const known = this.named.get(fullName) ?? this.named.get(text)
    if (known) put(known)
    else this.pending.push({ name: text, fullName, pointer: spot.pointer, put })
  }

  private *union(json: readonly unknown[], spot: Spot, put: (node: SchemaNode) => void): Walk<void> {
    const branches: SchemaNode[] = []
    put({ kind: 'union', id: this.size++, pointer: spot.pointer, branches })
    const seen = new Map<string, number>()
    for (const [index, branch] of json.entries()) {
      const pointer = childPointer(spot.pointer, index)
      if (Array.isArray(branch)) {
        this.report(
          'SCHEMA_UNION_INVALID',
          pointer,
          'a union directly inside a union',
          'put its types into the outer one',
        )
        continue
      }
      yield this.type(branch, { ...spot, pointer }, (node) => {
        branches[index] = node
        const key = 'fullName' in node ? node.fullName : node.kind
        const first = seen.get(key)
        if (first !== undefined && first !== index) {
          this.report(
            'SCHEMA_UNION_INVALID',
            pointer,
            `${shown(key)} is in this union twice`,
            'remove one of the two',
          )
        }
        seen.set(key, index)
      })
    }
  }

  private *definition(json: JsonObject, spot: Spot, put: (node: SchemaNode) => void): Walk<void> {
    const { type } = json
    const typePointer = childPointer(spot.pointer, 'type')
    if (type === undefined) {
      this.report(
        'SCHEMA_ATTRIBUTE_MISSING',
        spot.pointer,
        'a type without "type"',
        'add "type": "record", "string", …',
      )
    } else if (typeof type !== 'string') {
      this.report(
        'SCHEMA_ATTRIBUTE_INVALID',
        typePointer,
        '"type" holds another type instead of a name',
        'put the inner type here itself: Java refuses {"type": {…}} where a type is expected',
      )
    } else if (type === 'record' || type === 'error') yield this.record(json, spot, put)
    else if (type === 'enum') this.enumeration(json, spot, put)
    else if (type === 'fixed') this.fixed(json, spot, put)
    else if (type === 'array' || type === 'map') yield this.container(json, type, spot, put)
    else if (isPrimitiveName(type))
      put({ kind: type, id: this.size++, pointer: spot.pointer, ...logicalOf(json) })
    else this.reference(type, { ...spot, pointer: typePointer }, put)
  }

  private *container(
    json: JsonObject,
    kind: 'array' | 'map',
    spot: Spot,
    put: (node: SchemaNode) => void,
  ): Walk<void> {
    const part = kind === 'array' ? 'items' : 'values'
    if (json[part] === undefined) {
      this.report(
        'SCHEMA_ATTRIBUTE_MISSING',
        spot.pointer,
        `an ${kind} without "${part}"`.replace('an map', 'a map'),
        `add "${part}" with the type of what it holds`,
      )
      return
    }
    const base = { id: this.size++, pointer: spot.pointer, ...logicalOf(json) }
    const inner = { ...spot, pointer: childPointer(spot.pointer, part) }
    // Handed on before it is whole: waiting for the innermost type would hand on through as many calls as it is deep.
    if (kind === 'array') {
      const node: Draft<ArrayNode> = { ...base, kind, items: unset }
      put(node)
      yield this.type(json[part], inner, (type) => {
        node.items = type
      })
    } else {
      const node: Draft<MapNode> = { ...base, kind, values: unset }
      put(node)
      yield this.type(json[part], inner, (type) => {
        node.values = type
      })
    }
  }

  private enumeration(json: JsonObject, spot: Spot, put: (node: SchemaNode) => void): void {
    const base = this.namedBase(json, 'enum', spot)
    const { symbols } = json
    const pointer = childPointer(spot.pointer, 'symbols')
    if (symbols === undefined) {
      this.report(
        'SCHEMA_ATTRIBUTE_MISSING',
        spot.pointer,
        'an enum without "symbols"',
        'add "symbols": ["UNKNOWN", …]',
      )
      return
    }
    if (!Array.isArray(symbols)) {
      this.report('SCHEMA_ATTRIBUTE_INVALID', pointer, '"symbols" is no list', 'write ["A", "B"]')
      return
    }
    const known = new Set<string>()
    for (const [index, symbol] of symbols.entries()) {
      const at = childPointer(pointer, index)
      if (typeof symbol !== 'string')
        this.report(
          'SCHEMA_ATTRIBUTE_INVALID',
          at,
          `the symbol ${shown(symbol)} is no text`,
          'write it in quotes',
        )
      else if (known.has(symbol))
        this.report(
          'SCHEMA_NAME_DUPLICATE',
          at,
          `the symbol ${shown(symbol)} is given twice`,
          'remove one of the two',
        )
      else {
        if (!isName(symbol))
          this.report(
            'SCHEMA_NAME_INVALID',
            at,
            `the symbol ${shown(symbol)} is no Avro name`,
            nameMend,
            false,
          )
        known.add(symbol)
      }
    }
    const fallback = json.default
    if (fallback !== undefined && !(typeof fallback === 'string' && known.has(fallback))) {
      this.report(
        'SCHEMA_DEFAULT_INVALID',
        childPointer(spot.pointer, 'default'),
        `the default ${shown(fallback)} is not among the symbols`,
        'name one of the symbols',
        false,
      )
    }
    if (!base) return
    this.define(
      { ...base, kind: 'enum', symbols: known, default: typeof fallback === 'string' ? fallback : undefined },
      put,
    )
  }

  private fixed(json: JsonObject, spot: Spot, put: (node: SchemaNode) => void): void {
    const base = this.namedBase(json, 'fixed', spot)
    const { size } = json
    if (size === undefined) {
      this.report(
        'SCHEMA_ATTRIBUTE_MISSING',
        spot.pointer,
        'a fixed without "size"',
        'add "size": the number of bytes',
      )
    } else if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
      this.report(
        'SCHEMA_ATTRIBUTE_INVALID',
        childPointer(spot.pointer, 'size'),
        `${shown(size)} is no size`,
        'write a whole number of bytes, without quotes',
      )
    } else if (base) this.define({ ...base, kind: 'fixed', size, ...logicalOf(json) }, put)
  }

  private *record(json: JsonObject, spot: Spot, put: (node: SchemaNode) => void): Walk<void> {
    const base = this.namedBase(json, 'record', spot)
    const fields: FieldNode[] = []
    const fieldsByName = new Map<string, FieldNode>()
    if (base) this.define({ ...base, kind: 'record', fields, fieldsByName }, put)
    const list = json.fields
    const pointer = childPointer(spot.pointer, 'fields')
    if (list === undefined) {
      this.report(
        'SCHEMA_ATTRIBUTE_MISSING',
        spot.pointer,
        'a record without "fields"',
        'add "fields": [{"name": …, "type": …}]',
      )
      return
    }
    if (!Array.isArray(list)) {
      this.report(
        'SCHEMA_ATTRIBUTE_INVALID',
        pointer,
        '"fields" is no list',
        'write a list of fields: [{"name": …, "type": …}]',
      )
      return
    }
    const namespace = base ? namespaceOf(base.fullName) : spot.namespace
    for (const [index, item] of list.entries()) {
      const field = this.fieldHead(item, index, childPointer(pointer, index))
      if (!field) continue
      if (fieldsByName.has(field.name)) {
        this.report(
          'SCHEMA_NAME_DUPLICATE',
          childPointer(field.pointer, 'name'),
          `the field ${shown(field.name)} is given twice`,
          'rename or remove one of the two',
        )
      }
      yield this.type(
        field.json.type,
        { pointer: childPointer(field.pointer, 'type'), namespace },
        (type) => {
          const { json: raw, ...head } = field
          const node: FieldNode = {
            ...head,
            type,
            hasDefault: raw.default !== undefined,
            default: raw.default,
          }
          fields[index] = node
          fieldsByName.set(node.name, node)
        },
      )
    }
  }

  /** All of a field but its type. */
  private fieldHead(item: unknown, index: number, pointer: string) {
    if (!isObject(item)) {
      this.report(
        'SCHEMA_ATTRIBUTE_INVALID',
        pointer,
        `the field is ${shown(item)}`,
        'write {"name": …, "type": …}',
      )
      return undefined
    }
    const { name } = item
    if (typeof name !== 'string') {
      const rule = name === undefined ? 'SCHEMA_ATTRIBUTE_MISSING' : 'SCHEMA_ATTRIBUTE_INVALID'
      this.report(
        rule,
        pointer,
        name === undefined ? 'a field without "name"' : `the field's name is ${shown(name)}`,
        'add "name": "…"',
      )
      return undefined
    }
    if (!isName(name))
      this.report(
        'SCHEMA_NAME_INVALID',
        childPointer(pointer, 'name'),
        `the field's name ${shown(name)} is no Avro name`,
        nameMend,
        false,
      )
    if (item.type === undefined) {
      this.report(
        'SCHEMA_ATTRIBUTE_MISSING',
        pointer,
        `the field ${shown(name)} has no "type"`,
        'add "type": "string", …',
      )
      return undefined
    }
    const { order } = item
    if (order !== undefined && order !== 'ascending' && order !== 'descending' && order !== 'ignore') {
      this.report(
        'SCHEMA_ATTRIBUTE_INVALID',
        childPointer(pointer, 'order'),
        `the order ${shown(order)}`,
        'write "ascending", "descending" or "ignore"',
        false,
      )
    }
    return { name, index, pointer, aliases: this.aliases(item, pointer), json: item }
  }

  /** Name, namespace and aliases of a record, enum or fixed. */
  private namedBase(json: JsonObject, kind: NamedNode['kind'], spot: Spot) {
    const { name, namespace } = json
    if (typeof name !== 'string') {
      const rule = name === undefined ? 'SCHEMA_ATTRIBUTE_MISSING' : 'SCHEMA_ATTRIBUTE_INVALID'
      this.report(
        rule,
        spot.pointer,
        name === undefined
          ? `a ${kind} without "name"`.replace('a enum', 'an enum')
          : `the name ${shown(name)} is no text`,
        'add "name": "…"',
      )
      return undefined
    }
    const namePointer = childPointer(spot.pointer, 'name')
    if (!isDottedName(name))
      this.report(
        'SCHEMA_NAME_INVALID',
        namePointer,
        `the name ${shown(name)} is no Avro name`,
        nameMend,
        false,
      )
    else if (isPrimitiveName(simpleName(name)))
      this.report(
        'SCHEMA_NAME_INVALID',
        namePointer,
        `${shown(name)} is the name of a primitive type`,
        'choose another name',
        false,
      )
    if (namespace !== undefined && !(typeof namespace === 'string' && isNamespace(namespace))) {
      this.report(
        'SCHEMA_NAME_INVALID',
        childPointer(spot.pointer, 'namespace'),
        `the namespace ${shown(namespace)} is no Avro name`,
        nameMend,
        false,
      )
    }
    const around = typeof namespace === 'string' ? namespace : spot.namespace
    const fullName = qualify(name, around)
    if (this.named.has(fullName)) {
      this.report(
        'SCHEMA_NAME_DUPLICATE',
        namePointer,
        `${shown(fullName)} is defined twice`,
        'refer to the first by its name, or rename one',
      )
    }
    const own = namespaceOf(fullName)
    const aliases = new Set(this.aliases(json, spot.pointer).map((alias) => qualify(alias, own)))
    return { id: this.size++, pointer: spot.pointer, fullName, name: simpleName(fullName), aliases }
  }

  private aliases(json: JsonObject, pointer: string): readonly string[] {
    const { aliases } = json
    if (aliases === undefined) return []
    const at = childPointer(pointer, 'aliases')
    if (!Array.isArray(aliases) || !aliases.every((alias) => typeof alias === 'string')) {
      this.report('SCHEMA_ATTRIBUTE_INVALID', at, '"aliases" is no list of names', 'write ["old_name"]')
      return []
    }
    for (const [index, alias] of aliases.entries()) {
      if (!isDottedName(alias))
        this.report(
          'SCHEMA_NAME_INVALID',
          childPointer(at, index),
          `the alias ${shown(alias)} is no Avro name`,
          nameMend,
          false,
        )
    }
    return aliases
  }

  private define(node: NamedNode, put: (node: SchemaNode) => void): void {
    if (!this.named.has(node.fullName)) this.named.set(node.fullName, node)
    put(node)
  }

  private suggestion(name: string): string {
    const simple = simpleName(name)
    for (const fullName of this.named.keys())
      if (simpleName(fullName) === simple)
        return `write "${fullName}": there is a type of that name in another namespace`
    const hint = typeHints.get(simple.toLowerCase())
    return hint ? `write ${hint}` : 'mend the name, or define the type here'
  }

  private report(rule: RuleId, pointer: string, message: string, mend: string, fatal = true): void {
    if (this.problems.length < problemsMax) this.problems.push({ rule, pointer, message, mend, fatal })
  }
}

/** What a container holds until its inner type is read; a graph with this in it is never handed out. */
const unset: SchemaNode = { kind: 'null', id: -1, pointer: '' }

const nameMend = 'use letters, digits and underscores, no digit first'

/** What people write who come from elsewhere. */
const typeHints: ReadonlyMap<string, string> = new Map([
  ['bool', '"boolean"'],
  ['integer', '"int"'],
  ['number', '"long" or "double"'],
  ['text', '"string"'],
  ['str', '"string"'],
  ['timestamp', '{"type": "long", "logicalType": "timestamp-millis"}'],
  ['datetime', '{"type": "long", "logicalType": "timestamp-millis"}'],
  ['date', '{"type": "int", "logicalType": "date"}'],
  ['uuid', '{"type": "string", "logicalType": "uuid"}'],
  ['decimal', '{"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}'],
  ['list', '{"type": "array", "items": …}'],
  ['object', 'a record or a map'],
])

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** A value in a message, cut. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

function logicalOf(json: JsonObject): { logical?: LogicalType } {
  const { logicalType, precision, scale } = json
  if (typeof logicalType !== 'string') return {}
  return {
    logical: {
      name: logicalType,
      ...(typeof precision === 'number' ? { precision } : {}),
      ...(logicalType === 'decimal' ? { scale: typeof scale === 'number' ? scale : 0 } : {}),
    },
  }
}
