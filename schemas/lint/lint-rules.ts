/** The rules of style, privacy and release that no registry knows; in one catalogue with those of the checker. */
import type { Rule, RuleGroup } from '../compatibility/rule.ts'
import { rules } from '../compatibility/rules.ts'

/** A rule of the whole catalogue. */
export interface CatalogueRule extends Omit<Rule, 'group'> {
  /** `lint`: how schemas are written. `privacy`: what is about people. `release`: what was released stays. */
  readonly group: RuleGroup | 'lint' | 'privacy' | 'release'
}

const lint = { group: 'lint', severity: 'error' } as const
const privacy = { group: 'privacy', severity: 'error' } as const
const release = { group: 'release', severity: 'error' } as const

/** Rules by id. */
export const lintRules = {
  LINT_DOC_MISSING: {
    ...lint,
    title: 'A record, enum or field without doc',
    why: 'The schema is all that whoever reads the topic in three years will have. Partner documentation is made from it, too.',
    example: '{"name": "slot", "type": ["null", "string"], "default": null}',
    mend: 'Say what it is, in which unit and when it is null: "doc": "The delivery slot that the customer chose; null when none."',
  },
  LINT_NULL_NOT_FIRST: {
    ...lint,
    title: 'A nullable field whose first type is not null',
    why: 'The default of a union must fit its first type. With null second the field can never have the default null, so it can never be added to or removed from a released subject.',
    example: '"type": ["string", "null"]',
    mend: 'Write "type": ["null", "string"], "default": null.',
  },
  LINT_NULL_DEFAULT_MISSING: {
    ...lint,
    title: 'A nullable field without the default null',
    why: 'Readers of this version cannot read records that were written before the field existed, although null would say exactly that.',
    example: '{"name": "slot", "type": ["null", "string"]}',
    mend: 'Add "default": null.',
  },
  LINT_ENUM_DEFAULT_MISSING: {
    ...lint,
    title: 'An enum without a default symbol',
    why: 'Readers that do not know a symbol take the default of their own version. Released without one, the enum can never get another symbol where old readers must read new records, and a default that is added later does not help the readers that are out there.',
    example: '{"type": "enum", "name": "Reason", "symbols": ["DAMAGED", "LATE"]}',
    mend: 'Put a symbol for "something newer" first and make it the default: "symbols": ["UNKNOWN", "DAMAGED", "LATE"], "default": "UNKNOWN".',
  },
  LINT_TIME_UNTYPED: {
    ...lint,
    title: 'A time that is a bare number',
    why: 'Nobody can tell seconds from milliseconds in a long, and types generated from the schema say number.',
    example: '{"name": "delivered_at", "type": "long"}',
    mend: 'Write {"type": "long", "logicalType": "timestamp-millis"}.',
  },
  LINT_NAMESPACE: {
    ...lint,
    title: 'A schema without a namespace, or not in reverse-DNS form',
    why: 'Without one, names of different subjects collide in generated code. It can never be added later: readers on Node refuse a record whose full name changed.',
    example: '{"type": "record", "name": "OrderEvent", "fields": […]}',
    mend: 'Add the namespace of the other subjects, e.g. "namespace": "dev.waybill".',
  },
  LINT_NAMING: {
    ...lint,
    severity: 'warning',
    title: 'A name in another style than the rest',
    why: 'Types are PascalCase, fields snake_case, symbols either UPPER_CASE or lower_case. Names cannot be changed once released, so a slip stays.',
    example: '{"name": "orderId", "type": "string"}',
    mend: 'Write it as the message says.',
  },
  PII_UNTAGGED: {
    ...privacy,
    title: 'A phone, one-time password or person’s name without a pii tag',
    why: 'Sealing, masking and refusing follow the tag. A field without one lies in topics, stores, previews and logs in clear.',
    example: '{"name": "customer_phone", "type": ["null", "string"], "default": null}',
    mend: 'Add "pii": "personal" (about a person: sealed, stays inside) or "pii": "secret" (opens something: sealed, opened for one request only). If it may be read by everybody who gets the record, say so in lint.json with a reason.',
  },
  PII_TAG_UNKNOWN: {
    ...privacy,
    title: 'A pii tag that there is not',
    why: 'What nobody knows nobody seals.',
    example: '"pii": "sensitive"',
    mend: 'Use "secret" or "personal".',
  },
  PII_UNSEALABLE: {
    ...privacy,
    title: 'A tagged field that cannot hold sealed text',
    why: 'Sealed values are text or bytes. A number or a group cannot be sealed, so it would lie there in clear in spite of its tag.',
    example: '{"name": "otp", "type": "int", "pii": "secret"}',
    mend: 'Make it a string or bytes; tag the leaves of a group, not the group.',
  },
  PII_SECRET_SPREADS: {
    ...privacy,
    title: 'A secret in a subject that is not listed for secrets',
    why: 'Every topic that carries a secret is one more place to protect and to purge. So they are listed, and a new one is a decision.',
    example: '{"name": "otp", "type": ["null", "string"], "default": null, "pii": "secret"} in a new subject',
    mend: 'Leave the field out (the sender can look it up), or add the subject to "secret_subjects" in lint.json.',
  },
  VERSION_CHANGED: {
    ...release,
    title: 'A released version was changed',
    why: 'Records carry the id of the schema that they were written with. If that schema changes afterwards, readers decode them wrongly or not at all. Only doc texts may change.',
    example: 'an edit in v2.avsc after v2 was released',
    mend: 'Restore the file and put the change into the next version. If no release wrote it yet: npm run schemas -- --replace.',
  },
  VERSION_REMOVED: {
    ...release,
    title: 'A released version is gone',
    why: 'Records written with it are still in topics, archives and backups, and can no longer be read.',
    example: 'v1.avsc deleted',
    mend: 'Restore the file.',
  },
  FIELD_RENAMED: {
    ...release,
    severity: 'warning',
    title: 'A rename that older readers do not see',
    why: 'The alias helps readers of the new schema alone. Readers that still run with the older one look for the old name in new records, and get its default: nothing fails, and the value is gone for them.',
    example: '- {"name": "city", …}\n+ {"name": "town", "aliases": ["city"], …}',
    mend: 'Upgrade every reader before the first writer, or add the new name beside the old one and fill both.',
  },
  PAYLOAD_FIELD_BROKEN: {
    ...release,
    title: 'A field that partners were promised is gone, renamed or of another type',
    why: 'Every payload version is made from the newest record. Without the field, endpoints that pin a version with it cannot be sent anything any more. A registry lets it pass when the field has a default.',
    example: '- {"name": "order_ref", "type": ["null", "string"], "default": null}',
    mend: 'Put it back, and add the new form beside it. It can go when no payload version with it is promised any more.',
  },
  SUPPRESSION_INVALID: {
    ...release,
    title: 'A suppression without rule, subject, reason or last day',
    why: 'A finding that nobody can explain any more stays forever.',
    example: '{"rule": "LINT_NAMING", "subject": "order.events-value"}',
    mend: 'Write {"rule": "…", "subject": "…", "field": "…", "reason": "…", "expires": "2027-01-31"}; field may be left out.',
  },
  SUPPRESSION_EXPIRED: {
    ...release,
    title: 'A suppression whose last day has passed',
    why: 'It was granted until then; what it hid counts again.',
    example: '"expires": "2026-01-31" in February',
    mend: 'Mend what it hides, or decide anew and write the new day.',
  },
  SUPPRESSION_UNUSED: {
    ...release,
    severity: 'warning',
    title: 'A suppression that hides nothing',
    why: 'The finding was mended; the line would hide the next one.',
    example: 'a rule that finds nothing in the subject any more',
    mend: 'Remove it.',
  },
} as const satisfies Record<string, CatalogueRule>

/** The id of a rule of this file. */
export type LintRuleId = keyof typeof lintRules

/** Every rule there is, by id. */
export const ruleCatalogue: ReadonlyMap<string, CatalogueRule> = new Map<string, CatalogueRule>([
  ...Object.entries(rules),
  ...Object.entries(lintRules),
])
