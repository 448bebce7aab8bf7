/** What makes a writer's records unreadable, in the words of Java's SchemaCompatibility. */

/** The six kinds of Java, which registries show. */
export type IncompatibilityType =
  | 'NAME_MISMATCH'
  | 'FIXED_SIZE_MISMATCH'
  | 'MISSING_ENUM_SYMBOLS'
  | 'READER_FIELD_MISSING_DEFAULT_VALUE'
  | 'TYPE_MISMATCH'
  | 'MISSING_UNION_BRANCH'

/** One reason why a reader cannot read what a writer wrote. */
export interface Incompatibility {
  readonly type: IncompatibilityType
  /** Java's location: a pointer into the reader's schema, with the index of the writer's branch in unions. */
  readonly path: string
  /** Java's text, as a registry prints it. */
  readonly message: string
  /** Where it stands in the reader's document, a real JSON pointer. */
  readonly readerPointer: string
  /** The same in the writer's document; for a field that is not there, the fields of its record. */
  readonly writerPointer: string
  /** The fields that lead there: `payload.delivery.slot`; `[]` is the item of a list, `{}` the value of a map. */
  readonly fieldPath: string
  /** What it is about: the two types, and the field or the symbols. */
  readonly subject: IncompatibilitySubject
  /**
   * What hides behind `MISSING_UNION_BRANCH`: why the branch that was meant cannot read the value. Java drops these.
   * Empty where the union has no branch that could be meant.
   */
  readonly causes: readonly Incompatibility[]
}

/** What an incompatibility is about, for sentences. */
export interface IncompatibilitySubject {
  /** The types in words: `enum Reason`. */
  readonly readerType: string
  readonly writerType: string
  /** The field without a default, or whose aliases match twice. */
  readonly field?: string
  /** The symbols that the reader lacks. */
  readonly symbols?: readonly string[]
  /** The reader's number type, where the writer's is a wider one. */
  readonly narrower?: string
  /** The writer's union, where the reader has no union and one of its types does not fit. */
  readonly writerUnion?: string
  /** The fields of the writer that one field of the reader answers to. */
  readonly ambiguous?: readonly string[]
}
