import { describe, expect, it } from 'vitest'
import { payloadVersions } from './render.ts'
import { answerVersionHeaders, versionHeaders } from './version-headers.ts'
import {
  brokenPromises,
  dayMs,
  type PayloadRelease,
  payloadReleases,
  retirementObstacles,
  standingOf,
} from './versions.ts'

const [v1, v2] = payloadReleases as readonly [PayloadRelease, PayloadRelease]
const broken = (releases: readonly PayloadRelease[], day = '2026-11-25', renderable = ['v1', 'v2']) =>
  brokenPromises({ releases, renderable, nowMs: dayMs(day) })

describe('the released versions', () => {
  it('keep the promise, and are those that can be rendered', () => {
    expect(broken(payloadReleases, '2026-11-25', [...payloadVersions])).toEqual([])
  })

  it.each<[string, Partial<PayloadRelease>, string]>([
    ['a sunset after eleven months', { sunset: '2027-11-30' }, 'less than 12 months'],
    ['a deprecation without sunset', { sunset: null }, 'said together'],
    ['a deprecation without successor', { successor: null }, 'said together'],
    ['a deprecation before the successor is there', { deprecated: '2026-11-21' }, 'before its successor'],
    ['a day that is none', { released: '2026-13-01' }, 'is no day'],
  ])('with %s break it', (_, change, words) => {
    expect(broken([{ ...v1, ...change }, v2])).toEqual([expect.stringContaining(words)])
  })

  it('cannot lose one before its sunset, but on it', () => {
    expect(broken(payloadReleases, '2027-11-30', ['v2'])).toEqual([
      'v1 cannot be rendered any more, and is promised until 2027-12-01',
    ])
    expect(broken(payloadReleases, '2027-12-01', ['v2'])).toEqual([])
    expect(broken(payloadReleases, '2040-01-01', ['v1'])).toEqual([
      'v2 cannot be rendered any more, and is promised without end',
    ])
  })

  it('list what is new before it can be rendered', () => {
    expect(broken(payloadReleases, '2026-11-25', ['v1', 'v2', 'v3'])).toEqual([
      expect.stringContaining('v3 can be rendered and was never released'),
    ])
  })

  it('count months to the end of short ones', () => {
    const leap = { ...v1, deprecated: '2028-02-29', sunset: '2029-02-28' }
    expect(broken([leap, v2])).toEqual([])
  })

  it('stand as their days say', () => {
    const days = ['2026-11-30', '2026-12-01', '2027-11-30', '2027-12-01']
    expect(days.map((day) => standingOf(v1, dayMs(day)))).toEqual([
      ...['current', 'deprecated', 'deprecated', 'past_sunset'],
    ])
    expect(standingOf(v2, dayMs('2099-01-01'))).toBe('current')
  })
})

describe('retiring a version', () => {
  const pins = [
    { partner: 'bharat', endpoint: 'bharat-main', version: 'v1' },
    { partner: 'acme', endpoint: 'acme-orders', version: 'v2' },
  ]
  const obstacles = (version: string, day: string, pinned = pins) =>
    retirementObstacles(version, { releases: payloadReleases, pins: pinned, nowMs: dayMs(day) })

  it('waits for its sunset and for everybody who pins it, and says who to tell what', () => {
    expect(obstacles('v1', '2027-01-01')).toEqual([
      'v1 is promised until 2027-12-01',
      'bharat pins v1 at its endpoint bharat-main; tell them to move to v2',
    ])
    expect(obstacles('v1', '2027-12-01')).toEqual([
      'bharat pins v1 at its endpoint bharat-main; tell them to move to v2',
    ])
    expect(obstacles('v1', '2027-12-01', pins.slice(1))).toEqual([])
  })

  it('is refused for what is not deprecated, and for what there never was', () => {
    expect(obstacles('v2', '2030-01-01', [])).toEqual([expect.stringContaining('not deprecated')])
    expect(obstacles('v9', '2030-01-01', [])).toEqual(['v9 was never released'])
  })
})

describe('the headers', () => {
  it('of a webhook name its version, and its dates once it is deprecated', () => {
    expect(versionHeaders('v2', dayMs('2030-01-01'))).toEqual({ 'waybill-payload-version': 'v2' })
    expect(versionHeaders('v1', dayMs('2026-12-01') - 1)).toEqual({ 'waybill-payload-version': 'v1' })
    expect(versionHeaders('v1', dayMs('2026-12-01'))).toEqual({
      'waybill-payload-version': 'v1',
      'waybill-payload-deprecation': '@1796083200',
      'waybill-payload-sunset': 'Wed, 01 Dec 2027 00:00:00 GMT',
      'waybill-payload-successor': 'v2',
    })
  })

  it('of an answer are those of RFC 9745 and RFC 8594, of the version that ends first', () => {
    expect(answerVersionHeaders(['v2'])).toEqual({})
    const headers = answerVersionHeaders(['v2', 'v1'])
    expect(headers.deprecation).toBe('@1796083200')
    expect(headers.sunset).toBe('Wed, 01 Dec 2027 00:00:00 GMT')
    expect(headers.link).toMatch(/rel="deprecation".*rel="sunset"/)
    // A sunset must not come before its deprecation.
    expect(Number(headers.deprecation?.slice(1)) * 1000).toBeLessThan(Date.parse(headers.sunset ?? ''))
  })
})
