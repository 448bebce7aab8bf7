import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from './retry-after.ts'

const nowMs = Date.parse('2026-11-25T08:00:00Z')
const read = (value: string | undefined, date?: string) => parseRetryAfter(value, { date, nowMs })

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['Wed, 25 Nov 2026 08:02:00 GMT', 120_000],
    ['Wednesday, 25-Nov-26 08:02:00 GMT', 120_000],
    ['Wed, 25 Nov 2026 07:00:00 GMT', 0],
    ['99999999999999999999', 30 * 86_400_000],
  ])('%j is %i ms', (value, expected) => {
    expect(read(value)).toBe(expected)
  })

  it.each([undefined, '', '-5', '1.5', 'soon', '2 minutes', '120, 240', 'Wed, 99 Foo 2026'])(
    '%j is no wish',
    (value) => {
      expect(read(value)).toBeNull()
    },
  )

  it('is taken by the receiver’s own clock, where it says what that shows', () => {
    const anHourAhead = 'Wed, 25 Nov 2026 09:00:00 GMT'
    expect(read('Wed, 25 Nov 2026 09:02:00 GMT', anHourAhead)).toBe(120_000)
    expect(read('Wed, 25 Nov 2026 08:02:00 GMT', 'no date')).toBe(120_000)
  })

  it('is never negative, endless or no number, whatever stands there', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (value, date) => {
        const found = read(value, date)
        if (found === null) return
        expect(found).toBeGreaterThanOrEqual(0)
        expect(found).toBeLessThanOrEqual(30 * 86_400_000)
      }),
    )
  })
})
