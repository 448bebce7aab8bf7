/**
 * Makes the graph of a schema from its JSON and reports, by pointer, all that keeps it from meaning something.
 * Defaults and lint are other files' concern: this one only says what each type is.
 */
import { runWalk, type Walk } from './depth.ts'
import { collectProblems, type ModelProblem, type ReportProblem, shown, tolerable } from './model-problems.ts'
import { isPrimitiveName, namespaceOf, qualify } from './names.ts'
import { childPointer } from './places.ts'
import type { ArrayNode, FieldNode, MapNode, NamedNode, SchemaModel, SchemaNode } from './schema-model.ts'
import {
  isObject,
  type JsonObject,
  readFieldHead,
  readLogicalType,
  readSize,
  readSymbols,
  readTypeNames,
  type TypeNames,
  type TypeSpot,
} from './schema-parts.ts'
import { typeHint } from './type-hints.ts'

/** The graph, where nothing fatal was found, and everything that was found. */
export interface BuiltModel {
  readonly model: SchemaModel | undefined
  readonly problems: readonly ModelProblem[]
}

/** Builds the graph of parsed schema JSON. Never throws and does not mind how deep it nests. */
export function buildModel(json: unknown): BuiltModel {
  const { problems, report } = collectProblems()
  const builder = new ModelBuilder(report)
  let root: SchemaNode | undefined
  const walk = builder.type(json, { pointer: '', namespace: '' }, (node) => {
    root = node
  })
  runWalk(walk)
  builder.settlePending()
  const whole = root !== undefined && !problems.some(({ fatal }) => fatal)
  return {
    model: whole && root ? { root, size: builder.size, named: builder.named } : undefined,
    problems,
  }
}

/** A node whose parts are set while the graph is being made; it is read-only to everybody else. */
type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** Puts a type where it belongs. */
type Put = (node: SchemaNode) => void

/** A name that was used before its definition. */
interface Pending {
  readonly name: string
  readonly fullName: string
  readonly pointer: string
  readonly put: Put
}

/** What stands for a type until it is read; a graph with this in it is never handed out. */
const unset: SchemaNode = { kind: 'null', id: -1, pointer: '' }

class ModelBuilder {
  readonly named = new Map<string, NamedNode>()
  size = 0
  private readonly pending: Pending[] = []
  private readonly report: ReportProblem

  constructor(report: ReportProblem) {
    this.report = report
  }

  *type(json: unknown, spot: TypeSpot, put: Put): Walk<void> {
    if (typeof json === 'string') this.reference(json, spot, put)
    else if (Array.isArray(json)) yield this.union(json, spot, put)
    else if (isObject(json)) yield this.definition(json, spot, put)
    else {
      const mend = 'write a type: a name in quotes, an object or a union in brackets'
      this.report('SCHEMA_ATTRIBUTE_INVALID', spot.pointer, `${shown(json)} is no type`, mend)
    }
  }

  /** Looks for what was used before its definition, now that all definitions are known. */
  settlePending(): void {
    for (const { name, fullName, pointer, put } of this.pending) {
      const node = this.named.get(fullName) ?? this.named.get(name)
      if (node) {
        put(node)
        const message = `${shown(name)} is used before its definition`
        const mend = 'define the type here and refer to it by name further down'
        this.report('SCHEMA_FORWARD_REFERENCE', pointer, message, mend, tolerable)
      } else {
        const message = `${shown(name)} is neither an Avro type nor defined in this schema`
        this.report('SCHEMA_UNKNOWN_TYPE', pointer, message, typeHint(name, this.named.keys()))
      }
    }
  }

  private reference(text: string, spot: TypeSpot, put: Put): void {
    if (isPrimitiveName(text)) {
      put({ kind: text, id: this.size++, pointer: spot.pointer })
      return
    }
    const fullName = qualify(text, spot.namespace)
    const known = this.named.get(fullName) ?? this.named.get(text)
    if (known) put(known)
    else this.pending.push({ name: text, fullName, pointer: spot.pointer, put })
  }

  private *definition(json: JsonObject, spot: TypeSpot, put: Put): Walk<void> {
    const { type } = json
    const { pointer } = spot
    if (type === undefined) {
      this.report(
        'SCHEMA_ATTRIBUTE_MISSING',
        pointer,
        'a type without "type"',
        'add "type": "record", "string", …',
      )
    } else if (typeof type !== 'string') {
      const message = '"type" holds another type instead of a name'
      const mend = 'put the inner type here itself: Java refuses {"type": {…}} where a type is expected'
      this.report('SCHEMA_ATTRIBUTE_INVALID', childPointer(pointer, 'type'), message, mend)
    } else if (type === 'record' || type === 'error') yield this.record(json, spot, put)
    else if (type === 'enum') this.enumeration(json, spot, put)
    else if (type === 'fixed') this.fixed(json, spot, put)
    else if (type === 'array') yield this.array(json, spot, put)
    else if (type === 'map') yield this.map(json, spot, put)
    else if (isPrimitiveName(type)) put({ kind: type, id: this.size++, pointer, ...readLogicalType(json) })
    else this.reference(type, { ...spot, pointer: childPointer(pointer, 'type') }, put)
  }

  private *union(json: readonly unknown[], spot: TypeSpot, put: Put): Walk<void> {
    const branches: SchemaNode[] = []
    put({ kind: 'union', id: this.size++, pointer: spot.pointer, branches })
    const seen = new Set<string>()
    for (const [index, branch] of json.entries()) {
      const pointer = childPointer(spot.pointer, index)
      if (Array.isArray(branch)) {
        const mend = 'put its types into the outer one'
        this.report('SCHEMA_UNION_INVALID', pointer, 'a union directly inside a union', mend)
        continue
      }
      const putBranch = (node: SchemaNode) => {
        branches[index] = node
        const key = 'fullName' in node ? node.fullName : node.kind
        if (seen.has(key)) {
          const message = `${shown(key)} is in this union twice`
          this.report('SCHEMA_UNION_INVALID', pointer, message, 'remove one of the two')
        }
        seen.add(key)
      }
      const branchSpot = { pointer, namespace: spot.namespace }
      if (typeof branch === 'string') this.reference(branch, branchSpot, putBranch)
      else yield this.type(branch, branchSpot, putBranch)
    }
  }

  // Arrays and maps are handed on before they are whole: waiting for the innermost type would hand on through as
  // many calls as it is deep.
  private *array(json: JsonObject, spot: TypeSpot, put: Put): Walk<void> {
    if (json.items === undefined) {
      const mend = 'add "items" with the type of what it holds'
      this.report('SCHEMA_ATTRIBUTE_MISSING', spot.pointer, 'an array without "items"', mend)
      return
    }
    const { pointer, namespace } = spot
    const base = { id: this.size++, pointer, ...readLogicalType(json) }
    const node: Draft<ArrayNode> = { ...base, kind: 'array', items: unset }
    put(node)
    yield this.type(json.items, { pointer: childPointer(pointer, 'items'), namespace }, (type) => {
      node.items = type
    })
  }

  private *map(json: JsonObject, spot: TypeSpot, put: Put): Walk<void> {
    if (json.values === undefined) {
      const mend = 'add "values" with the type of what it holds'
      this.report('SCHEMA_ATTRIBUTE_MISSING', spot.pointer, 'a map without "values"', mend)
      return
    }
    const { pointer, namespace } = spot
    const base = { id: this.size++, pointer, ...readLogicalType(json) }
    const node: Draft<MapNode> = { ...base, kind: 'map', values: unset }
    put(node)
    yield this.type(json.values, { pointer: childPointer(pointer, 'values'), namespace }, (type) => {
      node.values = type
    })
  }

  private enumeration(json: JsonObject, spot: TypeSpot, put: Put): void {
    const names = this.names(json, spot)
    const read = readSymbols(json, spot.pointer, this.report)
    if (!names || !read) return
    this.define({ kind: 'enum', id: this.size++, pointer: spot.pointer, ...names, ...read }, put)
  }

  private fixed(json: JsonObject, spot: TypeSpot, put: Put): void {
    const names = this.names(json, spot)
    const size = readSize(json, spot.pointer, this.report)
    if (!names || size === undefined) return
    const base = { id: this.size++, pointer: spot.pointer, ...names, ...readLogicalType(json) }
    this.define({ ...base, kind: 'fixed', size }, put)
  }

  private *record(json: JsonObject, spot: TypeSpot, put: Put): Walk<void> {
    const { pointer } = spot
    const names = this.names(json, spot)
    const fields: FieldNode[] = []
    const fieldsByName = new Map<string, FieldNode>()
    if (names) this.define({ kind: 'record', id: this.size++, pointer, ...names, fields, fieldsByName }, put)
    const list = json.fields
    if (!Array.isArray(list)) {
      const mend = 'write a list of fields: "fields": [{"name": …, "type": …}]'
      if (list === undefined)
        this.report('SCHEMA_ATTRIBUTE_MISSING', pointer, 'a record without "fields"', mend)
      else
        this.report('SCHEMA_ATTRIBUTE_INVALID', childPointer(pointer, 'fields'), '"fields" is no list', mend)
      return
    }
    const namespace = names ? namespaceOf(names.fullName) : spot.namespace
    for (const [index, item] of list.entries()) {
      const fieldPointer = childPointer(`${pointer}/fields`, index)
      const head = readFieldHead(item, fieldPointer, this.report)
      if (!head) continue
      const { name, aliases, type, default: fallback } = head
      if (fieldsByName.has(name)) {
        const message = `the field ${shown(name)} is given twice`
        this.report(
          'SCHEMA_NAME_DUPLICATE',
          `${fieldPointer}/name`,
          message,
          'rename or remove one of the two',
        )
      }
      const field: Draft<FieldNode> = {
        id: this.size++,
        name,
        index,
        pointer: fieldPointer,
        aliases,
        type: unset,
        hasDefault: fallback !== undefined,
        default: fallback,
      }
      fields.push(field)
      fieldsByName.set(name, field)
      const typeSpot = { pointer: `${fieldPointer}/type`, namespace }
      const putType = (node: SchemaNode) => {
        field.type = node
      }
      if (typeof type === 'string') this.reference(type, typeSpot, putType)
      else yield this.type(type, typeSpot, putType)
    }
  }

  private names(json: JsonObject, spot: TypeSpot): TypeNames | undefined {
    const names = readTypeNames(json, spot, this.report)
    if (names && this.named.has(names.fullName)) {
      const message = `${shown(names.fullName)} is defined twice`
      const mend = 'refer to the first by its name, or rename one'
      this.report('SCHEMA_NAME_DUPLICATE', childPointer(spot.pointer, 'name'), message, mend)
    }
    return names
  }

  private define(node: NamedNode, put: Put): void {
    if (!this.named.has(node.fullName)) this.named.set(node.fullName, node)
    put(node)
  }
}
