import { describe, expect, it } from 'vitest'
import { type OutcomeClass, outcomeClasses } from '../../ports/sender.ts'
import { type Decision, decideRetry, type RetryQuestion } from './decide-retry.ts'
import type { EndpointStanding } from './endpoint-standing.ts'
import { endpoint } from './testing/builders.ts'

const active: EndpointStanding = { kind: 'active', endpoint: endpoint(), configVersion: 1 }
const disabled: EndpointStanding = { kind: 'disabled', by: 'partner', configVersion: 1 }

const decide = (changes: Partial<RetryQuestion>): Decision =>
  decideRetry({
    outcome: 'http_5xx',
    retryCount: 0,
    retriesMax: 3,
    cancelRequested: false,
    standing: active,
    ...changes,
  })

const classes = Object.keys(outcomeClasses) as OutcomeClass[]

describe('what follows a request', () => {
  it.each(classes)('%s: only an acknowledgement settles, every failure has three retries', (outcome) => {
    const acknowledged = outcomeClasses[outcome].acknowledged
    const answers = [0, 1, 2, 3].map((retryCount) => decide({ outcome, retryCount }))
    expect(answers).toEqual(
      acknowledged
        ? Array(4).fill({ kind: 'delivered' })
        : [
            { kind: 'retry', retry: 1 },
            { kind: 'retry', retry: 2 },
            { kind: 'retry', retry: 3 },
            { kind: 'dead', reason: outcome },
          ],
    )
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
    expect(decide({ standing: { kind: 'disabled', by: 'system', configVersion: 1 } })).toEqual({
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
