import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closedBreaker } from './breaker.ts'
import { decideRetry, ownFaultsMax } from './decide-retry.ts'
import { decideGate } from './gate.ts'
import { destination } from './lifecycle.ts'
import { matchRedrive } from './redrive-filter.ts'
import type { DeliverRules } from './rules.ts'
import { stories } from './testing/steps.ts'
import { tell } from './testing/story.ts'
import { decideTurn } from './turn.ts'

/** Every guard taken out in turn. If one of these passes unnoticed, the checks check nothing. */
const broken: Readonly<Record<string, Partial<DeliverRules>>> = {
  'repeats are accepted while the first one is held': { isRepeat: ({ isRemembered }) => isRemembered },
  'repeats are accepted once the first one is delivered': { isRepeat: ({ hasState }) => hasState },
  'tickets are taken whatever their generation': {
    isCurrent: (_ticket, status) => status?.phase === 'in_tier',
  },
  'credits have no limit': { decideGate: (question) => decideGate({ ...question, open: 0 }) },
  'one credit too many': { decideGate: (question) => decideGate({ ...question, open: question.open - 1 }) },
  'an open breaker is not seen': {
    decideGate: (question) => decideGate({ ...question, breaker: closedBreaker }),
  },
  'an endpoint that does not answer is called like any other': {
    decideGate: (question) => decideGate({ ...question, suspect: false }),
  },
  'a rate is not seen': { decideGate: (question) => decideGate({ ...question, perSecond: null }) },
  'a later event does not wait for an earlier one': { mustWait: () => false },
  'an older event is redriven late without a word': { mayComeLate: () => true },
  'a redrive of many sends late events without a word': {
    matchRedrive: (question) => matchRedrive({ ...question, isLate: false }),
  },
  'what the receiver asked for is not heard': {
    decideRetry: (question) => decideRetry({ ...question, retryAfterMs: null }),
  },
  'our own fault uses up a retry': {
    decideRetry: (question) => decideRetry({ ...question, ownFaults: ownFaultsMax }),
  },
  'a pause is not seen': {
    decideTurn: (question) => {
      const { standing } = question
      return decideTurn({
        ...question,
        standing: standing.kind === 'paused' ? { ...standing, kind: 'active' } : standing,
      })
    },
  },
  'an older config will do': {
    decideTurn: (question) => decideTurn({ ...question, body: { ...question.body, config_version: 0 } }),
  },
  'retries never end': {
    decideRetry: (question) => decideRetry({ ...question, delaysMs: [...question.delaysMs, 480_000] }),
  },
  'one retry is missing': {
    decideRetry: (question) => decideRetry({ ...question, delaysMs: question.delaysMs.slice(0, 2) }),
  },
  'an acknowledgement is taken for a failure': {
    decideRetry: (question) =>
      question.outcome === 'acknowledged' ? { kind: 'dead', reason: 'other_error' } : decideRetry(question),
  },
  'a failed one is taken for delivered': {
    destination: (phase, move) => (move === 'fail' ? 'delivered' : destination(phase, move)),
  },
  'a delivered one goes back into the queue': {
    destination: (phase, move) => (move === 'acknowledge' ? 'queued' : destination(phase, move)),
  },
  'a dead one is dropped': {
    destination: (phase, move) => (move === 'die' ? 'delivered' : destination(phase, move)),
  },
  'a call that made no request is dropped': {
    destination: (phase, move) => (move === 'return' ? 'delivered' : destination(phase, move)),
  },
  'a due ticket does not bring its delivery back': {
    destination: (phase, move) => (move === 'due' ? 'dead' : destination(phase, move)),
  },
}

describe('the invariants of DELIVER', () => {
  it('hold in random stories of deliveries, outcomes, commands, tickets, settings, time, aborts and restarts', () => {
    fc.assert(
      fc.property(stories, (steps) => tell(steps)),
      { numRuns: 300 },
    )
  })

  it('let a delivery be accepted anew that was forgotten, though a refused redrive was its last word', () => {
    const about = { which: 1, confirm: false } as const
    tell([
      { do: 'deliver', which: 1, newerConfig: false },
      { do: 'command', kind: 'CANCEL', ...about },
      { do: 'deliver', which: 3, newerConfig: false },
      { do: 'finish', which: 0, how: 'ok' },
      { do: 'commit' },
      { do: 'pass', ms: 7 * 24 * 3600 * 1000 },
      { do: 'abort' },
      { do: 'command', kind: 'REDRIVE', ...about },
      { do: 'sweep' },
      { do: 'deliver', which: 1, newerConfig: false },
    ])
  })

  it.each(Object.entries(broken))('are seen to break when %s', (_what, rules) => {
    const result = fc.check(
      fc.property(stories, (steps) => tell(steps, rules)),
      // The same stories every time: the question is whether the checks notice, not what else they find.
      { numRuns: 2000, seed: 20261122, endOnFailure: true },
    )
    expect(result.failed).toBe(true)
    expect(result.interrupted).toBe(false)
  })
})
