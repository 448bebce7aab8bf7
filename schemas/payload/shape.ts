/** How one field of a payload is written. */
export type PayloadField =
  /** As it is: text, numbers, true and false. */
  | { readonly name: string; readonly kind: 'plain' }
  /** Milliseconds, written as ISO 8601 in UTC with milliseconds. */
  | { readonly name: string; readonly kind: 'time' }
  /** Sealed in every topic, opened only to be rendered. */
  | { readonly name: string; readonly kind: 'sealed' }
  /** A symbol; one that this version does not know becomes `fallback`. */
  | {
      readonly name: string
      readonly kind: 'enum'
      readonly symbols: ReadonlySet<string>
      readonly fallback: string
    }
  | { readonly name: string; readonly kind: 'group'; readonly fields: readonly PayloadField[] }
