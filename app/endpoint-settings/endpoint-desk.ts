/** Says how endpoints are set up, from what is published, and pauses and resumes them by publishing that. */
import type { EndpointBody } from '../../api/contract/endpoints.ts'
import type { EndpointDesk } from '../../api/options.ts'
import type { Scope } from '../../ports/delivery-log.ts'
import type { Endpoint, PartnerConfig } from '../../schemas/index.ts'
import type { PartnerRegister } from '../pipeline/partner-register.ts'

export interface EndpointDeskOptions {
  /** What is published, by partner. */
  readonly partners: () => Promise<ReadonlyMap<string, PartnerConfig>>
  readonly register: PartnerRegister
}

type Refusal = 'no_such_endpoint' | 'endpoint_disabled'

export function createEndpointDesk({ partners, register }: EndpointDeskOptions): EndpointDesk {
  return {
    async list(scope) {
      const configs = [...(await partners()).values()].filter((config) => isIn(scope, config))
      return configs
        .flatMap((config) => config.endpoints.map((endpoint) => endpointBodyOf(config, endpoint)))
        .sort((one, other) => (one.endpoint_id < other.endpoint_id ? -1 : 1))
    },
    async setPaused({ scope, endpointId, paused }) {
      const { changed } = await register.change<{
        records: readonly PartnerConfig[]
        changed: EndpointBody | { readonly refused: Refusal }
      }>((published) => {
        const unchanged = (changed: EndpointBody | { readonly refused: Refusal }) => ({
          records: [],
          changed,
        })
        const config = published.find(
          (each) => isIn(scope, each) && each.endpoints.some(({ endpoint_id }) => endpoint_id === endpointId),
        )
        const before = config?.endpoints.find(({ endpoint_id }) => endpoint_id === endpointId)
        if (!config || !before) return unchanged({ refused: 'no_such_endpoint' })
        if (before.state === 'DISABLED') return unchanged({ refused: 'endpoint_disabled' })
        const after = withState(before, paused ? 'PAUSED' : 'ACTIVE')
        if (after === before) return unchanged(endpointBodyOf(config, before))
        const record = {
          ...config,
          version: config.version + 1,
          endpoints: config.endpoints.map((each) => (each === before ? after : each)),
        }
        return { records: [record], changed: endpointBodyOf(record, after) }
      })
      return changed
    },
  }
}

const isIn = ({ partnerId }: Scope, { partner_id }: PartnerConfig): boolean =>
  partnerId === null || partnerId === partner_id

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
