/** JSON as it was read: with everything that is wrong, or with the place of everything in it. */
import type { RuleId } from './rules.ts'

/** Something wrong at one offset. */
export interface JsonProblem {
  readonly rule: RuleId
  readonly message: string
  readonly mend: string
  readonly offset: number
}

/** Offsets of the keys of an object, or of the values of an array. */
export type Offsets =
  | { readonly kind: 'array'; readonly values: readonly number[] }
  | { readonly kind: 'object'; readonly keys: ReadonlyMap<string, number> }

/** What was read: the value, undefined after a fatal problem, and everything that is wrong. */
export interface JsonDocument {
  readonly value: unknown
  readonly problems: readonly JsonProblem[]
}

/** A value with the offsets of each object and array in it. */
export interface LocatedJson {
  readonly value: unknown
  readonly start: number
  readonly offsets: ReadonlyMap<object, Offsets>
}
