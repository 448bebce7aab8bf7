/** How incompatibilities are made: Java's words for them, and the way that led there. */
import type { Incompatibility, IncompatibilitySubject, IncompatibilityType } from './incompatibility.ts'
import {
  describeNode,
  type EnumNode,
  type FieldNode,
  type FixedNode,
  type NamedNode,
  type RecordNode,
  type SchemaNode,
  type UnionNode,
} from './schema-model.ts'
import { isPlain, promotes } from './union-branches.ts'

/** Where a comparison is: a chain of steps, so that a path costs nothing until it is shown. */
export interface Spot {
  readonly parent: Spot | undefined
  readonly token: string
  readonly label: string
  /** The writer's union that the reader, which is none, is being compared with branch by branch. */
  readonly union?: UnionNode
}

/** The top of both schemas. */
export const rootSpot: Spot = { parent: undefined, token: '', label: '' }

/** One step down: Java's token, and what people call it where they have a word for it. */
export const step = (parent: Spot, token: string, label = ''): Spot => ({ parent, token, label })

/** One step into a branch of the writer's union, where the reader has none. */
export const stepIntoBranch = (parent: Spot, index: number, union: UnionNode): Spot => ({
  parent,
  token: String(index),
  label: '',
  union,
})

/** Why something is not readable. */
export type Reasons = readonly Incompatibility[]

/** No reason: it is readable. */
export const none: Reasons = []

/** A list keeps at most so many; Java's double with every shared type and would grow without end. */
const reasonsMax = 1000

/** The reasons of both, in order. */
export function merge(first: Reasons, second: Reasons): Reasons {
  if (second.length === 0) return first
  if (first.length === 0) return second
  return first.length >= reasonsMax ? first : [...first, ...second].slice(0, reasonsMax)
}

/** Neither reads the other. */
export function typeMismatch(reader: SchemaNode, writer: SchemaNode, spot: Spot): Incompatibility {
  return reason('TYPE_MISMATCH', spot, {
    message: `reader type: ${javaType(reader)} not compatible with writer type: ${javaType(writer)}`,
    reader: reader.pointer,
    writer: writer.pointer,
    subject: {
      readerType: describeNode(reader),
      writerType: describeNode(writer),
      ...(isNarrower(reader, writer) ? { narrower: reader.kind } : {}),
      ...(spot.union ? { writerUnion: describeNode(spot.union) } : {}),
    },
  })
}

/** The reader's union has nothing that reads what the writer's type, or branch, holds. */
export function missingBranch(
  reader: UnionNode,
  branch: SchemaNode,
  spot: Spot,
  causes: Reasons,
): Incompatibility {
  const narrower = isPlain(branch) && reader.branches.find((candidate) => isNarrower(candidate, branch))
  return reason('MISSING_UNION_BRANCH', spot, {
    message: `reader union lacking writer type: ${javaType(branch)}`,
    reader: reader.pointer,
    writer: branch.pointer,
    subject: {
      readerType: describeNode(reader),
      writerType: describeNode(branch),
      ...(narrower ? { narrower: narrower.kind } : {}),
    },
    causes,
  })
}

/** Two named types of different names. */
export function otherName(reader: NamedNode, writer: NamedNode, spot: Spot): Incompatibility {
  return reason('NAME_MISMATCH', step(spot, 'name'), {
    message: `expected: ${writer.fullName}`,
    reader: `${reader.pointer}/name`,
    writer: `${writer.pointer}/name`,
    subject: {
      readerType: `${reader.kind} ${reader.fullName}`,
      writerType: `${writer.kind} ${writer.fullName}`,
    },
  })
}

/** A fixed of another size. */
export function otherSize(reader: FixedNode, writer: FixedNode, spot: Spot): Reasons {
  if (reader.size === writer.size) return none
  return [
    reason('FIXED_SIZE_MISMATCH', step(spot, 'size'), {
      message: `expected: ${writer.size}, found: ${reader.size}`,
      reader: `${reader.pointer}/size`,
      writer: `${writer.pointer}/size`,
      subject: {
        readerType: `fixed ${reader.name} of ${reader.size} bytes`,
        writerType: `fixed ${writer.name} of ${writer.size} bytes`,
      },
    }),
  ]
}

/** Symbols that the reader neither knows nor has a default for. */
export function missingSymbols(reader: EnumNode, writer: EnumNode, spot: Spot): Reasons {
  const written = [...writer.symbols]
  const missing = written.filter((symbol) => !reader.symbols.has(symbol)).sort()
  if (missing.length === 0 || (reader.default !== undefined && reader.symbols.has(reader.default)))
    return none
  return [
    reason('MISSING_ENUM_SYMBOLS', step(spot, 'symbols'), {
      message: `[${missing.join(', ')}]`,
      reader: `${reader.pointer}/symbols`,
      writer: `${writer.pointer}/symbols/${written.findIndex((symbol) => !reader.symbols.has(symbol))}`,
      subject: { readerType: describeNode(reader), writerType: describeNode(writer), symbols: missing },
    }),
  ]
}

/** A field that the writer lacks and the reader has no default for. */
export function missingField(
  field: FieldNode,
  reader: RecordNode,
  writer: RecordNode,
  spot: Spot,
): Incompatibility {
  return reason('READER_FIELD_MISSING_DEFAULT_VALUE', spot, {
    message: field.name,
    reader: field.pointer,
    writer: `${writer.pointer}/fields`,
    subject: { readerType: describeNode(reader), writerType: describeNode(writer), field: field.name },
  })
}

/** Several fields of the writer answer to one of the reader. Java throws here; the kind is the nearest of the six. */
export function ambiguousField(
  field: FieldNode,
  matches: readonly FieldNode[],
  reader: RecordNode,
  writer: RecordNode,
  spot: Spot,
): Incompatibility {
  const names = matches.map((match) => match.name)
  return reason('NAME_MISMATCH', spot, {
    message: `reader field ${field.name} matches multiple fields in writer record schema: ${names.join(', ')}`,
    reader: field.pointer,
    writer: matches[1]?.pointer ?? writer.pointer,
    subject: {
      readerType: describeNode(reader),
      writerType: describeNode(writer),
      field: field.name,
      ambiguous: names,
    },
  })
}

interface ReasonParts {
  readonly message: string
  readonly reader: string
  readonly writer: string
  readonly subject: IncompatibilitySubject
  readonly causes?: Reasons
}

/** Paths are made when they are asked for: in a schema that nests deep they are long. */
function reason(type: IncompatibilityType, spot: Spot, parts: ReasonParts): Incompatibility {
  const { message, reader, writer, subject, causes = none } = parts
  return {
    type,
    get path() {
      return pathOf(spot)
    },
    message,
    readerPointer: reader,
    writerPointer: writer,
    get fieldPath() {
      return fieldPathOf(spot)
    },
    subject,
    causes,
  }
}

/** Java's way to write a path: the root is "/". */
function pathOf(spot: Spot): string {
  const tokens: string[] = []
  for (let at: Spot = spot; at.parent; at = at.parent) tokens.push(at.token)
  return `/${tokens.reverse().join('/')}`
}

function fieldPathOf(spot: Spot): string {
  const labels: string[] = []
  for (let at: Spot = spot; at.parent; at = at.parent) if (at.label) labels.push(at.label)
  return labels
    .reverse()
    .map((label, index) => (index === 0 || label === '[]' || label === '{}' ? label : `.${label}`))
    .join('')
}

/** Whether the reader's number type is the smaller one of two. */
const isNarrower = (reader: SchemaNode, writer: SchemaNode): boolean =>
  writer.kind !== 'string' && writer.kind !== 'bytes' && promotes(writer.kind, reader.kind)

/** Java's name of a type. */
const javaType = (node: SchemaNode): string => node.kind.toUpperCase()
