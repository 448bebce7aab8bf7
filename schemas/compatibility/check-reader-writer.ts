/** The question behind every level: can this reader read what that writer wrote? */
import type { Incompatibility } from './incompatibility.ts'
import { buildModel } from './model-builder.ts'
import { compareModels } from './reader-writer.ts'
import type { SchemaModel } from './schema-model.ts'

/** A schema that means nothing, so that there is no verdict about it. */
export class InvalidSchemaError extends Error {
  constructor(role: string, problems: readonly string[]) {
    super(`the ${role}'s schema is invalid: ${problems.join('; ')}`)
    this.name = 'InvalidSchemaError'
  }
}

/**
 * Every reason why `reader` cannot read records written with `writer`, both parsed schema JSON; empty when it can.
 * Kinds, locations and messages are those of Java's SchemaCompatibility, in its order. Defaults and names are taken
 * as they are: an old schema in a registry may have what a new one may not. Throws `InvalidSchemaError` when one of
 * the two is no schema at all.
 */
export function checkReaderWriter(reader: unknown, writer: unknown): readonly Incompatibility[] {
  return compareModels(modelOf(reader, 'reader'), modelOf(writer, 'writer'))
}

function modelOf(json: unknown, role: string): SchemaModel {
  const { model, problems } = buildModel(json)
  if (model) return model
  const fatal = problems.filter((problem) => problem.fatal)
  throw new InvalidSchemaError(
    role,
    fatal.map(({ message, pointer }) => `${message} at ${pointer || 'the top'}`),
  )
}
