/**
 * The compatibility of Avro schemas as a library: pure functions over schema texts, no registry and no network.
 * `checkReaderWriter` is the smallest of them: may this reader read what that writer wrote, and if not, why.
 */
export { checkReaderWriter, InvalidSchemaError } from './check-reader-writer.ts'
export { checkSubject, type SubjectVersions } from './check-subject.ts'
export type { BrokenPair, Finding, RegistryReason, SchemaText, SubjectReport } from './finding.ts'
export type { Incompatibility, IncompatibilitySubject, IncompatibilityType } from './incompatibility.ts'
export {
  checkLevelPolicy,
  type LevelException,
  type LevelPolicy,
  parseLevelPolicy,
  type SubjectLevel,
  strictPolicy,
} from './level-policy.ts'
export { covers, type Direction, directionsOf, isLevel, isTransitive, type Level, levels } from './levels.ts'
export { type ParsedSchema, parseSchemaText, type RefusedSchema } from './parse-schema-text.ts'
export type { Place, Problem } from './places.ts'
export type { Positions } from './positions.ts'
export type { Rule, RuleGroup } from './rule.ts'
export { isRuleId, type RuleId, rules } from './rules.ts'
export type { Severity } from './severity.ts'
