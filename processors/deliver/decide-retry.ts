/** Decides what follows one request. Pure: sends nothing, reads no clock, knows no store. */
import { type OutcomeClass, outcomeClasses } from '../../ports/sender.ts'
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
  /** The reason is the class of the last outcome. */
  | { readonly kind: 'dead'; readonly reason: OutcomeClass }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }

export interface RetryQuestion {
  readonly outcome: OutcomeClass
  /** 0 when the first request of the round ended, n when its nth retry did. */
  readonly retryCount: number
  readonly retriesMax: number
  /** Somebody cancelled while the call was in flight. */
  readonly cancelRequested: boolean
  /** The endpoint as it is now, after what this outcome did to it. */
  readonly standing: EndpointStanding
}

/**
 * A success settles, whatever was asked for meanwhile: the partner has it. A failure is first answered by the
 * person who cancelled, then by the number of retries (a fourth failed request is dead, also when the endpoint has
 * been disabled: the retries are used up and people should see it), then by the endpoint: one that is disabled or
 * gone gets no more tickets. A paused one does: its retries wait in the queue when they come due.
 */
export function decideRetry(question: RetryQuestion): Decision {
  const { outcome, retryCount, retriesMax, cancelRequested, standing } = question
  if (outcomeClasses[outcome].acknowledged) return { kind: 'delivered' }
  if (cancelRequested) return { kind: 'skipped', reason: 'cancelled' }
  if (retryCount >= retriesMax) return { kind: 'dead', reason: outcome }
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
      return { kind: 'retry', retry: retryCount + 1 }
  }
}
