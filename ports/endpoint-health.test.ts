import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EndpointHealth, WindowCounts } from '../schemas/index.ts'
import {
  ackRate,
  addCounts,
  faultOf,
  healthDefaults,
  healthWindow,
  noCounts,
  partnerHealth,
} from './endpoint-health.ts'

const counts = (changes: Partial<WindowCounts> = {}): WindowCounts => ({ ...noCounts, ...changes })

const health = (id: string, changes: Partial<EndpointHealth> = {}): EndpointHealth => ({
  ...healthDefaults,
  endpoint_id: id,
  partner_id: 'p1',
  at: 1000,
  state: 'healthy',
  reason: 'none',
  since: 0,
  version: 1,
  open: 0,
  consecutive_failures: 0,
  failing_since: null,
  last_success_at: null,
  last_failure_at: null,
  last_failure_class: null,
  auto_disabled_at: null,
  auto_disabled_reason: null,
  hour: healthWindow(noCounts),
  day: healthWindow(noCounts),
  week: healthWindow(noCounts),
  deadlines: {},
  ...changes,
})

describe('the acknowledgement rate', () => {
  it('leaves our own faults out, and says nothing about nothing', () => {
    expect(ackRate(counts({ attempts: 10, acknowledged: 9, failed: { http_5xx: 1 } }))).toBe(0.9)
    expect(ackRate(counts({ attempts: 10, acknowledged: 9, failed: { handler_failed: 1 } }))).toBe(1)
    expect(ackRate(counts({ attempts: 1, failed: { invalid_url: 1 } }))).toBeNull()
    expect(ackRate(noCounts)).toBeNull()
  })

  it('accuses nobody by a class that only a newer release knows', () => {
    expect(faultOf('teapot')).toBe('ours')
    expect(faultOf('toString')).toBe('ours')
    expect(faultOf('tls')).toBe('unreachable')
  })
})

describe('counts', () => {
  const anyCounts = fc.record({
    attempts: fc.nat(9),
    acknowledged: fc.nat(9),
    failed: fc.dictionary(fc.constantFrom('tls', 'dns', 'reset'), fc.integer({ min: 1, max: 9 }), {
      noNullPrototype: true,
    }),
    first_attempts: fc.nat(9),
    first_acknowledged: fc.nat(9),
    within_deadline: fc.nat(9),
    missed_by_partner: fc.nat(9),
    missed_by_us: fc.nat(9),
    durations: fc.array(fc.nat(9), { maxLength: 20 }),
  })

  it('add up in any order', () => {
    fc.assert(
      fc.property(anyCounts, anyCounts, anyCounts, (one, two, three) => {
        expect(addCounts(one, two)).toEqual(addCounts(two, one))
        expect(addCounts(addCounts(one, two), three)).toEqual(addCounts(one, addCounts(two, three)))
        expect(addCounts(one, noCounts)).toEqual(one)
      }),
      { verbose: true },
    )
  })
})

describe('the health of a partner', () => {
  const stateOf = (...healths: EndpointHealth[]) => {
    const { state, because } = partnerHealth(healths)
    return [state, because?.endpointId]
  }

  it('is that of its worst endpoint, which is named', () => {
    const atRisk = health('b', { state: 'at_risk', reason: 'ack_rate' })
    expect(stateOf(health('a'), atRisk, health('c', { state: 'failing' }))).toEqual(['failing', 'c'])
    expect(stateOf(health('a'), atRisk)).toEqual(['at_risk', 'b'])
    expect(stateOf(health('b'), health('a'))).toEqual(['healthy', 'a'])
    expect(stateOf(health('a', { state: 'unknown' }), health('b'))).toEqual(['healthy', 'b'])
    expect(stateOf(health('a', { state: 'unknown' }))).toEqual(['unknown', 'a'])
    expect(stateOf()).toEqual(['unknown', undefined])
  })

  it('leaves out what the partner switched off, and warns of what the system did', () => {
    const off = health('a', { state: 'disabled', reason: 'disabled_by_partner', consecutive_failures: 9 })
    const out = health('b', { state: 'disabled', reason: 'auto_disabled', auto_disabled_at: 1 })
    expect(stateOf(off, health('c'))).toEqual(['healthy', 'c'])
    expect(stateOf(off, out, health('c'))).toEqual(['at_risk', 'b'])
    expect(stateOf(off, out)).toEqual(['disabled', 'a'])
    expect(partnerHealth([off, health('c')]).consecutiveFailures).toBe(0)
  })

  it('adds up what its endpoints count, and takes the rate of the sum', () => {
    const busy = healthWindow(counts({ attempts: 90, acknowledged: 90 }))
    const broken = healthWindow(counts({ attempts: 10, failed: { tls: 10 } }))
    const verdicts = { within: 1, missed_by_partner: 2, missed_by_us: 3, excluded: 4 }
    const folded = partnerHealth([
      health('a', { at: 5, open: 3, hour: busy, last_success_at: 7, deadlines: { delivered: verdicts } }),
      health('b', { at: 4, open: 2, hour: broken, last_failure_at: 8, consecutive_failures: 10 }),
      health('c', { last_success_at: 6, deadlines: { delivered: verdicts, out_for_delivery: verdicts } }),
    ])
    expect(folded).toMatchObject({
      open: 5,
      consecutiveFailures: 10,
      lastSuccessAt: 7,
      lastFailureAt: 8,
      asOf: 4,
      hour: { attempts: 100, ack_rate: 0.9, failed: { tls: 10 } },
      day: { attempts: 0, ack_rate: null },
      deadlines: {
        delivered: { within: 2, missed_by_partner: 4, missed_by_us: 6, excluded: 8 },
        out_for_delivery: verdicts,
      },
      endpoints: { healthy: 3, at_risk: 0, failing: 0, disabled: 0, unknown: 0 },
    })
  })
})
