/** The form of a rule in the catalogue. */
import type { Severity } from './severity.ts'

/**
 * What kind of thing a rule is about. `avro`: what a registry refuses, too. `javascript`: what Avro allows and
 * programs in JavaScript stumble over. `meaning`: same bytes, other values. `schema`: one text by itself.
 * `policy`: the levels and their exceptions.
 */
export type RuleGroup = 'avro' | 'javascript' | 'meaning' | 'schema' | 'policy'

/** One rule: what `explain` prints. */
export interface Rule {
  readonly group: RuleGroup
  readonly severity: Severity
  readonly title: string
  /** What goes wrong, and for whom. */
  readonly why: string
  /** A change, or a text, that the rule finds. */
  readonly example: string
  /** What to do instead. */
  readonly mend: string
}
