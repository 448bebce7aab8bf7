import { describe, expect, it } from 'vitest'
import { check, type Field, field, id, record, rulesOf } from './testing/subject-check.ts'

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
