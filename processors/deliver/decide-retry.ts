/** Decides what follows one request. Pure: sends nothing, reads no clock, knows no store. */
import { type OutcomeClass, type OutcomeTraits, outcomeClasses } from '../../ports/sender.ts'
import type { EndpointStanding } from './endpoint-standing.ts'

export type SkipReason =
  | 'cancelled'
  | 'too_old'
  | 'endpoint_disabled'
  | 'endpoint_auto_disabled'
  | 'endpoint_gone'

export type Decision =
  | { readonly kind: 'delivered' }
  /** `retry` counts from 1 and is also the tier's number. */
  | { readonly kind: 'retry'; readonly retry: number }
  /** Our own fault: the same request again, after the first tier's delay, and no retry is used up. */
  | { readonly kind: 'repeat' }
  /** The reason is the class of the last outcome. */
  | { readonly kind: 'dead'; readonly reason: OutcomeClass }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }

export interface RetryQuestion {
  readonly outcome: OutcomeClass
  /** How long the receiver asked to wait, if it did. */
  readonly retryAfterMs: number | null
  /** 0 when the first request of the round ended, n when its nth retry did. */
  readonly retryCount: number
  /** Delays of the retries that there are, in order; none for a request that is made once. */
  readonly delaysMs: readonly number[]
  /** Requests of this round that were repeated already because we were at fault. */
  readonly ownFaults: number
  /** Somebody cancelled while the call was in flight. */
  readonly cancelRequested: boolean
  /** The endpoint as it is now, after what this outcome did to it. */
  readonly standing: EndpointStanding
}

/** So often we may be at fault before it counts: ten minutes of a broken proxy. Everything must end somewhere. */
export const ownFaultsMax = 20

/**
 * A success settles, whatever was asked for meanwhile: the partner has it. A failure is first answered by the
 * person who cancelled, then by the number of retries (a fourth failed request is dead, also when the endpoint has
 * been disabled: the retries are used up and people should see it), then by the endpoint: one that is disabled or
 * gone gets no more tickets. A paused one does: its retries wait in the queue when they come due.
 */
export function decideRetry(question: RetryQuestion): Decision {
  const { outcome, retryCount, delaysMs, ownFaults, cancelRequested, standing } = question
  const traits: OutcomeTraits = outcomeClasses[outcome]
  if (traits.acknowledged) return { kind: 'delivered' }
  if (cancelRequested) return { kind: 'skipped', reason: 'cancelled' }
  const isFree = !traits.spendsRetry && ownFaults < ownFaultsMax && delaysMs.length > 0
  if (!isFree && retryCount >= delaysMs.length) return { kind: 'dead', reason: outcome }
  switch (standing.kind) {
    case 'disabled':
      return {
        kind: 'skipped',
        reason: standing.by === 'partner' ? 'endpoint_disabled' : 'endpoint_auto_disabled',
      }
    case 'gone':
      return { kind: 'skipped', reason: 'endpoint_gone' }
    case 'active':
    case 'paused':
    case 'unknown':
      if (!traits.retries) return { kind: 'dead', reason: outcome }
      return isFree ? { kind: 'repeat' } : { kind: 'retry', retry: nextRetry(question) }
  }
}

/**
 * The next retry whose tier lasts at least as long as the receiver asked for; those passed over count as used. One
 * that asks for more than the longest gets the longest.
 */
function nextRetry({ retryCount, delaysMs, retryAfterMs }: RetryQuestion): number {
  const hintMs = retryAfterMs ?? 0
  const fitting = delaysMs.findIndex((delayMs, index) => index >= retryCount && delayMs >= hintMs)
  return fitting < 0 ? delaysMs.length : fitting + 1
}
