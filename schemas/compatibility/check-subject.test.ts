import { describe, expect, it } from 'vitest'
import { checkSubject } from './check-subject.ts'
import { check, field, id, record, rulesOf } from './testing/subject-check.ts'

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

describe('the newest version', () => {
  it('is told about alone where that is asked for', () => {
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
