/** The sealed texts of a partner's config: all of them in one place, for what is done to every one. */
import type { PartnerConfig, Sealer } from '../../schemas/index.ts'

/** Every sealed text of a config through `change`, in place of which its answer stands. */
function mapSealed(config: PartnerConfig, change: (sealed: string) => string): PartnerConfig {
  return {
    ...config,
    endpoints: config.endpoints.map((endpoint) => ({
      ...endpoint,
      secrets: endpoint.secrets.map(change),
      signing_keys: endpoint.signing_keys.map((key) => ({ ...key, secret: change(key.secret) })),
      headers: endpoint.headers.map(({ name, value }) => ({ name, value: change(value) })),
      client_certificate: endpoint.client_certificate && {
        ...endpoint.client_certificate,
        private_key: change(endpoint.client_certificate.private_key),
      },
    })),
    notice_channels: config.notice_channels.map((channel) => ({
      ...channel,
      target: change(channel.target),
      secret: channel.secret === null ? null : change(channel.secret),
    })),
  }
}

type Resealer = Pick<Sealer, 'seal' | 'open' | 'isCurrent'>

/** The same config, what a former key sealed sealed anew. Settings outlive a sealing key. */
export const resealed = (config: PartnerConfig, { seal, open, isCurrent }: Resealer): PartnerConfig =>
  mapSealed(config, (sealed) => (isCurrent(sealed) ? sealed : seal(open(sealed))))

/** Whether all of it is sealed with the key that seals now. */
export function isFreshlySealed(config: PartnerConfig, { isCurrent }: Pick<Sealer, 'isCurrent'>): boolean {
  let fresh = true
  mapSealed(config, (sealed) => {
    fresh &&= isCurrent(sealed)
    return sealed
  })
  return fresh
}
