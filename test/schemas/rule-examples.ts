/** For every rule of the catalogue the smallest folder of schemas that it finds something in. */
import { field, record } from '../../app/schemas/testing/schema-folder.ts'

/** Files by path; the command that finds it; what was committed before, where the rule is about that. */
export interface RuleExample {
  readonly files: Readonly<Record<string, string | object>>
  readonly command: 'check' | 'lint'
  /** Committed to git first, and then replaced by `files` entirely. */
  readonly before?: Readonly<Record<string, string | object>>
}

const folder = 'schemas/avro'
const path = (version: number, subject = 'orders-value'): string => `${folder}/${subject}/v${version}.avsc`

/** Two versions of a subject. */
const two = (before: object, after: object): RuleExample => ({
  command: 'check',
  files: { [path(1)]: before, [path(2)]: after },
})
/** A field that changes. */
const changed = (before: object, after: object): RuleExample => two(record([before]), record([after]))
/** One text. */
const one = (text: string | object): RuleExample => ({ command: 'check', files: { [path(1)]: text } })
const linted = (schema: object, more: Readonly<Record<string, object>> = {}): RuleExample => ({
  command: 'lint',
  files: { [path(1)]: schema, ...more },
})

const id = field('order_id', 'string')
const plain = record([id])
const enumOf = (symbols: readonly string[], more: object = {}) =>
  field('status', { type: 'enum', name: 'Status', doc: 'Where it stands.', symbols, ...more })
const decimal = (precision: number, scale: number) =>
  field('amount', { type: 'bytes', logicalType: 'decimal', precision, scale })
const time = (logicalType: string) => field('placed_at', { type: 'long', logicalType })
const nullable = (name: string, type: unknown, more: object = {}) =>
  field(name, ['null', type], { default: null, ...more })
const inner = (name: string) => field('rider', { type: 'record', name, doc: 'Who delivers.', fields: [id] })
const payload = (fields: readonly object[]) =>
  field('payload', { type: 'record', name: 'OrderPayload', doc: 'What partners get.', fields })
const text = (json: object) => JSON.stringify(json, null, 2)
const nested = (levels: number): string =>
  `${'{"type": "array", "items": '.repeat(levels)}"int"${'}'.repeat(levels)}`
const levels = (entry: object, subject = 'orders-value') => ({
  command: 'check' as const,
  files: { [path(1)]: plain, [`${folder}/levels.json`]: { subjects: { [subject]: entry } } },
})
const suppression = (more: object) => ({
  ...{ rule: 'FIELD_REMOVED', subject: 'orders-value', reason: 'nobody reads it', expires: '2026-12-31' },
  ...more,
})
const suppressing = (entry: object) => ({
  command: 'check' as const,
  files: { [path(1)]: plain, [`${folder}/lint.json`]: { suppressions: [entry] } },
})

/** By rule; a test holds the list to the catalogue. */
export const ruleExamples: Readonly<Record<string, RuleExample>> = {
  FIELD_NO_DEFAULT: two(plain, record([id, field('slot', 'string')])),
  FIELD_REMOVED: two(record([id, field('slot', 'string')]), plain),
  TYPE_CHANGED: changed(field('amount', 'int'), field('amount', 'string')),
  TYPE_NARROWED: changed(field('count', 'long'), field('count', 'int')),
  TYPE_WIDENED: changed(field('count', 'int'), field('count', 'long')),
  NAME_CHANGED: changed(inner('Rider'), inner('Courier')),
  FIXED_SIZE_CHANGED: changed(
    field('digest', { type: 'fixed', name: 'Digest', size: 16 }),
    field('digest', { type: 'fixed', name: 'Digest', size: 32 }),
  ),
  ENUM_SYMBOL_REMOVED: changed(enumOf(['PAID', 'VOID']), enumOf(['PAID'])),
  ENUM_SYMBOL_ADDED: changed(enumOf(['PAID', 'VOID']), enumOf(['PAID', 'VOID', 'REFUNDED'])),
  UNION_BRANCH_REMOVED: changed(nullable('note', 'string'), field('note', 'string', { default: '' })),
  UNION_BRANCH_ADDED: changed(field('note', 'string'), field('note', ['null', 'string'])),
  FIELD_ALIAS_AMBIGUOUS: two(
    record([nullable('mobile', 'string'), nullable('tel', 'string')]),
    record([nullable('phone', 'string', { aliases: ['mobile', 'tel'] })]),
  ),
  JS_RESOLVER_REFUSES: two(plain, record([id], { namespace: 'com.example' })),
  JS_SCHEMA_REFUSED: one(record([enumOf([])])),
  JS_UNION_WRAPPED: changed(
    nullable('note', 'string'),
    field('note', ['null', 'string', { type: 'enum', name: 'Code', doc: 'A code.', symbols: ['A'] }], {
      default: null,
    }),
  ),
  JS_UNION_AMBIGUOUS: one(record([field('count', ['null', 'int', 'long'], { default: null })])),
  JS_LONG_UNSAFE: changed(field('row', 'int'), field('row', 'long')),
  DECIMAL_SCALE_CHANGED: changed(decimal(10, 2), decimal(10, 4)),
  DECIMAL_PRECISION_CHANGED: changed(decimal(12, 2), decimal(8, 2)),
  TIMESTAMP_UNIT_CHANGED: changed(time('timestamp-millis'), time('timestamp-micros')),
  LOGICAL_TYPE_CHANGED: changed(time('timestamp-millis'), time('local-timestamp-millis')),
  DEFAULT_CHANGED: changed(
    field('currency', 'string', { default: 'INR' }),
    field('currency', 'string', { default: '' }),
  ),
  JSON_SYNTAX: one('{\n  "type": "record"\n  "name": "Order"\n}\n'),
  JSON_BOM: one(`\uFEFF${text(plain)}`),
  JSON_COMMENT: one(text(plain).replace('"doc"', '// an order\n  "doc"')),
  JSON_TRAILING_COMMA: one(text(plain).replace(/\]\n\}$/, '],\n}')),
  JSON_DUPLICATE_KEY: one(text(plain).replace('"doc"', '"doc": "One.",\n  "doc"')),
  JSON_TOO_DEEP: one(nested(1_001)),
  SCHEMA_TOO_LARGE: one(`{"type": "string", "doc": "${'x'.repeat(2 * 1024 * 1024)}"}`),
  SCHEMA_UNKNOWN_TYPE: one(record([field('placed_at', 'timestamp')])),
  SCHEMA_FORWARD_REFERENCE: one(record([field('first', 'Rider'), inner('Rider')])),
  SCHEMA_NAME_INVALID: one(record([field('order-id', 'string')])),
  SCHEMA_NAME_DUPLICATE: one(record([id, id])),
  SCHEMA_ATTRIBUTE_MISSING: one(record([field('items', { type: 'array' })])),
  SCHEMA_ATTRIBUTE_INVALID: one(record([field('digest', { type: 'fixed', name: 'Digest', size: '16' })])),
  SCHEMA_UNION_INVALID: one(record([field('note', ['null', 'string', 'string'])])),
  SCHEMA_DEFAULT_INVALID: one(record([field('note', ['string', 'null'], { default: null })])),
  SCHEMA_LOGICAL_TYPE_INVALID: one(
    record([field('placed_at', { type: 'string', logicalType: 'timestamp-millis' })]),
  ),
  VERSION_MISSING: { command: 'check', files: { [path(1)]: plain, [path(3)]: plain } },
  LEVEL_UNKNOWN: levels({ level: 'FULL_TRANSITIV' }),
  LEVEL_NONE_UNEXPLAINED: levels({ level: 'NONE' }),
  LEVEL_EXCEPTION_EXPIRED: levels({
    level: 'NONE',
    exception: { reason: 'rebuilt from the log', expires: '2026-11-24' },
  }),
  LINT_DOC_MISSING: linted(record([{ name: 'slot', type: ['null', 'string'], default: null }])),
  LINT_NULL_NOT_FIRST: linted(record([field('slot', ['string', 'null'])])),
  LINT_NULL_DEFAULT_MISSING: linted(record([field('slot', ['null', 'string'])])),
  LINT_ENUM_DEFAULT_MISSING: linted(record([enumOf(['PAID', 'VOID'])])),
  LINT_TIME_UNTYPED: linted(record([field('delivered_at', 'long')])),
  LINT_NAMESPACE: linted(record([id], { namespace: undefined })),
  LINT_NAMING: linted(record([field('orderId', 'string')])),
  PII_UNTAGGED: linted(record([nullable('customer_phone', 'string')])),
  PII_TAG_UNKNOWN: linted(record([nullable('customer_phone', 'string', { pii: 'sensitive' })])),
  PII_UNSEALABLE: linted(record([nullable('otp', 'int', { pii: 'secret' })]), {
    [`${folder}/lint.json`]: { secret_subjects: ['orders-value'] },
  }),
  PII_SECRET_SPREADS: linted(record([nullable('otp', 'string', { pii: 'secret' })])),
  VERSION_CHANGED: {
    command: 'check',
    before: { [path(1)]: plain },
    files: { [path(1)]: record([id, nullable('slot', 'string')]) },
  },
  VERSION_REMOVED: {
    command: 'check',
    before: { [path(1)]: plain, [path(1, 'riders-value')]: plain },
    files: { [path(1, 'riders-value')]: plain },
  },
  FIELD_RENAMED: two(
    record([nullable('city', 'string')]),
    record([nullable('town', 'string', { aliases: ['city'] })]),
  ),
  PAYLOAD_FIELD_BROKEN: {
    command: 'check',
    files: {
      [path(1, 'order.events-value')]: record([payload([id, nullable('order_ref', 'string')])]),
      [path(2, 'order.events-value')]: record([payload([id])]),
    },
  },
  SUPPRESSION_INVALID: suppressing(suppression({ reason: undefined })),
  SUPPRESSION_EXPIRED: suppressing(suppression({ expires: '2026-11-24' })),
  SUPPRESSION_UNUSED: suppressing(suppression({})),
}
