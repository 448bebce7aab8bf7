import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keptCharactersMax, redact } from './redact.ts'

describe('what is kept of a response', () => {
  it('never holds a secret, wherever it stands and however long the text is', () => {
    const secret = 'K7-Q2'
    const filler = fc.string({ maxLength: 700, unit: fc.constantFrom('a', ' ', '9', '\n', 'é', 'K', '7') })
    fc.assert(
      fc.property(fc.array(filler, { maxLength: 5 }), (parts) => {
        const kept = redact(parts.join(secret), [secret])
        // Not even its beginning, where the text is cut.
        expect(kept).not.toContain('K7-')
        expect(kept.length).toBeLessThanOrEqual(keptCharactersMax)
      }),
    )
  })

  it('holds no long digit runs, but short numbers that explain something', () => {
    expect(redact('order 1101: code 42, phone 9812345214', [])).toBe('order 1101: code 42, phone xxxxxxxxxx')
  })

  it('an empty secret changes nothing', () => {
    expect(redact('text', [''])).toBe('text')
  })
})
