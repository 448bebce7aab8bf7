/** What a check of a subject's versions finds, in a form that every output can be made from. */
import type { IncompatibilityType } from './incompatibility.ts'
import type { Direction, Level } from './levels.ts'
import type { Place, Problem } from './places.ts'

/** One version of a subject, as text. */
export interface SchemaText {
  readonly version: number
  /** How to name the file to people. */
  readonly file: string
  readonly text: string
}

/** A reader's version that cannot read, or reads otherwise, what a writer's version wrote. */
export interface BrokenPair {
  readonly reader: number
  readonly writer: number
}

/**
 * A change between versions that a level forbids, or that a rule warns of. Where a registry only says that a union
 * lacks a type, this is what lies behind it.
 */
export interface Finding extends Problem {
  readonly subject: string
  /** The version that brought the change. `place` is in its file. */
  readonly since: number
  /** Which promise it breaks; none for changes that keep the promise and the bytes, and change the meaning. */
  readonly direction: Direction | undefined
  /** Who fails on whose records, oldest first. */
  readonly breaks: readonly BrokenPair[]
  /** The same as a sentence: "v3 readers fail on records of v1 and v2". */
  readonly who: string
  /** The fields that lead there: `payload.delivery.slot`; empty for the whole schema. */
  readonly field: string
  /** What a registry would say: kind, location and message of Java. None for rules that no registry has. */
  readonly registry: RegistryReason | undefined
  /** The other side of the comparison: the same field in the older version. */
  readonly other: Place
}

/** A reason in the words of Java's SchemaCompatibility. */
export interface RegistryReason {
  readonly type: IncompatibilityType
  readonly path: string
  readonly message: string
}

/** All about one subject. */
export interface SubjectReport {
  readonly subject: string
  readonly level: Level
  /** The versions there are, oldest first. One version alone is new: nothing to compare. */
  readonly versions: readonly number[]
  /** What is wrong with a text by itself; texts with errors are not compared. */
  readonly problems: readonly Problem[]
  readonly findings: readonly Finding[]
  /** Whether a registry at this level takes what was checked. */
  readonly compatible: boolean
  /** Whether avsc can read everything that a registry at this level says is readable. */
  readonly javascriptAgrees: boolean
}
