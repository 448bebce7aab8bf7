import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isRuleId, rules } from './rules.ts'

describe('the catalogue', () => {
  it.each(Object.entries(rules))('says of %s what, why, an example and the mend', (id, rule) => {
    expect(isRuleId(id)).toBe(true)
    expect(id).toMatch(/^[A-Z]+(_[A-Z]+)+$/)
    for (const text of [rule.title, rule.why, rule.example, rule.mend])
      expect(text.trim().length).toBeGreaterThan(10)
    expect(rule.title).not.toMatch(/\.$/)
    expect(rule.why).toMatch(/\.$/)
  })

  it('holds no rule that nothing reports', () => {
    const folder = new URL('.', import.meta.url)
    const code = readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('rules'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n')
    expect(Object.keys(rules).filter((id) => !code.includes(`'${id}'`))).toEqual([])
  })

  it('does not take the names of an object for rules', () => {
    expect(isRuleId('toString')).toBe(false)
    expect(isRuleId('NO_SUCH_RULE')).toBe(false)
  })
})
