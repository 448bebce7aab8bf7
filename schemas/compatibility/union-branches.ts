/** Which branches of a reader's union are worth comparing with a type, and which one somebody had in mind. */
import { isNamed, type SchemaNode, type UnionNode } from './schema-model.ts'

/** What Avro converts when it reads, by what the reader asks for. */
const promotions: ReadonlyMap<SchemaNode['kind'], readonly SchemaNode['kind'][]> = new Map([
  ['long', ['int']],
  ['float', ['int', 'long']],
  ['double', ['int', 'long', 'float']],
  ['bytes', ['string']],
  ['string', ['bytes']],
] as const)

/** Whether Avro reads the one kind as the other. */
export const promotes = (reader: SchemaNode['kind'], writer: SchemaNode['kind']): boolean =>
  promotions.get(reader)?.includes(writer) ?? false

/** Whether a type is primitive. */
export const isPlain = (node: SchemaNode): boolean =>
  !isNamed(node) && node.kind !== 'array' && node.kind !== 'map' && node.kind !== 'union'

/** Whether some branch reads a primitive type; what is not primitive never does. */
export const readsPlain = (reader: UnionNode, writer: SchemaNode): boolean =>
  reader.branches.some((branch) => branch.kind === writer.kind || promotes(branch.kind, writer.kind))

/** Unions up to this size are tried branch by branch, as Java does all of them. */
const smallUnion = 64

/**
 * The branches to try, in order. Of a large union only those whose kind and name can match: trying each with each
 * would take hours where a union lists thousands of records.
 */
export function makeBranchChoice(): (reader: UnionNode, writer: SchemaNode) => readonly SchemaNode[] {
  const indexes = new Map<number, ReadonlyMap<string, readonly SchemaNode[]>>()
  return (reader, writer) => {
    if (reader.branches.length <= smallUnion) return reader.branches
    const index = indexes.get(reader.id) ?? indexBranches(reader)
    indexes.set(reader.id, index)
    return [...new Set(writerKeys(writer).flatMap((key) => index.get(key) ?? []))]
  }
}

function indexBranches(reader: UnionNode): ReadonlyMap<string, readonly SchemaNode[]> {
  const index = new Map<string, SchemaNode[]>()
  for (const branch of reader.branches) {
    for (const key of readerKeys(branch)) {
      const known = index.get(key)
      if (known) known.push(branch)
      else index.set(key, [branch])
    }
  }
  return index
}

/** The names that a reader's branch answers to. */
const readerKeys = (branch: SchemaNode): readonly string[] =>
  isNamed(branch) ? [branch.name, ...branch.aliases].map((name) => `${branch.kind} ${name}`) : [branch.kind]

/** The names under which a reader's branch may answer to a writer's type. */
const writerKeys = (writer: SchemaNode): readonly string[] =>
  isNamed(writer) ? [`${writer.kind} ${writer.name}`, `${writer.kind} ${writer.fullName}`] : [writer.kind]
