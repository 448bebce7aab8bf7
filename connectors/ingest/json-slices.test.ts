import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrayItems, objectMembers } from './json-slices.ts'

const indents = fc.constantFrom<string | undefined>(undefined, '  ', '\t')

describe('JSON taken apart', () => {
  it('gives the items of a list as they stood there (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), indents, (items, indent) => {
        const text = JSON.stringify(items, null, indent)
        const found = arrayItems(text)
        expect(found.map((item) => JSON.parse(item))).toEqual(JSON.parse(text))
        for (const item of found) expect(text).toContain(item)
      }),
    )
  })

  it('gives the members of an object by their names (property)', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), indents, (members, indent) => {
        const text = JSON.stringify(members, null, indent)
        const found = [...objectMembers(text)].map(([name, value]) => [name, JSON.parse(value)])
        expect(Object.fromEntries(found)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('keeps digits that a number would lose, and of two equal names the last', () => {
    expect(arrayItems(' [ 9007199254740993 , 1.10,"a]\\"" ]')).toEqual([
      '9007199254740993',
      '1.10',
      '"a]\\""',
    ])
    const twice = objectMembers('{"id":1, "i\\u0064" : 9007199254740993}')
    expect([...twice]).toEqual([['id', '9007199254740993']])
  })
})
