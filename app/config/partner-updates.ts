/** What has to be published so that `partner.config` agrees with the partners as they are stated, and no more. */
import type { Endpoint, NoticeChannel, PartnerConfig, Sealer } from '../../schemas/index.ts'
import type { EndpointSettings, NoticeSettings, PartnerSettings } from './partner-settings.ts'
import { isFreshlySealed, resealed } from './sealed-config.ts'
import { hasStatedKeys, type MadeSecret, type RotationTools, rotateKeys } from './signing-rotation.ts'

export interface PartnerUpdates {
  /** To be appended to `partner.config`. */
  readonly records: readonly PartnerConfig[]
  /** To be told once, when the records are published. */
  readonly made: readonly MadeSecret[]
}

const states = { active: 'ACTIVE', paused: 'PAUSED', disabled: 'DISABLED' } as const
const noticeKinds = { webhook: 'WEBHOOK', email: 'EMAIL', sms: 'SMS' } as const

/**
 * The records to publish: partners that are new or differ from what is published, with the next version, partners
 * with something that a former sealing key sealed, and partners that are no longer stated, without endpoints (their
 * deliveries are skipped and kept). Nothing is published for a partner that is the same, so a restart does not make
 * versions grow.
 */
export function planPartnerUpdates(
  published: Iterable<PartnerConfig>,
  wanted: readonly PartnerSettings[],
  tools: RotationTools & { readonly sealer: Pick<Sealer, 'seal' | 'open' | 'isCurrent'> },
): PartnerUpdates {
  const current = new Map([...published].map((config) => [config.partner_id, config]))
  const records: PartnerConfig[] = []
  const made: MadeSecret[] = []
  for (const settings of wanted) {
    const before = current.get(settings.id)
    current.delete(settings.id)
    if (before && isSame(before, settings, tools.sealer) && isFreshlySealed(before, tools.sealer)) continue
    const endpoints = settings.endpoints.map((endpoint) => {
      const known = before?.endpoints.find(({ endpoint_id }) => endpoint_id === endpoint.id)
      const rotated = rotateKeys(endpoint, known, tools)
      if (rotated.made) made.push(rotated.made)
      return { ...toEndpoint(endpoint, rotated.keys, tools.sealer.seal), ...stateOf(endpoint, known) }
    })
    records.push({
      partner_id: settings.id,
      name: settings.name,
      version: (before?.version ?? 0) + 1,
      endpoints,
      notice_channels: (settings.notices ?? []).map((notice) => toChannel(notice, tools.sealer.seal)),
    })
  }
  for (const gone of current.values()) {
    if (gone.endpoints.length > 0) records.push({ ...gone, version: gone.version + 1, endpoints: [] })
  }
  return { records: records.map((record) => resealed(record, tools.sealer)), made }
}

type Seal = Sealer['seal']

/** Who paused or resumed an endpoint while everything ran is heard until the settings say something else than then. */
function stateOf(
  settings: EndpointSettings,
  before: Endpoint | undefined,
): Pick<Endpoint, 'state' | 'stated_state'> {
  const stated = states[settings.state]
  const isHeard = before !== undefined && before.stated_state === stated
  return isHeard ? { state: before.state, stated_state: stated } : { state: stated, stated_state: null }
}

const toEndpoint = (settings: EndpointSettings, keys: Endpoint['signing_keys'], seal: Seal): Endpoint => ({
  endpoint_id: settings.id,
  url: settings.url,
  state: states[settings.state],
  events: settings.events,
  payload_version: settings.version,
  secrets: [],
  signing_keys: keys,
  timeout_ms: settings.timeoutMs,
  max_concurrent: settings.maxConcurrent,
  max_age_ms: settings.maxAgeMs,
  acknowledge_on: settings.acknowledgeOn,
  headers: settings.headers.map(({ name, value }) => ({ name, value: seal(value) })),
  client_certificate: settings.clientCertificate && {
    certificate: settings.clientCertificate.certificate,
    private_key: seal(settings.clientCertificate.privateKey),
  },
  rate_per_second: settings.ratePerSecond,
  strict_order: settings.strictOrder,
  auto_redrive: settings.autoRedrive,
  stated_state: null,
})

const toChannel = ({ kind, target, secret }: NoticeSettings, seal: Seal): NoticeChannel => ({
  kind: noticeKinds[kind],
  target: seal(target),
  secret: secret === null ? null : seal(secret),
})

/** Whether a partner is published as it is stated. */
function isSame(before: PartnerConfig, settings: PartnerSettings, sealer: Pick<Sealer, 'open'>): boolean {
  if (before.endpoints.length !== settings.endpoints.length) return false
  const stated = settings.endpoints.map((endpoint) => ({
    ...toEndpoint(endpoint, [], identity),
    ...stateOf(
      endpoint,
      before.endpoints.find(({ endpoint_id }) => endpoint_id === endpoint.id),
    ),
  }))
  const keysAgree = settings.endpoints.every((endpoint) => {
    const known = before.endpoints.find(({ endpoint_id }) => endpoint_id === endpoint.id)
    return known !== undefined && hasStatedKeys(endpoint, known, sealer)
  })
  const channels = (settings.notices ?? []).map((notice) => toChannel(notice, identity))
  const was = clearText({ ...before, version: 0 }, sealer.open)
  const is = clearText(
    {
      partner_id: settings.id,
      name: settings.name,
      version: 0,
      endpoints: stated,
      notice_channels: channels,
    },
    identity,
  )
  return keysAgree && was === is
}

const identity = (text: string): string => text

/** Everything but version and signing keys, in one fixed order. Sealing is random, so secrets are compared in clear. */
function clearText(config: PartnerConfig, open: (secret: string) => string): string {
  return JSON.stringify([
    config.partner_id,
    config.name,
    config.endpoints.map((endpoint) => [
      endpoint.endpoint_id,
      endpoint.url,
      endpoint.state,
      endpoint.stated_state,
      endpoint.events,
      endpoint.payload_version,
      endpoint.timeout_ms,
      endpoint.max_concurrent,
      Object.entries(endpoint.max_age_ms).sort(([a], [b]) => (a < b ? -1 : 1)),
      endpoint.acknowledge_on,
      endpoint.headers.map(({ name, value }) => [name, open(value)]),
      endpoint.client_certificate && [
        endpoint.client_certificate.certificate,
        open(endpoint.client_certificate.private_key),
      ],
      endpoint.rate_per_second,
      endpoint.strict_order,
      endpoint.auto_redrive,
    ]),
    config.notice_channels.map(({ kind, target, secret }) => [kind, open(target), secret && open(secret)]),
  ])
}
