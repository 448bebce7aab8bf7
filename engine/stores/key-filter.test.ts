import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyFilter } from './key-filter.ts'

describe('a key filter', () => {
  it('finds every key that it holds, whatever came and went', () => {
    const keys = Array.from({ length: 3000 }, (_, n) => `delivery ${n}`)
    const step = fc.record({ from: fc.nat(2999), many: fc.nat(900), adds: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const filter = keyFilter()
        const held = new Set<string>()
        for (const { from, many, adds } of steps) {
          for (const key of keys.slice(from, from + many)) {
            if (held.has(key) === adds) continue
            if (adds) filter.add(key)
            else filter.remove(key)
            if (adds) held.add(key)
            else held.delete(key)
          }
        }
        expect(keys.filter((key) => held.has(key) && !filter.mayHold(key))).toEqual([])
        // Of three thousand, hardly one shares its 32 bits with another.
        expect(keys.filter((key) => !held.has(key) && filter.mayHold(key)).length).toBeLessThan(3)
      }),
    )
  })

  it('keeps a key whose twin leaves: two keys with the same hash have an entry each', () => {
    const [one, other] = twins()
    const filter = keyFilter()
    filter.add(one)
    expect(filter.mayHold(other)).toBe(true)
    filter.add(other)
    filter.remove(one)
    expect(filter.mayHold(other)).toBe(true)
    filter.remove(other)
    expect(filter.mayHold(other)).toBe(false)
  })

  it('refuses to remove what it does not hold', () => {
    expect(() => keyFilter().remove('k')).toThrow('k is not in the filter')
  })
})

/** Two keys that the filter cannot tell apart, found by looking. */
function twins(): [string, string] {
  for (let batch = 0; ; batch++) {
    const filter = keyFilter()
    const names = Array.from({ length: 100_000 }, (_, n) => `${batch}/${n}`)
    for (const name of names) {
      if (!filter.mayHold(name)) {
        filter.add(name)
        continue
      }
      const alone = names.find((candidate) => {
        const single = keyFilter()
        single.add(name)
        return candidate !== name && single.mayHold(candidate)
      })
      if (alone) return [alone, name]
    }
  }
}
