import { describe, expect, it } from 'vitest'
import { checkLevelPolicy, parseLevelPolicy, strictPolicy } from './level-policy.ts'
import { covers, directionsOf, isLevel, isTransitive, levels } from './levels.ts'

const parse = (text: string) => parseLevelPolicy(text, 'levels.json')
const told = (text: string) =>
  parse(text).problems.map(({ rule, place }) => `${place.line}:${place.column} ${rule}`)

const exception = '{"reason": "rebuilt in one go", "expires": "2026-12-31"}'
const none = `{"subjects": {\n"a-value": {"level": "NONE", "exception": ${exception}}}}`

describe('the file of levels', () => {
  it('gives each subject its level, and all others the default', () => {
    const { policy, problems } = parse('{"default": "BACKWARD", "subjects": {"a-value": {"level": "FULL"}}}')
    expect(problems).toEqual([])
    expect([policy.levelOf('a-value'), policy.levelOf('b-value')]).toEqual(['FULL', 'BACKWARD'])
  })

  it('is FULL_TRANSITIVE where it says nothing', () => {
    expect(parse('{}').policy.levelOf('a-value')).toBe('FULL_TRANSITIVE')
    expect(strictPolicy.levelOf('a-value')).toBe('FULL_TRANSITIVE')
  })

  it.each([
    ['{"default": "BACKWARDS"}', '1:2 LEVEL_UNKNOWN'],
    ['{"default": "NONE"}', '1:2 LEVEL_NONE_UNEXPLAINED'],
    ['{"subjects": {\n"a-value": {}}}', '2:1 LEVEL_UNKNOWN'],
    ['{"subjects": {\n"a-value": {"level": "NONE"}}}', '2:1 LEVEL_NONE_UNEXPLAINED'],
    [
      '{"subjects": {\n"a-value": {"level": "NONE", "exception": {"reason": "x"}}}}',
      '2:1 LEVEL_NONE_UNEXPLAINED',
    ],
    ['{"subjects": {\n"a-value": "FULL"}}', '2:1 SCHEMA_ATTRIBUTE_INVALID'],
    ['{"subjects": {"a-value": {"level": "FULL"}, "a-value": {"level": "NONE"}}}', '1:45 JSON_DUPLICATE_KEY'],
    ['{', '1:1 JSON_SYNTAX'],
  ])('%j is refused at its place', (text, expected) => {
    expect(told(text)).toEqual([expected])
  })

  it('takes NONE with a reason and a last day, until that day is over', () => {
    const { policy, problems } = parse(none)
    expect(problems).toEqual([])
    expect(policy.levelOf('a-value')).toBe('NONE')
    expect(checkLevelPolicy(policy, ['a-value'], '2026-12-31')).toEqual([])
    expect(checkLevelPolicy(policy, ['a-value'], '2027-01-01')).toMatchObject([
      { rule: 'LEVEL_EXCEPTION_EXPIRED', place: { line: 2, column: 1 } },
    ])
  })

  it('finds a subject that there is not: its level would hold for nobody', () => {
    const { policy } = parse('{"subjects": {"order.event-value": {"level": "FULL"}}}')
    expect(checkLevelPolicy(policy, ['order.events-value'], '2026-11-25')).toMatchObject([
      { rule: 'LEVEL_UNKNOWN', message: 'there is no subject "order.event-value"' },
    ])
  })
})

describe('the levels', () => {
  it('are the seven of a registry', () => {
    expect(levels).toHaveLength(7)
    expect(levels.every(isLevel)).toBe(true)
    expect(isLevel('full')).toBe(false)
    expect(levels.filter(isTransitive)).toEqual([
      'BACKWARD_TRANSITIVE',
      'FORWARD_TRANSITIVE',
      'FULL_TRANSITIVE',
    ])
  })

  it('ask for their directions, and cover each other accordingly', () => {
    expect(levels.map((level) => directionsOf(level).join())).toEqual([
      '',
      'backward',
      'backward',
      'forward',
      'forward',
      'backward,forward',
      'backward,forward',
    ])
    expect(levels.filter((level) => covers('FULL_TRANSITIVE', level))).toEqual(levels)
    expect(levels.filter((level) => covers('BACKWARD', level))).toEqual(['NONE', 'BACKWARD'])
    expect(covers('FULL', 'BACKWARD_TRANSITIVE')).toBe(false)
  })
})
