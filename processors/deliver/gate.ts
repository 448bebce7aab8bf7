/** Decides whether an endpoint may be called once more now, and from which pool. What it holds back only waits: no
 * attempt is used up. Pure. */
import { suspectPool, webhookPool } from '../../ports/sender.ts'
import { type Breaker, breakerState } from './breaker.ts'
import { allowedAt } from './rate-limit.ts'

export interface GateQuestion {
  /** Calls that are open. */
  readonly open: number
  readonly credits: number
  /** The endpoint's own bound. */
  readonly maxConcurrent: number
  readonly breaker: Breaker
  /** Its latest request got no answer. */
  readonly suspect: boolean
  readonly schedule: number
  readonly perSecond: number | null
  readonly now: number
}

export type Gate =
  /** `probe`: the oldest queued delivery goes, whatever its lane. */
  | { readonly kind: 'call'; readonly pool: string; readonly probe: boolean }
  /** `until`: when it is worth asking again; without, an open call has to end first, or the next sweep will do. */
  | { readonly kind: 'wait'; readonly why: 'breaker' | 'credit' }
  | { readonly kind: 'wait'; readonly why: 'rate'; readonly until: number }

/** One that does not answer gets one call at a time, and shares a small pool with its like. */
export function decideGate(question: GateQuestion): Gate {
  const { open, credits, maxConcurrent, breaker, suspect, schedule, perSecond, now } = question
  const state = breakerState(breaker, now)
  if (state === 'open') return { kind: 'wait', why: 'breaker' }
  // An endpoint that allows nothing at all would wait for ever without a word; that is what a pause is for.
  const most = suspect || state === 'half_open' ? 1 : Math.min(credits, Math.max(1, maxConcurrent))
  if (open >= most) return { kind: 'wait', why: 'credit' }
  const until = allowedAt(schedule, perSecond)
  if (until > now) return { kind: 'wait', why: 'rate', until }
  return { kind: 'call', pool: suspect ? suspectPool : webhookPool, probe: state === 'half_open' }
}
