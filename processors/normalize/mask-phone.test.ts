import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMaskedPhone, lastDigits, maskPhone } from './mask-phone.ts'

describe('maskPhone', () => {
  it.each([
    ['+919876543214', '+91 98xxx xx214'],
    ['9876543214', '+91 98xxx xx214'],
    ['098765 43214', '+91 98xxx xx214'],
    ['+91 (98765) 43-214', '+91 98xxx xx214'],
    ['９８７６５４３２１４', '+91 98xxx xx214'],
    ['+44 20 7946 0958', '+44 20 xxxx x958'],
    ['+1 (212) 555-0100 x9', '+1 21x xxx x100'],
  ])('%s → %s', (phone, masked) => {
    expect(maskPhone(phone, 'IN')).toBe(masked)
  })

  it.each([
    ['1234', 'xxxx'],
    ['12345', 'xxxxx'],
    ['+0', 'xx'],
    ['N/A', 'xxx'],
    ['call my brother, not me', 'xxxxxxxxxxxx'],
    ['+354 581 2345', 'xxxxxxxxxxx'], // seven national digits: five open ones would be most of it
  ])('%s is no phone that can be masked: all x', (phone, masked) => {
    expect(maskPhone(phone, 'IN')).toBe(masked)
  })

  it('takes blank text for no phone', () => {
    expect(maskPhone(null, 'IN')).toBeNull()
    expect(maskPhone('', 'IN')).toBeNull()
    expect(maskPhone('   ', 'IN')).toBeNull()
  })

  it('leaves what is masked as it is', () => {
    expect(maskPhone('+91 98xxx xx214', 'IN')).toBe('+91 98xxx xx214')
    expect(maskPhone('xxxx', 'IN')).toBe('xxxx')
  })

  it('never shows more than five digits of the national number, whatever stands in the column', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[+]?[0-9 ()x-]{0,20}$/)), (text) => {
        const masked = maskPhone(text, 'IN')
        if (masked === null) return
        const national = masked.replace(/^\+\d{1,3} /, '')
        expect(national.replace(/\D/g, '').length).toBeLessThanOrEqual(5)
        expect(maskPhone(masked, 'IN')).toBe(masked)
      }),
      { numRuns: 500 },
    )
  })
})

describe('isMaskedPhone', () => {
  it('does not take an extension for a mask', () => {
    expect(isMaskedPhone('+1 (212) 555-0100 x9')).toBe(false)
    expect(isMaskedPhone('+91 98765 43214')).toBe(false)
  })
})

describe('lastDigits', () => {
  it('gives three, or none where the number is short or unreadable', () => {
    expect(lastDigits('+919876543214', 'IN')).toBe('214')
    expect(lastDigits('12345', 'IN')).toBeNull()
    expect(lastDigits('N/A', 'IN')).toBeNull()
    expect(lastDigits(null, 'IN')).toBeNull()
  })
})
