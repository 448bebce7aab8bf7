/**
 * Recognises types that are the same in both of two schemas, so that a check of many versions looks only at what
 * changed. Types get numbers by what they mean; equal numbers, equal types.
 */
import type { FieldNode, SchemaModel, SchemaNode } from './schema-model.ts'

/** Whether two types, or two fields, of models that the same numbering knows are the same in every respect. */
export type SameTypes = (left: SchemaNode | FieldNode, right: SchemaNode | FieldNode) => boolean

/** Numbers the types of models that will be compared with each other. */
export interface TypeNumbering {
  add(model: SchemaModel): void
  /** Whether two types of two added models are the same. Never true of types that contain themselves. */
  between(left: SchemaModel, right: SchemaModel): SameTypes
}

/** A type that contains itself, or one around it: equal words may mean different things there. */
const tainted = 0

/** Deeper than this nothing is recognised: a check of such a schema may take its time. */
const depthMax = 200

/** Makes a numbering. */
export function numberTypes(): TypeNumbering {
  const numberOf = new Map<string, number>()
  const numbersOf = new WeakMap<SchemaModel, Int32Array>()
  const intern = (words: string): number => {
    const known = numberOf.get(words)
    if (known !== undefined) return known
    numberOf.set(words, numberOf.size + 1)
    return numberOf.size
  }
  return {
    add(model) {
      const numbers = new Int32Array(model.size)
      if (numbersOf.has(model)) return
      numbersOf.set(model, numbers)
      numberNodes(model.root, numbers, intern)
    },
    between(left, right) {
      const [leftNumbers, rightNumbers] = [numbersOf.get(left), numbersOf.get(right)]
      return (one, other) => {
        const number = leftNumbers?.[one.id] ?? tainted
        return number !== tainted && number === rightNumbers?.[other.id]
      }
    },
  }
}

function numberNodes(root: SchemaNode, numbers: Int32Array, intern: (words: string) => number): void {
  const open = new Set<number>()
  const numberNode = (node: SchemaNode, depth: number): number => {
    const known = numbers[node.id] ?? tainted
    if (known !== tainted) return known
    if (open.has(node.id) || depth > depthMax) return tainted
    open.add(node.id)
    const words = wordsOf(node, (inner) => numberNode(inner, depth + 1), numberField)
    open.delete(node.id)
    const number = words === undefined ? tainted : intern(words)
    numbers[node.id] = number
    return number
  }
  const numberField = (field: FieldNode, type: number): number => {
    if (type === tainted) return tainted
    const fallback = field.hasDefault ? JSON.stringify(field.default) : ''
    const number = intern(`field ${field.name} ${field.aliases.join()} ${type} ${fallback}`)
    numbers[field.id] = number
    return number
  }
  numberNode(root, 0)
}

/** What a type means, in words with the numbers of its parts; nothing for a type that contains itself. */
function wordsOf(
  node: SchemaNode,
  numberOf: (node: SchemaNode) => number,
  numberOfField: (field: FieldNode, type: number) => number,
): string | undefined {
  const { logical } = node
  const meaning = logical ? ` ${logical.name} ${logical.precision} ${logical.scale}` : ''
  switch (node.kind) {
    case 'array':
    case 'map': {
      const inner = numberOf(node.kind === 'array' ? node.items : node.values)
      return inner === tainted ? undefined : `${node.kind} ${inner}${meaning}`
    }
    case 'union':
      return listed('union', node.branches.map(numberOf))
    case 'record': {
      const fields = node.fields.map((field) => numberOfField(field, numberOf(field.type)))
      return listed(`record ${node.fullName} ${[...node.aliases].join()}`, fields)
    }
    case 'enum':
      return `enum ${node.fullName} ${[...node.aliases].join()} ${node.default} ${[...node.symbols].join()}`
    case 'fixed':
      return `fixed ${node.fullName} ${[...node.aliases].join()} ${node.size}${meaning}`
    default:
      return `${node.kind}${meaning}`
  }
}

const listed = (head: string, numbers: readonly number[]): string | undefined =>
  numbers.includes(tainted) ? undefined : `${head} ${numbers.join()}`
