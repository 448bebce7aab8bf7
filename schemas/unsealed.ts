/**
 * Finds what a schema wants sealed and a value has in clear, so that it can be refused before it is stored. It looks at
 * how text and bytes begin; whether they can be opened is not asked.
 */
import type { AvroRecord } from './avro-schema.ts'
import { piiFields } from './pii.ts'
import { piiTreatment } from './pii-treatment.ts'
import { isSealedValue } from './sealing.ts'

/** Answers the path of the first tagged field that is in clear. */
export type FindUnsealed = (value: unknown) => string | undefined

/** Makes the search for one schema; `undefined` where nothing of it is tagged. */
export function makeFindUnsealed(schema: AvroRecord): FindUnsealed | undefined {
  const fields = piiFields(schema)
    .filter(({ pii }) => piiTreatment[pii].unsealed === 'refused')
    .map(({ path }) => ({ path, name: path.join('.') }))
  if (fields.length === 0) return undefined
  return (value) => fields.find(({ path }) => !isSealedAt(value, path, 0))?.name
}

function isSealedAt(value: unknown, path: readonly string[], at: number): boolean {
  if (value === null || value === undefined) return true
  if (typeof value === 'string' || value instanceof Uint8Array) return isSealedValue(value)
  if (Array.isArray(value)) {
    const next = path[at] === '*' ? at + 1 : at
    return value.every((item) => isSealedAt(item, path, next))
  }
  // A number or a flag cannot be sealed; the lint says so of its schema.
  if (typeof value !== 'object') return true
  const step = path[at]
  if (step === undefined || step === '*')
    return Object.values(value).every((item) => isSealedAt(item, path, at + 1))
  return isSealedAt(Reflect.get(value, step), path, at + 1)
}
