/** Decides whether a delivery whose turn has come is called, waits, or is skipped. Pure. */
import type { DeliveryBody, DeliveryStatus, Endpoint } from '../../schemas/index.ts'
import type { SkipReason } from './decide-retry.ts'
import type { EndpointStanding } from './endpoint-standing.ts'
import { tooOldAt } from './max-age.ts'

export type Turn =
  /** `notAfter`: when the call has not started by then, the answer would be another one. */
  | { readonly kind: 'call'; readonly endpoint: Endpoint; readonly notAfter: number }
  | { readonly kind: 'wait'; readonly why: 'paused' | 'config_behind' | 'config_unknown' }
  | { readonly kind: 'skip'; readonly reason: SkipReason }

export interface TurnQuestion {
  readonly body: Pick<DeliveryBody, 'event' | 'occurred_at' | 'config_version'>
  /** Asked for by a person, and so not subject to any maximum age. */
  readonly byHand: boolean
  /** Since when it is queued. */
  readonly since: number
  readonly standing: EndpointStanding
  readonly configPatienceMs: number
  readonly now: number
}

/** The last moment that a Date can hold: a request by hand never grows too old. */
const endOfTime = 8_640_000_000_000_000

/** Asked for by a person: this request, or the whole round. */
export const isByHand = ({ by_hand, trigger }: Pick<DeliveryStatus, 'by_hand' | 'trigger'>): boolean =>
  by_hand || trigger === 'MANUAL' || trigger === 'TEST'

/**
 * What an older config says decides nothing, not even a skip: the newer one that routed this may say otherwise.
 * A partner that the table does not hold at all may still arrive; after a while it is taken for gone.
 */
export function decideTurn(question: TurnQuestion): Turn {
  const { body, byHand, since, standing, configPatienceMs, now } = question
  const tooOld = (overrides?: Readonly<Record<string, number>>): boolean =>
    !byHand && now >= tooOldAt(body, overrides)

  if (standing.kind === 'unknown') {
    if (now - since >= configPatienceMs) return { kind: 'skip', reason: 'endpoint_gone' }
    return { kind: 'wait', why: 'config_unknown' }
  }
  if (standing.configVersion < body.config_version) {
    return tooOld() ? { kind: 'skip', reason: 'too_old' } : { kind: 'wait', why: 'config_behind' }
  }
  switch (standing.kind) {
    case 'gone':
      return { kind: 'skip', reason: 'endpoint_gone' }
    case 'disabled':
      return {
        kind: 'skip',
        reason: standing.by === 'partner' ? 'endpoint_disabled' : 'endpoint_auto_disabled',
      }
    case 'paused':
      return { kind: 'wait', why: 'paused' }
    case 'active': {
      const { endpoint } = standing
      if (tooOld(endpoint.max_age_ms)) return { kind: 'skip', reason: 'too_old' }
      const notAfter = byHand ? endOfTime : tooOldAt(body, endpoint.max_age_ms)
      return { kind: 'call', endpoint, notAfter }
    }
  }
}
