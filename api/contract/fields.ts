/**
 * The kinds of field that the API's schemas are made of. The schemas in this folder are the one source for answers,
 * their documentation and their readers. Times are RFC 3339 in UTC; what does not apply is null, never missing.
 */
import { type Static, type TSchema, Type } from 'typebox'

/** A value of a schema, or null. JSON Schema's own way, which serializes faster than a choice of two. */
export const nullable = <Schema extends TSchema & { type: string }>(schema: Schema) =>
  Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] })

export const text = (description: string) => Type.String({ description })
export const count = (description: string) => Type.Integer({ minimum: 0, description })
export const time = (description: string) => Type.String({ format: 'date-time', description })
export const word = <const Words extends readonly string[]>(words: Words, description: string) =>
  Type.Unsafe<Words[number]>({ type: 'string', enum: words, description })

/** How fresh an answer is. */
export const asOf = nullable(
  time('Everything that happened up to this time is in the answer; null while nothing was ever written.'),
)

/** Uses a schema by its name, so that it stands once in the documentation. */
export const named = <Schema extends TSchema>(schema: Schema) =>
  Type.Unsafe<Static<Schema>>({ $ref: `${nameOf(schema)}#` })

/** A named schema as the body of an answer. */
export const answer = <Schema extends TSchema & { description?: string }>(schema: Schema) =>
  Type.Unsafe<Static<Schema>>({ $ref: `${nameOf(schema)}#`, description: schema.description })

/** The name that a schema has in the documentation. */
export function nameOf(schema: TSchema & { $id?: unknown }): string {
  if (typeof schema.$id !== 'string') throw new TypeError('a schema without $id cannot be referred to')
  return schema.$id
}
