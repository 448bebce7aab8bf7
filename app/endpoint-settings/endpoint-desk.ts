/** Says how endpoints are set up, from what is published, and pauses and resumes them by publishing that. */
import type { EndpointBody } from '../../api/contract/endpoints.ts'
import type { EndpointDesk } from '../../api/options.ts'
import type { Endpoint, PartnerConfig } from '../../schemas/index.ts'
import type { PartnerRegister } from '../pipeline/partner-register.ts'
import { changeEndpoint, isIn } from './change-endpoint.ts'

export interface EndpointDeskOptions {
  /** What is published, by partner. */
  readonly partners: () => Promise<ReadonlyMap<string, PartnerConfig>>
  readonly register: PartnerRegister
}

export function createEndpointDesk({ partners, register }: EndpointDeskOptions): EndpointDesk {
  return {
    async list(scope) {
      const configs = [...(await partners()).values()].filter((config) => isIn(scope, config))
      return configs
        .flatMap((config) => config.endpoints.map((endpoint) => endpointBodyOf(config, endpoint)))
        .sort((one, other) => (one.endpoint_id < other.endpoint_id ? -1 : 1))
    },
    async setPaused({ paused, ...which }) {
      const changed = await changeEndpoint(register, which, (before) => {
        const isDisabled = before.state === 'DISABLED'
        const endpoint = isDisabled ? before : withState(before, paused ? 'PAUSED' : 'ACTIVE')
        return { endpoint, answer: { isDisabled } }
      })
      if (!changed) return { refused: 'no_such_endpoint' }
      if (changed.answer.isDisabled) return { refused: 'endpoint_disabled' }
      return endpointBodyOf(changed.config, changed.endpoint)
    },
  }
}

function withState(endpoint: Endpoint, state: Endpoint['state']): Endpoint {
  if (endpoint.state === state) return endpoint
  const stated = endpoint.stated_state ?? endpoint.state
  return { ...endpoint, state, stated_state: stated === state ? null : stated }
}

const states = { ACTIVE: 'active', PAUSED: 'paused', DISABLED: 'disabled' } as const

function endpointBodyOf({ partner_id, version }: PartnerConfig, endpoint: Endpoint): EndpointBody {
  const { endpoint_id, events, payload_version, timeout_ms, max_concurrent } = endpoint
  const { rate_per_second, strict_order, auto_redrive, max_age_ms } = endpoint
  return {
    ...{ endpoint_id, partner_id, url: withoutQuery(endpoint.url) },
    state: states[endpoint.state],
    stated_state: endpoint.stated_state && states[endpoint.stated_state],
    ...{ events: [...events], payload_version, timeout_ms, max_concurrent, rate_per_second },
    acknowledge_on: endpoint.acknowledge_on === 'ONLY_200' ? 'only_200' : 'any_2xx',
    ...{ strict_order, auto_redrive, max_age_ms: { ...max_age_ms } },
    headers: endpoint.headers.map(({ name }) => name),
    client_certificate: endpoint.client_certificate !== null,
    signing_keys: endpoint.signing_keys.map(({ key_id, kind, created_at, expires_at }) => ({
      key_id,
      kind: kind === 'ED25519' ? 'ed25519' : 'hmac',
      created_at: new Date(created_at).toISOString(),
      expires_at: expires_at === null ? null : new Date(expires_at).toISOString(),
    })),
    config_version: version,
  }
}

/** A token in it is the partner's own, but nobody's to read off a list. */
function withoutQuery(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
