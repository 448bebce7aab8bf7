import { describe, expect, it } from 'vitest'
import { checkSubject } from './check-subject.ts'
import type { Finding, SubjectReport } from './finding.ts'
import type { Level } from './levels.ts'

type Field = Readonly<Record<string, unknown>>
const field = (name: string, type: unknown, more: Field = {}): Field => ({ name, type, ...more })
const record = (fields: readonly Field[], more: Field = {}) => ({
  type: 'record',
  name: 'Order',
  namespace: 'dev.waybill',
  fields,
  ...more,
})
const id = field('id', 'string')
const note = field('note', ['null', 'string'], { default: null })

/** Checks versions in order, each laid out over lines as `JSON.stringify` does. */
function check(level: Level, ...schemas: readonly unknown[]): SubjectReport {
  const versions = schemas.map((schema, index) => ({
    version: index + 1,
    file: `order/v${index + 1}.avsc`,
    text: typeof schema === 'string' ? schema : JSON.stringify(schema, null, 2),
  }))
  return checkSubject({ subject: 'order-value', level, versions })
}

const at = ({ place }: Finding) => `${place.file}:${place.line}:${place.column}`
const rulesOf = ({ findings }: SubjectReport) => findings.map(({ rule, since }) => `v${since} ${rule}`)

describe('a level', () => {
  const [plain, required, optional] = [
    record([id]),
    record([id, field('slot', 'string')]),
    record([id, field('slot', 'string', { default: '' })]),
  ]

  it.each([
    ['NONE', true, true],
    ['BACKWARD', false, true],
    ['FORWARD', true, false],
    ['FULL', false, false],
  ] as const)('%s takes what it should of a required field that comes and goes', (level, comes, goes) => {
    expect(check(level, plain, required).compatible).toBe(comes)
    expect(check(level, required, plain).compatible).toBe(goes)
    expect(check(level, plain, optional).compatible).toBe(true)
    expect(check(level, optional, plain).compatible).toBe(true)
  })

  it('without _TRANSITIVE compares with the version before, and with it with all', () => {
    // The default that made v2 possible is gone in v3: v3 reads v2, and not v1.
    const chain = [plain, optional, required] as const
    expect(check('BACKWARD', ...chain).compatible).toBe(true)
    const transitive = check('BACKWARD_TRANSITIVE', ...chain)
    expect(transitive.compatible).toBe(false)
    expect(transitive.findings).toMatchObject([
      {
        rule: 'FIELD_NO_DEFAULT',
        since: 3,
        breaks: [{ reader: 3, writer: 1 }],
        who: 'v3 readers fail on records of v1',
      },
    ])
  })

  it('finds one version alone, and a schema that did not change, in order', () => {
    expect(check('FULL_TRANSITIVE', plain)).toMatchObject({ compatible: true, findings: [], problems: [] })
    expect(check('FULL_TRANSITIVE', plain, plain)).toMatchObject({ compatible: true, findings: [] })
  })
})

describe('a finding', () => {
  it('says what breaks, where, since when, who breaks, what a registry would say and what to do', () => {
    const report = check(
      'FULL_TRANSITIVE',
      record([id]),
      record([id, note]),
      record([id, note, field('slot', 'long')]),
    )
    expect(report.findings).toEqual([
      {
        rule: 'FIELD_NO_DEFAULT',
        severity: 'error',
        subject: 'order-value',
        message: 'field "slot" is new and has no default',
        mend: 'write "type": ["null", "long"], "default": null',
        since: 3,
        direction: 'backward',
        breaks: [
          { reader: 3, writer: 1 },
          { reader: 3, writer: 2 },
        ],
        who: 'v3 readers fail on records of v1 and v2',
        field: 'slot',
        registry: { type: 'READER_FIELD_MISSING_DEFAULT_VALUE', path: '/fields/2', message: 'slot' },
        place: { file: 'order/v3.avsc', line: 18, column: 5, pointer: '/fields/2' },
        other: { file: 'order/v1.avsc', line: 5, column: 3, pointer: '/fields' },
      },
    ])
  })

  it('is one, told at the version that brought it, however many versions it concerns', () => {
    const gone = record([note])
    const report = check(
      'FORWARD_TRANSITIVE',
      record([id, note]),
      record([id, note, field('x', 'int')]),
      gone,
      gone,
    )
    expect(report.findings).toMatchObject([
      { rule: 'FIELD_REMOVED', since: 3, field: 'id', who: 'v1 and v2 readers fail on records of v3 and v4' },
      { rule: 'FIELD_REMOVED', since: 3, field: 'x', who: 'v2 readers fail on records of v3 and v4' },
    ])
  })

  it('names the true cause inside a nullable record, where a registry names the union', () => {
    const delivery = (fields: readonly Field[]) =>
      record([field('delivery', ['null', { type: 'record', name: 'Delivery', fields }])])
    const report = check('BACKWARD', delivery([id]), delivery([id, field('slot', 'string')]))
    expect(report.findings).toMatchObject([
      {
        rule: 'FIELD_NO_DEFAULT',
        message: 'field "delivery.slot" is new and has no default',
        place: { pointer: '/fields/0/type/1/fields/1', line: 18, column: 13 },
        registry: {
          type: 'MISSING_UNION_BRANCH',
          path: '/fields/0/type/1',
          message: 'reader union lacking writer type: RECORD',
        },
      },
    ])
  })

  it('recognises a renamed record inside a union', () => {
    const rider = (name: string) => record([field('rider', ['null', { type: 'record', name, fields: [id] }])])
    expect(check('BACKWARD', rider('Rider'), rider('Courier')).findings).toMatchObject([
      {
        rule: 'NAME_CHANGED',
        message: 'record dev.waybill.Rider is now record dev.waybill.Courier (field "rider")',
        mend: expect.stringContaining('"aliases": ["dev.waybill.Rider"]'),
      },
    ])
  })

  it('sees through types of the same words that refer to another type of the same name', () => {
    const node = (value: string) => ({
      type: 'record',
      name: 'Node',
      fields: [
        field('leaf', { type: 'record', name: 'Leaf', fields: [field('owner', ['null', 'Node'])] }),
        field('value', value),
      ],
    })
    // Leaf reads the same in both versions; what it points to is compared nowhere else.
    const before = record([field('root', node('int')), field('leaf', 'Leaf')])
    const after = record([field('other', ['null', node('string')], { default: null }), field('leaf', 'Leaf')])
    expect(check('BACKWARD', before, after).findings).toMatchObject([
      { rule: 'TYPE_CHANGED', field: 'leaf.owner.value' },
    ])
  })

  it('is the last only when only the newest version is asked about', () => {
    const versions = [
      record([id]),
      record([id, field('a', 'int')]),
      record([id, field('a', 'int'), field('b', 'int')]),
    ]
    const texts = versions.map((schema, index) => ({
      version: index + 1,
      file: `v${index + 1}.avsc`,
      text: JSON.stringify(schema),
    }))
    const input = { subject: 's', level: 'BACKWARD' as const, versions: texts }
    expect(rulesOf(checkSubject(input))).toEqual(['v2 FIELD_NO_DEFAULT', 'v3 FIELD_NO_DEFAULT'])
    expect(rulesOf(checkSubject({ ...input, newestOnly: true }))).toEqual(['v3 FIELD_NO_DEFAULT'])
  })
})

describe('each rule of resolution', () => {
  const enumOf = (symbols: readonly string[], more: Field = {}) =>
    record([field('reason', { type: 'enum', name: 'Reason', symbols, ...more })])
  const typed = (type: unknown, more: Field = {}) => record([field('x', type, more)])
  const fixed = (size: number) => typed({ type: 'fixed', name: 'Digest', size })

  it.each([
    ['TYPE_CHANGED', typed('int'), typed('string'), 'BACKWARD', '/fields/0/type', 7],
    ['TYPE_CHANGED', typed('int'), typed('string'), 'FORWARD', '/fields/0/type', 7],
    ['TYPE_NARROWED', typed('long'), typed('int'), 'BACKWARD', '/fields/0/type', 7],
    ['TYPE_WIDENED', typed('int'), typed('long'), 'FORWARD', '/fields/0/type', 7],
    ['TYPE_NARROWED', typed(['null', 'double']), typed(['null', 'int']), 'BACKWARD', '/fields/0/type', 7],
    ['TYPE_WIDENED', typed(['null', 'int']), typed(['null', 'double']), 'FORWARD', '/fields/0/type/1', 9],
    ['NAME_CHANGED', record([]), record([], { name: 'Purchase' }), 'BACKWARD', '/name', 3],
    ['FIXED_SIZE_CHANGED', fixed(4), fixed(8), 'FORWARD', '/fields/0/type/size', 9],
    ['FIXED_SIZE_CHANGED', fixed(4), fixed(8), 'BACKWARD', '/fields/0/type/size', 9],
    ['NAME_CHANGED', record([]), record([], { name: 'Purchase' }), 'FORWARD', '/name', 3],
    ['ENUM_SYMBOL_REMOVED', enumOf(['A', 'B']), enumOf(['A']), 'BACKWARD', '/fields/0/type/symbols', 9],
    ['ENUM_SYMBOL_ADDED', enumOf(['A']), enumOf(['A', 'B']), 'FORWARD', '/fields/0/type/symbols/1', 11],
    ['UNION_BRANCH_REMOVED', typed(['null', 'string']), typed('string'), 'BACKWARD', '/fields/0/type', 7],
    ['UNION_BRANCH_ADDED', typed('string'), typed(['null', 'string']), 'FORWARD', '/fields/0/type/0', 9],
    [
      'UNION_BRANCH_ADDED',
      typed(['null', 'int']),
      typed(['null', 'int', 'string']),
      'FORWARD',
      '/fields/0/type/2',
      9,
    ],
    [
      'FIELD_ALIAS_AMBIGUOUS',
      record([field('a', 'int'), field('b', 'int')]),
      record([field('c', 'int', { aliases: ['a', 'b'] })]),
      'BACKWARD',
      '/fields/0',
      5,
    ],
  ] as const)('%s is told at its place', (rule, before, after, level, pointer, column) => {
    const report = check(level, before, after)
    expect(report.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      { rule, place: { pointer, column, file: 'order/v2.avsc' } },
    ])
    expect(report.compatible).toBe(false)
  })

  it('lets an enum with a default lose and get symbols', () => {
    const open = (symbols: readonly string[]) => enumOf(symbols, { default: 'A' })
    expect(check('FULL', open(['A', 'B']), open(['A', 'C'])).findings).toEqual([])
  })

  it.each([
    [['null', 'string'], 'add "default": null'],
    [['string', 'null'], 'write "type": ["null", "string"], "default": null'],
    ['string', 'write "type": ["null", "string"], "default": null'],
    [{ type: 'array', items: 'string' }, 'add "default": []'],
    [{ type: 'map', values: 'string' }, 'add "default": {}'],
    [
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
      'write "type": ["null", {"type": "enum", "name": "E", "symbols": ["A", "B"]}], "default": null',
    ],
  ])('mends a missing default by its type: %j', (type, mend) => {
    const [found] = check('BACKWARD', record([id]), record([id, field('x', type)])).findings
    expect(found?.mend).toBe(mend)
  })
})

describe('what Avro does not look at', () => {
  const typed = (type: unknown, more: Field = {}) => record([field('x', type, more)])
  const decimal = (precision: number, scale: number) => ({
    type: 'bytes',
    logicalType: 'decimal',
    precision,
    scale,
  })
  const time = (unit: string) => ({ type: 'long', logicalType: unit })

  it.each([
    ['DECIMAL_SCALE_CHANGED', typed(decimal(10, 2)), typed(decimal(10, 4)), 'had scale 2 and has 4'],
    ['DECIMAL_PRECISION_CHANGED', typed(decimal(10, 2)), typed(decimal(8, 2)), 'had precision 10 and has 8'],
    [
      'TIMESTAMP_UNIT_CHANGED',
      typed(time('timestamp-millis')),
      typed(time('timestamp-micros')),
      'counted milliseconds and counts microseconds',
    ],
    [
      'LOGICAL_TYPE_CHANGED',
      typed(time('timestamp-millis')),
      typed('long'),
      'was "timestamp-millis" and is without one',
    ],
    [
      'LOGICAL_TYPE_CHANGED',
      typed(time('timestamp-millis')),
      typed(time('local-timestamp-millis')),
      'was "timestamp-millis"',
    ],
    ['DEFAULT_CHANGED', typed('int', { default: 1 }), typed('int', { default: 2 }), 'was 1 and is 2'],
    ['JS_LONG_UNSAFE', typed('int', { default: 1 }), typed('long', { default: 1 }), 'was int and is long'],
    [
      'JS_UNION_WRAPPED',
      typed(['null', 'string']),
      typed(['null', 'string', { type: 'enum', name: 'E', symbols: ['A'] }]),
      'decodes to {string: …} instead of the bare value',
    ],
  ])('%s is told, and a registry takes it', (rule, before, after, message) => {
    const report = check('BACKWARD', before, after)
    expect(report.compatible).toBe(true)
    const found = report.findings.find((finding) => finding.rule === rule)
    expect(found).toMatchObject({ rule, registry: undefined, place: { file: 'order/v2.avsc' } })
    expect(found?.message).toContain(message)
  })

  it('is found inside unions, lists and maps, and through an alias', () => {
    const deep = (scale: number, name: string, more: Field = {}) =>
      record([
        field(name, ['null', { type: 'array', items: { type: 'map', values: decimal(9, scale) } }], more),
      ])
    const report = check('BACKWARD', deep(2, 'old'), deep(3, 'new', { aliases: ['old'] }))
    expect(report.findings).toMatchObject([{ rule: 'DECIMAL_SCALE_CHANGED', field: 'new[]{}' }])
  })

  it('a changed namespace passes a registry and stops avsc', () => {
    const report = check('BACKWARD', record([id]), record([id], { namespace: 'com.waybill' }))
    expect(report).toMatchObject({ compatible: true, javascriptAgrees: false })
    expect(report.findings).toMatchObject([
      {
        rule: 'JS_RESOLVER_REFUSES',
        mend: 'put the namespace back: "dev.waybill"',
        place: { pointer: '/name', line: 3 },
      },
    ])
  })

  it('an ambiguous union is told once, at the version that brought it', () => {
    const numbers = record([id, field('n', ['null', 'int', 'double'], { default: null })])
    const report = check('FULL_TRANSITIVE', record([id]), numbers, numbers)
    expect(report.findings).toMatchObject([
      {
        rule: 'JS_UNION_AMBIGUOUS',
        since: 2,
        severity: 'warning',
        field: 'Order.n',
        place: { file: 'order/v2.avsc' },
      },
    ])
  })

  it('an empty enum is told: Java takes it, avsc does not load it', () => {
    const report = check('BACKWARD', typed({ type: 'enum', name: 'E', symbols: [] }))
    expect(rulesOf(report)).toEqual(['v1 JS_SCHEMA_REFUSED'])
  })
})

describe('a text that is no schema', () => {
  it('is reported with its place, and left out of the comparison', () => {
    const report = check('BACKWARD', record([id]), '{"type": "record"', record([id, field('x', 'int')]))
    expect(report.compatible).toBe(false)
    expect(report.problems).toMatchObject([
      { rule: 'JSON_SYNTAX', place: { file: 'order/v2.avsc', line: 1, column: 1 } },
    ])
    expect(rulesOf(report)).toEqual(['v3 FIELD_NO_DEFAULT'])
  })

  it('is missed when its number is', () => {
    const text = JSON.stringify(record([id]))
    const versions = [1, 3].map((version) => ({ version, file: `v${version}.avsc`, text }))
    expect(checkSubject({ subject: 's', level: 'FULL', versions })).toMatchObject({
      problems: [{ rule: 'VERSION_MISSING', message: 'v2 is missing before v3' }],
    })
  })
})

it('findings are in the order of versions and places', () => {
  const report = check(
    'FULL_TRANSITIVE',
    record([id, field('b', 'int'), field('a', 'int')]),
    record([id, field('b', 'string'), field('a', 'string')]),
    record([id, field('b', 'string'), field('a', 'string'), field('c', 'int')]),
  )
  expect(report.findings.map((finding) => `${finding.rule} ${at(finding)}`)).toEqual([
    'TYPE_CHANGED order/v2.avsc:12:7',
    'TYPE_CHANGED order/v2.avsc:12:7',
    'TYPE_CHANGED order/v2.avsc:16:7',
    'TYPE_CHANGED order/v2.avsc:16:7',
    'FIELD_NO_DEFAULT order/v3.avsc:18:5',
  ])
})
