/**
 * Whether a reader can read what a writer wrote: Avro's schema resolution, step by step as Java's
 * SchemaCompatibility does it (which is what Confluent's registry runs), with all reasons instead of a yes or no.
 *
 * Like Java, a pair of types is compared once and its result, paths included, used wherever the pair occurs again;
 * while a pair is being compared it counts as compatible, which is what ends recursion. Unlike Java, the branches
 * of unions keep the reasons for which they do not fit.
 */
import { runWalk, type Walk } from './depth.ts'
import type { SameTypes } from './equal-types.ts'
import type { Incompatibility } from './incompatibility.ts'
import {
  ambiguousField,
  merge,
  missingBranch,
  missingField,
  missingSymbols,
  none,
  otherName,
  otherSize,
  type Reasons,
  rootSpot,
  type Spot,
  step,
  stepIntoBranch,
  typeMismatch,
} from './reasons.ts'
import {
  type FieldNode,
  isNamed,
  type NamedNode,
  type RecordNode,
  type SchemaModel,
  type SchemaNode,
  type UnionNode,
} from './schema-model.ts'
import { isPlain, makeBranchChoice, promotes, readsPlain } from './union-branches.ts'

/** How names of types are compared: Java by the part behind the last dot, avsc whole. */
export type Naming = 'simple' | 'full'

/** Settings of a comparison. */
export interface CompareOptions {
  readonly naming?: Naming
  /** Types known to be the same, which are not looked into: for checks of many versions. */
  readonly same?: SameTypes
}

/**
 * Two types of a few thousand names each that refer to each other in circles of different length make millions of
 * pairs. No schema that people write comes near a tenth of this.
 */
const pairsMax = 400_000

/** How many pairs may wait for one inside of them: about a kilobyte each. */
const openPairsMax = 60_000

/** Two schemas that are too entangled to be compared. */
export class ComparisonTooLargeError extends Error {
  constructor() {
    super(
      `too entangled: more than ${pairsMax} pairs of types to compare, or ${openPairsMax} within each other; split the schema`,
    )
    this.name = 'ComparisonTooLargeError'
  }
}

/**
 * Compares two graphs; empty when everything that the writer can write is readable. Throws
 * `ComparisonTooLargeError` instead of running out of memory.
 */
export function compareModels(
  reader: SchemaModel,
  writer: SchemaModel,
  options: CompareOptions = {},
): readonly Incompatibility[] {
  const comparison = new Comparison(writer.size, options)
  return runWalk(comparison.pair(reader.root, writer.root, rootSpot))
}

const noFields: readonly FieldNode[] = []

/** Says that a type is readable, where an empty list says that nothing is known about why it is not. */
const fits: Reasons = []

class Comparison {
  private readonly writerSize: number
  private readonly naming: Naming
  private readonly same: SameTypes | undefined
  private readonly candidates = makeBranchChoice()
  /** By pair; `undefined` while the pair is being compared. */
  private readonly known = new Map<number, Reasons | undefined>()
  private open = 0

  constructor(writerSize: number, options: CompareOptions) {
    this.writerSize = writerSize
    this.naming = options.naming ?? 'simple'
    this.same = options.same
  }

  *pair(reader: SchemaNode, writer: SchemaNode, spot: Spot): Walk<Reasons> {
    const key = reader.id * this.writerSize + writer.id
    if (this.known.has(key)) return this.known.get(key) ?? none
    if (this.known.size >= pairsMax || this.open >= openPairsMax) throw new ComparisonTooLargeError()
    this.known.set(key, undefined)
    this.open++
    const reasons = yield this.compare(reader, writer, spot)
    this.open--
    this.known.set(key, reasons)
    return reasons
  }

  private *compare(reader: SchemaNode, writer: SchemaNode, spot: Spot): Walk<Reasons> {
    if (reader.kind === 'union' && writer.kind === 'union') return yield this.unions(reader, writer, spot)
    if (writer.kind === 'union') {
      let reasons = none
      for (const [index, branch] of writer.branches.entries()) {
        reasons = merge(reasons, yield this.pair(reader, branch, stepIntoBranch(spot, index, writer)))
      }
      return reasons
    }
    if (reader.kind === 'union') {
      const misfits = yield this.misfits(reader, writer)
      return misfits === fits ? none : [missingBranch(reader, writer, spot, misfits)]
    }
    if (reader.kind === 'array' && writer.kind === 'array') {
      return yield this.pair(reader.items, writer.items, step(spot, 'items', '[]'))
    }
    if (reader.kind === 'map' && writer.kind === 'map') {
      return yield this.pair(reader.values, writer.values, step(spot, 'values', '{}'))
    }
    if (reader.kind === 'record' && writer.kind === 'record') return yield this.records(reader, writer, spot)
    if (reader.kind === 'enum' && writer.kind === 'enum') {
      return merge(this.names(reader, writer, spot), missingSymbols(reader, writer, spot))
    }
    if (reader.kind === 'fixed' && writer.kind === 'fixed') {
      return merge(this.names(reader, writer, spot), otherSize(reader, writer, spot))
    }
    const readable = reader.kind === writer.kind || promotes(reader.kind, writer.kind)
    return readable ? none : [typeMismatch(reader, writer, spot)]
  }

  /** Each branch of the writer must be readable by some branch of the reader. */
  private *unions(reader: UnionNode, writer: UnionNode, spot: Spot): Walk<Reasons> {
    let reasons = none
    for (const [index, branch] of writer.branches.entries()) {
      if (isPlain(branch) && readsPlain(reader, branch)) continue
      const [missing] = yield this.pair(reader, branch, rootSpot)
      if (missing) {
        const branchSpot = step(spot, String(index))
        reasons = merge(reasons, [missingBranch(reader, branch, branchSpot, missing.causes)])
      }
    }
    return reasons
  }

  /** Why none of the reader's branches reads the writer's type; `fits` when one does. */
  private *misfits(reader: UnionNode, writer: SchemaNode): Walk<Reasons> {
    if (isPlain(writer)) return readsPlain(reader, writer) ? fits : none
    let meant = none
    let others: readonly Reasons[] = []
    for (const branch of this.candidates(reader, writer)) {
      const reasons = yield this.pair(branch, writer, rootSpot)
      if (reasons.length === 0) return fits
      if (branch.kind !== writer.kind) continue
      if (this.isMeant(branch, writer)) meant = merge(meant, reasons)
      else others = [...others, reasons]
    }
    // A renamed type leaves one of its kind on either side, which is then the one that was meant.
    const [renamed = none] = others
    return meant.length > 0 || others.length !== 1 ? meant : renamed
  }

  /** Whether a branch of the same kind is the one that somebody who wrote the type had in mind. */
  private isMeant(branch: SchemaNode, writer: SchemaNode): boolean {
    if (!isNamed(branch) || !isNamed(writer)) return true
    return branch.name === writer.name || this.sameName(branch, writer)
  }

  private *records(reader: RecordNode, writer: RecordNode, spot: Spot): Walk<Reasons> {
    let reasons = this.names(reader, writer, spot)
    const fieldsSpot = step(spot, 'fields')
    for (const field of reader.fields) {
      const matches = field.aliases.length > 0 ? matchingFields(field, writer) : noFields
      const match = matches.length > 0 ? matches[0] : writer.fieldsByName.get(field.name)
      // What did not change is by far the most common case, and not worth a walk.
      if (match && matches.length < 2 && this.isReadable(field.type, match.type)) continue
      const fieldSpot = step(fieldsSpot, String(field.index), field.name)
      if (matches.length > 1) {
        reasons = merge(reasons, [ambiguousField(field, matches, reader, writer, fieldSpot)])
      } else if (match) {
        reasons = merge(reasons, yield this.pair(field.type, match.type, step(fieldSpot, 'type')))
      } else if (!field.hasDefault) {
        reasons = merge(reasons, yield this.missing(field, reader, writer, fieldSpot))
      }
    }
    return reasons
  }

  /** Whether that is plain to see. */
  private isReadable(reader: SchemaNode, writer: SchemaNode): boolean {
    return (reader.kind === writer.kind && isPlain(reader)) || (this.same?.(reader, writer) ?? false)
  }

  /**
   * A field that is not there and has no default. Where it is an enum with a default symbol, Java compares that enum
   * with the writer's whole record: a mismatch of types, and like any pair with the path of where it first occurred.
   */
  private *missing(field: FieldNode, reader: RecordNode, writer: RecordNode, spot: Spot): Walk<Reasons> {
    const reason = missingField(field, reader, writer, spot)
    if (field.type.kind !== 'enum' || field.type.default === undefined) return [reason]
    const compared = yield this.pair(field.type, writer, step(spot, 'type'))
    return compared.map(({ type, path, message }) => ({ ...reason, type, path, message }))
  }

  private names(reader: NamedNode, writer: NamedNode, spot: Spot): Reasons {
    return this.sameName(reader, writer) ? none : [otherName(reader, writer, spot)]
  }

  private sameName(reader: NamedNode, writer: NamedNode): boolean {
    const same = this.naming === 'simple' ? reader.name === writer.name : reader.fullName === writer.fullName
    return same || reader.aliases.has(writer.fullName)
  }
}

/** The writer's fields that a reader's field stands for, by its name and its aliases. */
function matchingFields(field: FieldNode, writer: RecordNode): readonly FieldNode[] {
  const names = new Set([field.name, ...field.aliases])
  return [...names].flatMap((name) => writer.fieldsByName.get(name) ?? [])
}
