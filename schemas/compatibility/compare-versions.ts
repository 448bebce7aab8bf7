/** Compares one version with an older one: the verdict of a registry, that of avsc, and what neither looks at. */
import { explain, ruleOf, type TrueCause, trueCauses } from './classify.ts'
import type { RawFinding } from './collect-findings.ts'
import type { TypeNumbering } from './equal-types.ts'
import type { SchemaText } from './finding.ts'
import { objectAt } from './json-at.ts'
import { type Direction, directionsOf, type Level } from './levels.ts'
import { meaningChanges } from './meaning-changes.ts'
import { namespaceOf } from './names.ts'
import type { ParsedSchema } from './parse-schema-text.ts'
import { compareModels } from './reader-writer.ts'
import type { SchemaModel } from './schema-model.ts'

/** A version whose text is a schema. */
export interface ParsedVersion extends SchemaText {
  readonly parsed: ParsedSchema
}

/** A version, an older one, and what they promise each other. */
export interface VersionPair {
  readonly newer: ParsedVersion
  readonly older: ParsedVersion
  readonly level: Level
  readonly numbering: TypeNumbering
}

/** Whether a registry takes the pair, and whether avsc reads all that the registry takes. */
export interface PairVerdict {
  readonly compatible: boolean
  readonly javascriptAgrees: boolean
}

/** Compares a pair; each finding goes to `add`. */
export function compareVersions(pair: VersionPair, add: (raw: RawFinding) => void): PairVerdict {
  let [compatible, javascriptAgrees] = [true, true]
  for (const direction of directionsOf(pair.level)) {
    const { reader, writer } = roles(pair, direction)
    const same = pair.numbering.between(reader.parsed.model, writer.parsed.model)
    const reasons = compareModels(reader.parsed.model, writer.parsed.model, { same })
    for (const cause of trueCauses(reasons)) add(registryFinding(pair, direction, cause))
    if (reasons.length > 0) {
      compatible = false
      continue
    }
    // avsc differs where names do, and nowhere else.
    if (!namesDiffer(reader.parsed.model, writer.parsed.model)) continue
    const stricter = compareModels(reader.parsed.model, writer.parsed.model, { naming: 'full' })
    for (const cause of trueCauses(stricter)) add(namespaceFinding(pair, direction, cause))
    if (stricter.length > 0) javascriptAgrees = false
  }
  addMeaningChanges(pair, add)
  return { compatible, javascriptAgrees }
}

const roles = ({ newer, older }: VersionPair, direction: Direction) =>
  direction === 'backward' ? { reader: newer, writer: older } : { reader: older, writer: newer }

/** The places of a reason in the newer and in the older file, and who reads whom. */
function placed(pair: VersionPair, direction: Direction, { reason, fieldPath }: TrueCause) {
  const { reader, writer } = roles(pair, direction)
  const readerPlace = reader.parsed.positions.of(reason.readerPointer)
  const writerPlace = writer.parsed.positions.of(reason.writerPointer)
  const [place, other] = direction === 'backward' ? [readerPlace, writerPlace] : [writerPlace, readerPlace]
  return {
    since: pair.newer.version,
    direction,
    pair: { reader: reader.version, writer: writer.version },
    ...(reason.subject.field === undefined ? {} : { detail: reason.subject.readerType }),
    field: fieldPath,
    place,
    other,
  }
}

function registryFinding(pair: VersionPair, direction: Direction, cause: TrueCause): RawFinding {
  const { reason, registry } = cause
  const places = placed(pair, direction, cause)
  const rule = ruleOf(reason, direction)
  const field = objectAt(roles(pair, direction).reader.parsed.schema, reason.readerPointer)
  const { type, path, message } = registry
  return {
    rule,
    ...places,
    ...explain(reason, { rule, direction, fieldPath: cause.fieldPath, field }),
    registry: { type, path, message },
  }
}

function namespaceFinding(pair: VersionPair, direction: Direction, cause: TrueCause): RawFinding {
  const places = placed(pair, direction, cause)
  const { readerType, writerType } = cause.reason.subject
  const [now, before] = direction === 'backward' ? [readerType, writerType] : [writerType, readerType]
  return {
    rule: 'JS_RESOLVER_REFUSES',
    ...places,
    message: `${before} is now ${now}: a registry compares names without their namespace, avsc does not`,
    mend: `put the namespace back: "${namespaceOf(before.slice(before.indexOf(' ') + 1))}"`,
    registry: undefined,
  }
}

function addMeaningChanges({ newer, older, numbering }: VersionPair, add: (raw: RawFinding) => void): void {
  const same = numbering.between(newer.parsed.model, older.parsed.model)
  for (const change of meaningChanges(newer.parsed.model, older.parsed.model, same)) {
    add({
      rule: change.rule,
      message: change.message,
      mend: change.mend,
      since: newer.version,
      direction: undefined,
      // A number that is too large stands in the new records; the others are about old records read anew.
      pair: change.rule === 'JS_LONG_UNSAFE' ? undefined : { reader: newer.version, writer: older.version },
      field: change.fieldPath,
      registry: undefined,
      place: newer.parsed.positions.of(change.newerPointer),
      other: older.parsed.positions.of(change.olderPointer),
    })
  }
}

/** Whether some type has the name of the other's without its namespace. */
function namesDiffer(reader: SchemaModel, writer: SchemaModel): boolean {
  const bySimpleName = new Map<string, string>()
  for (const { name, fullName } of reader.named.values()) {
    if (bySimpleName.has(name)) return true
    bySimpleName.set(name, fullName)
  }
  for (const { name, fullName } of writer.named.values()) {
    const known = bySimpleName.get(name)
    if (known !== undefined && known !== fullName) return true
  }
  return false
}
