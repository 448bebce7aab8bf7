import { describe, expect, it } from 'vitest'
import type { EndpointStanding } from './endpoint-standing.ts'
import { endpoint, startMs, status } from './testing/builders.ts'
import { decideTurn, isByHand, type Turn, type TurnQuestion } from './turn.ts'

const minuteMs = 60_000
const standing: EndpointStanding = { kind: 'active', endpoint: endpoint(), configVersion: 5 }

const decide = (changes: Partial<TurnQuestion>): Turn =>
  decideTurn({
    body: { event: 'out_for_delivery', occurred_at: startMs, config_version: 5 },
    byHand: false,
    since: startMs,
    standing,
    configPatienceMs: minuteMs,
    now: startMs,
    ...changes,
  })

describe('a delivery whose turn has come', () => {
  it('is called until it is too old: out_for_delivery for 30 minutes, others for 24 hours', () => {
    expect(decide({ now: startMs + 30 * minuteMs - 1 })).toMatchObject({
      kind: 'call',
      notAfter: startMs + 30 * minuteMs,
    })
    expect(decide({ now: startMs + 30 * minuteMs })).toEqual({ kind: 'skip', reason: 'too_old' })
    const body = { event: 'delivered', occurred_at: startMs, config_version: 5 }
    expect(decide({ body, now: startMs + 24 * 60 * minuteMs - 1 }).kind).toBe('call')
    expect(decide({ body, now: startMs + 24 * 60 * minuteMs })).toEqual({ kind: 'skip', reason: 'too_old' })
  })

  it('takes the endpoint’s own maximum age before the table’s', () => {
    const patient: EndpointStanding = {
      kind: 'active',
      endpoint: endpoint({ max_age_ms: { out_for_delivery: 90 * minuteMs } }),
      configVersion: 5,
    }
    expect(decide({ standing: patient, now: startMs + 89 * minuteMs }).kind).toBe('call')
    expect(decide({ standing: patient, now: startMs + 90 * minuteMs }).kind).toBe('skip')
  })

  it('is called whatever its age when asked for by hand', () => {
    expect(decide({ byHand: true, now: startMs + 400 * 24 * 60 * minuteMs }).kind).toBe('call')
    const byHand = [{ by_hand: true }, { trigger: 'MANUAL' }, { trigger: 'TEST' }] as const
    for (const asked of byHand) expect(isByHand(status(asked))).toBe(true)
    for (const trigger of ['FIRST', 'RETRY', 'REDRIVE'] as const)
      expect(isByHand(status({ trigger }))).toBe(false)
  })

  it('waits for the config that routed it, whatever the older one says', () => {
    const older: readonly EndpointStanding[] = [
      { ...standing, configVersion: 4 },
      { kind: 'gone', configVersion: 4 },
      { kind: 'disabled', by: 'partner', endpoint: endpoint(), configVersion: 4 },
    ]
    for (const old of older) expect(decide({ standing: old })).toEqual({ kind: 'wait', why: 'config_behind' })
  })

  it('may be sent under a newer config', () => {
    expect(decide({ standing: { ...standing, configVersion: 6 } }).kind).toBe('call')
  })

  it('waits while paused, is skipped when disabled or gone', () => {
    expect(decide({ standing: { kind: 'paused', endpoint: endpoint(), configVersion: 5 } }).kind).toBe('wait')
    expect(
      decide({ standing: { kind: 'disabled', by: 'system', endpoint: endpoint(), configVersion: 5 } }),
    ).toEqual({
      kind: 'skip',
      reason: 'endpoint_auto_disabled',
    })
    expect(decide({ standing: { kind: 'gone', configVersion: 5 } })).toEqual({
      kind: 'skip',
      reason: 'endpoint_gone',
    })
  })
})
