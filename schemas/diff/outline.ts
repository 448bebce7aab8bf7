/** A schema as a flat list of what is in it, by field path: what two versions are compared by, and pages are made of. */
import { objectAt } from '../compatibility/json-at.ts'
import type { ParsedSchema } from '../compatibility/parse-schema-text.ts'
import { isNamed, type SchemaNode } from '../compatibility/schema-model.ts'

/** One field. */
export interface OutlineField {
  /** `payload.delivery.eta_window.start`; lists add `[]`, maps `{}`. */
  readonly path: string
  /** `string or null`, `time (ms)`, `record Rider`. */
  readonly type: string
  /** JSON of the default, where there is one. */
  readonly default: string | undefined
  readonly doc: string
  readonly pii: string | undefined
  readonly aliases: readonly string[]
  readonly pointer: string
}

/** One enum. */
export interface OutlineEnum {
  readonly name: string
  readonly symbols: readonly string[]
  readonly default: string | undefined
  readonly pointer: string
}

/** Everything in a schema. */
export interface Outline {
  readonly name: string
  readonly doc: string
  readonly fields: ReadonlyMap<string, OutlineField>
  readonly enums: ReadonlyMap<string, OutlineEnum>
}

/** Lists what is in a schema. A record inside itself is not followed again. */
export function outlineOf({ schema, model }: ParsedSchema): Outline {
  const fields = new Map<string, OutlineField>()
  const enums = new Map<string, OutlineEnum>()
  const visit = (node: SchemaNode, path: string, within: ReadonlySet<number>): void => {
    switch (node.kind) {
      case 'union':
        for (const branch of node.branches) visit(branch, path, within)
        return
      case 'array':
        visit(node.items, `${path}[]`, within)
        return
      case 'map':
        visit(node.values, `${path}{}`, within)
        return
      case 'enum':
        enums.set(node.name, {
          ...{ name: node.name, symbols: [...node.symbols], default: node.default },
          pointer: `${node.pointer}/symbols`,
        })
        return
      case 'record':
        break
      default:
        return
    }
    if (within.has(node.id)) return
    for (const field of node.fields) {
      const at = path === '' ? field.name : `${path}.${field.name}`
      const json = objectAt(schema, field.pointer)
      fields.set(at, {
        path: at,
        type: typeWords(field.type),
        default: field.hasDefault ? JSON.stringify(field.default) : undefined,
        doc: typeof json?.doc === 'string' ? json.doc : '',
        pii: typeof json?.pii === 'string' ? json.pii : undefined,
        aliases: field.aliases,
        pointer: field.pointer,
      })
      visit(field.type, at, new Set([...within, node.id]))
    }
  }
  visit(model.root, '', new Set())
  const root = objectAt(schema, '')
  return {
    name: isNamed(model.root) ? model.root.name : model.root.kind,
    doc: typeof root?.doc === 'string' ? root.doc : '',
    fields,
    enums,
  }
}

/** A type in words, null last. */
export function typeWords(node: SchemaNode): string {
  if (node.kind === 'union') {
    const others = node.branches.filter(({ kind }) => kind !== 'null').map(typeWords)
    const nullable = others.length < node.branches.length
    return [...others, ...(nullable ? ['null'] : [])].join(' or ')
  }
  if (node.kind === 'array') return `list of ${typeWords(node.items)}`
  if (node.kind === 'map') return `map of ${typeWords(node.values)}`
  if (isNamed(node)) return `${node.kind} ${node.name}`
  if (!node.logical) return node.kind
  const { name, precision, scale } = node.logical
  return precision === undefined
    ? `${node.kind} (${name})`
    : `${node.kind} (${name} ${precision},${scale ?? 0})`
}
