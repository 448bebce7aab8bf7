/** An endpoint as DELIVER sees it: the partner's part of its state and the system's, folded into one. */
import type { Endpoint, EndpointSystemState, PartnerConfig } from '../../schemas/index.ts'

export type EndpointStanding =
  | { readonly kind: 'active'; readonly endpoint: Endpoint; readonly configVersion: number }
  | { readonly kind: 'paused'; readonly endpoint: Endpoint; readonly configVersion: number }
  | {
      readonly kind: 'disabled'
      readonly by: 'partner' | 'system'
      readonly endpoint: Endpoint
      readonly configVersion: number
    }
  /** The partner is there, this endpoint is not. */
  | { readonly kind: 'gone'; readonly configVersion: number }
  /** The table holds no such partner: not yet, or no longer. */
  | { readonly kind: 'unknown' }

/** The partner's word is final where it says disabled; the system's own comes before a pause. */
export function endpointStanding(
  endpointId: string,
  system: EndpointSystemState | undefined,
  config: PartnerConfig | undefined,
): EndpointStanding {
  if (!config) return { kind: 'unknown' }
  const configVersion = config.version
  const endpoint = config.endpoints.find((candidate) => candidate.endpoint_id === endpointId)
  if (!endpoint) return { kind: 'gone', configVersion }
  if (endpoint.state === 'DISABLED') return { kind: 'disabled', by: 'partner', endpoint, configVersion }
  if (system && system.auto_disabled_at !== null) {
    return { kind: 'disabled', by: 'system', endpoint, configVersion }
  }
  return { kind: endpoint.state === 'PAUSED' ? 'paused' : 'active', endpoint, configVersion }
}
