import { describe, expect, it } from 'vitest'
import { check, type Field, field, id, record } from './testing/subject-check.ts'

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
