import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type OutcomeClass, outcomeClasses } from '../../ports/sender.ts'
import { type Decision, decideRetry, ownFaultsMax, type RetryQuestion } from './decide-retry.ts'
import type { EndpointStanding } from './endpoint-standing.ts'
import { endpoint } from './testing/builders.ts'

const active: EndpointStanding = { kind: 'active', endpoint: endpoint(), configVersion: 1 }
const disabled: EndpointStanding = { kind: 'disabled', by: 'partner', endpoint: endpoint(), configVersion: 1 }

const decide = (changes: Partial<RetryQuestion>): Decision =>
  decideRetry({
    outcome: 'http_5xx',
    retryCount: 0,
    retryAfterMs: null,
    delaysMs: [30_000, 120_000, 480_000],
    ownFaults: 0,
    cancelRequested: false,
    standing: active,
    ...changes,
  })

const classes = Object.keys(outcomeClasses) as OutcomeClass[]

describe('what follows a request', () => {
  it.each(classes)(
    '%s: what settles settles, what makes no sense to repeat is dead, the rest has three retries',
    (outcome) => {
      const { acknowledged, retries, spendsRetry } = outcomeClasses[outcome]
      const answers = [0, 1, 2, 3].map((retryCount) => decide({ outcome, retryCount }))
      const dead = { kind: 'dead', reason: outcome }
      if (acknowledged) expect(answers).toEqual(Array(4).fill({ kind: 'delivered' }))
      else if (!retries) expect(answers).toEqual(Array(4).fill(dead))
      else if (!spendsRetry) expect(answers).toEqual(Array(4).fill({ kind: 'repeat' }))
      else expect(answers).toEqual([...[1, 2, 3].map((retry) => ({ kind: 'retry', retry })), dead])
    },
  )

  it('a request that failed by our own fault uses up no retry, but not for ever', () => {
    expect(decide({ outcome: 'proxy', retryCount: 3, ownFaults: ownFaultsMax - 1 }).kind).toBe('repeat')
    expect(decide({ outcome: 'proxy', retryCount: 3, ownFaults: ownFaultsMax })).toEqual({
      kind: 'dead',
      reason: 'proxy',
    })
  })

  it.each([
    [0, 1, 1],
    [0, 30_000, 1],
    [0, 30_001, 2],
    [0, 120_001, 3],
    [0, 86_400_000, 3],
    [1, 1_000, 2],
    [1, 480_001, 3],
    [2, 1_000, 3],
  ])(
    'after retry %i, a receiver that asks for %i ms gets retry %i: a tier passed over is used up',
    (retryCount, retryAfterMs, retry) => {
      expect(decide({ outcome: 'http_429', retryCount, retryAfterMs })).toEqual({ kind: 'retry', retry })
    },
  )

  it('always ends: each answer is the next retry at least, no earlier than asked for where a tier is that long', () => {
    const delaysMs = [30_000, 120_000, 480_000]
    fc.assert(
      fc.property(
        fc.constantFrom(...classes),
        fc.nat(5),
        fc.option(fc.nat(1_000_000), { nil: null }),
        fc.nat(ownFaultsMax + 2),
        fc.boolean(),
        fc.constantFrom<EndpointStanding>(active, disabled, { kind: 'unknown' }),
        (outcome, retryCount, retryAfterMs, ownFaults, cancelRequested, standing) => {
          const question = {
            outcome,
            retryCount,
            retryAfterMs,
            ownFaults,
            cancelRequested,
            standing,
            delaysMs,
          }
          const decision = decideRetry(question)
          if (decision.kind === 'repeat') expect(ownFaults).toBeLessThan(ownFaultsMax)
          expect(decision.kind === 'delivered').toBe(outcomeClasses[outcome].acknowledged)
          if (decision.kind !== 'retry') return
          expect(decision.retry).toBeGreaterThan(retryCount)
          const delayMs = delaysMs[decision.retry - 1] ?? 0
          expect(delayMs >= (retryAfterMs ?? 0) || decision.retry === delaysMs.length).toBe(true)
        },
      ),
    )
  })

  it('a request that is made once is dead when it fails, whoever was at fault', () => {
    for (const outcome of ['http_5xx', 'proxy'] as const) {
      expect(decide({ outcome, delaysMs: [] })).toEqual({ kind: 'dead', reason: outcome })
    }
  })

  it('a success settles although somebody cancelled and the endpoint is disabled', () => {
    expect(
      decide({ outcome: 'acknowledged', cancelRequested: true, standing: disabled, retryCount: 3 }),
    ).toEqual({
      kind: 'delivered',
    })
  })

  it('a cancel comes before the number of retries, and that before the endpoint', () => {
    expect(decide({ cancelRequested: true, retryCount: 3, standing: disabled })).toEqual({
      kind: 'skipped',
      reason: 'cancelled',
    })
    expect(decide({ retryCount: 3, standing: disabled })).toEqual({ kind: 'dead', reason: 'http_5xx' })
    expect(decide({ standing: disabled })).toEqual({ kind: 'skipped', reason: 'endpoint_disabled' })
  })

  it('names who disabled the endpoint, or that it is gone', () => {
    expect(
      decide({ standing: { kind: 'disabled', by: 'system', endpoint: endpoint(), configVersion: 1 } }),
    ).toEqual({
      kind: 'skipped',
      reason: 'endpoint_auto_disabled',
    })
    expect(decide({ standing: { kind: 'gone', configVersion: 1 } })).toEqual({
      kind: 'skipped',
      reason: 'endpoint_gone',
    })
  })

  it('a paused endpoint, or one whose config is not there, keeps its retries', () => {
    expect(decide({ standing: { kind: 'paused', endpoint: endpoint(), configVersion: 1 } }).kind).toBe(
      'retry',
    )
    expect(decide({ standing: { kind: 'unknown' } }).kind).toBe('retry')
  })
})
