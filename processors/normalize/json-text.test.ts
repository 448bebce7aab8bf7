import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJsonExactly, replaceMembers } from './json-text.ts'

/** JSON with integers of any length; strings hold what could be taken for the structure around them. */
type Exact = null | boolean | number | string | bigint | Exact[] | { [name: string]: Exact }

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\\', '"', '\\"', '{"a":1}', ']', '9007199254740993', ':-12345678901234567,'),
)
const { exact } = fc.letrec<{ exact: Exact }>((tie) => ({
  exact: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Exact>(null, true, false),
    fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((number) => (number === 0 ? 0 : number)),
    fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }),
    // On both sides of what a double still holds.
    fc.bigInt({ min: 2n ** 53n - 9n, max: 2n ** 53n + 9n }),
    text,
    fc.array(tie('exact'), { maxLength: 4 }),
    fc.dictionary(text, tie('exact'), { maxKeys: 4 }),
  ),
}))

/** Writes it, with `space` wherever JSON allows some. */
function written(value: Exact, space: string): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts = Array.isArray(value)
    ? value.map((item) => written(item, space))
    : Object.entries(value).map(
        ([name, member]) => `${JSON.stringify(name)}${space}:${space}${written(member, space)}`,
      )
  const inside = parts.join(`${space},${space}`)
  return Array.isArray(value) ? `[${space}${inside}${space}]` : `{${space}${inside}${space}}`
}

/** What is read of it: integers that a double cannot hold as their digits. */
function asRead(value: Exact): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (Array.isArray(value)) return value.map(asRead)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asRead(member)]))
}

const spaces = fc.constantFrom('', ' ', '\n\t', '\r\n')

describe('JSON that is read exactly', () => {
  it('keeps every integer, and everything else as JSON.parse reads it (property)', () => {
    fc.assert(
      fc.property(exact, spaces, (value, space) => {
        expect(parseJsonExactly(written(value, space), () => true)).toEqual(asRead(value))
      }),
    )
  })
})

describe('JSON whose members are replaced', () => {
  it('loses what was picked, at any depth, and no other byte (property)', () => {
    const secret = fc.constantFrom('otp', 'o"tp', 'ot\\p')
    fc.assert(
      fc.property(
        fc.dictionary(text, exact, { maxKeys: 4 }),
        secret,
        exact,
        spaces,
        (row, name, value, space) => {
          const withSecret = (hidden: Exact) =>
            written({ ...row, inner: { before: 1, ...row, [name]: hidden, after: { [name]: 'x' } } }, space)
          const picked: string[] = []
          const replaced = replaceMembers(withSecret(value), (path, valueText) => {
            if (path.length === 1 && path[0] === 'inner') return 'descend'
            if (path.length !== 2 || path[1] !== name) return 'keep'
            picked.push(valueText())
            return { replaceBy: '"sealed"' }
          })
          expect(picked).toEqual([written(value, space)])
          expect(replaced).toBe(withSecret('sealed'))
        },
      ),
    )
  })
})
