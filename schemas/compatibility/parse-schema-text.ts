/**
 * Reads the text of a schema: JSON, then names and types, then defaults and logical types. Everything that is wrong
 * is reported with its place; nothing throws, whatever the text.
 */
import { checkDefaults } from './defaults.ts'
import { readJson } from './json-reader.ts'
import { checkLogicalTypes, nodesOf } from './logical-types.ts'
import { buildModel } from './model-builder.ts'
import type { Place, Problem } from './places.ts'
import { makePositions, type Positions } from './positions.ts'
import { type RuleId, rules } from './rules.ts'
import type { SchemaModel } from './schema-model.ts'

/** A schema that can be worked with; its problems are warnings, or errors that leave no doubt about its meaning. */
export interface ParsedSchema {
  readonly ok: true
  /** The JSON, with every attribute. */
  readonly schema: unknown
  readonly model: SchemaModel
  readonly positions: Positions
  readonly problems: readonly Problem[]
}

/** A text that is no schema. */
export interface RefusedSchema {
  readonly ok: false
  readonly positions: Positions
  readonly problems: readonly Problem[]
}

/** Reads a schema text; `file` names it in places. */
export function parseSchemaText(text: string, file: string): ParsedSchema | RefusedSchema {
  const document = readJson(text)
  const positions = makePositions(file, text)
  const problems: Problem[] = document.problems.map(({ rule, message, mend, offset }) =>
    problemAt(rule, message, mend, positions.ofOffset(offset)),
  )
  // Whatever could be read is looked at as well: one round of mending should be enough.
  if (document.value === undefined) return { ok: false, positions, problems }
  const built = buildModel(document.value)
  for (const { rule, message, mend, pointer } of built.problems) {
    problems.push(problemAt(rule, message, mend, positions.of(pointer)))
  }
  const { model } = built
  if (model) {
    for (const { pointer, message, mend } of checkDefaults(model)) {
      problems.push(problemAt('SCHEMA_DEFAULT_INVALID', message, mend, positions.of(pointer)))
    }
    for (const { pointer, message, mend } of checkLogicalTypes(nodesOf(model))) {
      const at = positions.of(`${pointer}/logicalType`)
      problems.push(problemAt('SCHEMA_LOGICAL_TYPE_INVALID', message, mend, at))
    }
  }
  if (!model || document.problems.length > 0) return { ok: false, positions, problems }
  return { ok: true, schema: document.value, model, positions, problems }
}

function problemAt(rule: RuleId, message: string, mend: string, place: Place): Problem {
  return { rule, severity: rules[rule].severity, message, mend, place }
}
