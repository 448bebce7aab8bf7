import { describe, expect, it } from 'vitest'
import { isKnownZone, localTimeIn } from './local-time.ts'

const wall = (text: string) => Date.parse(`${text}Z`)
const inZone = (zone: string, text: string) => new Date(localTimeIn(zone)(wall(text))).toISOString()

describe('localTimeIn', () => {
  it('reads a wall clock in its zone', () => {
    expect(inZone('UTC', '2026-11-24T18:30:00.500')).toBe('2026-11-24T18:30:00.500Z')
    expect(inZone('+05:30', '2026-11-24T18:30:00.500')).toBe('2026-11-24T13:00:00.500Z')
    expect(inZone('Asia/Kolkata', '2026-11-24T18:30:00.500')).toBe('2026-11-24T13:00:00.500Z')
    expect(inZone('-0330', '2026-11-24T00:00:00')).toBe('2026-11-24T03:30:00.000Z')
  })

  it('knows summer time', () => {
    expect(inZone('Europe/Berlin', '2026-01-15T12:00:00')).toBe('2026-01-15T11:00:00.000Z')
    expect(inZone('Europe/Berlin', '2026-07-15T12:00:00')).toBe('2026-07-15T10:00:00.000Z')
  })

  it('takes a skipped time with the offset before, and the first of a doubled one', () => {
    // Berlin: 02:00 to 03:00 does not exist on 29 March 2026, and happens twice on 25 October.
    expect(inZone('Europe/Berlin', '2026-03-29T02:30:00')).toBe('2026-03-29T01:30:00.000Z')
    expect(inZone('Europe/Berlin', '2026-10-25T02:30:00')).toBe('2026-10-25T00:30:00.000Z')
    expect(inZone('Europe/Berlin', '2026-10-25T03:30:00')).toBe('2026-10-25T02:30:00.000Z')
  })

  it('holds at the edges of a year', () => {
    expect(inZone('America/New_York', '2025-12-31T23:59:59.999')).toBe('2026-01-01T04:59:59.999Z')
    expect(inZone('Asia/Kolkata', '1000-01-01T00:00:00')).toMatch(/^0999-12-31T18:/)
  })
})

describe('isKnownZone', () => {
  it('tells zones from other words', () => {
    expect(['UTC', '+05:30', 'Asia/Kolkata'].every(isKnownZone)).toBe(true)
    expect(['Asia/Kolkatta', 'IST+5', ''].some(isKnownZone)).toBe(false)
  })
})
