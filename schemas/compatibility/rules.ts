/** The catalogue: every rule that a check can report, by id. Ids are never reused. */
import type { Rule } from './rule.ts'
import { avroRules } from './rules-avro.ts'
import { javascriptRules } from './rules-javascript.ts'
import { schemaRules } from './rules-schema.ts'

const catalogue = { ...avroRules, ...javascriptRules, ...schemaRules } as const

/** The id of a rule, as it stands behind findings and in suppressions. */
export type RuleId = keyof typeof catalogue

/** All rules. */
export const rules: Readonly<Record<RuleId, Rule>> = Object.freeze(catalogue)

/** Whether a text is the id of a rule. */
export const isRuleId = (text: string): text is RuleId => Object.hasOwn(catalogue, text)
