/** The resolved settings as a run prints them at its start: secrets masked, and where each comes from. */
import type { Config } from './config.ts'
import { formatDuration } from './duration.ts'
import { roles } from './roles.ts'
import { maskUrl } from './secret-settings.ts'
import type { SettingPath } from './setting-defaults.ts'

/** One per line; `from` names who set it, where it is not the default. */
export interface DescribedSetting {
  readonly name: string
  readonly value: string
  readonly from: string | undefined
}

export function describeConfig(config: Config): DescribedSetting[] {
  const { origins, api, ingest, demo } = config
  const line = (name: string, value: string, ...settings: SettingPath[]): DescribedSetting => {
    const from = settings.flatMap((setting) => origins[setting] ?? [])
    return { name, value, from: from.length === 0 ? undefined : [...new Set(from)].join(', ') }
  }
  return [
    ...(config.configFile === undefined ? [] : [line('configuration', config.configFile)]),
    line('data directory', config.dataDirectory, 'data_dir'),
    line('record log', recordLogText(config), 'kafka.brokers', 'kafka.username', 'kafka.sasl', 'kafka.tls'),
    ...(config.registry ? [line('registry', config.registry.url, 'registry.url')] : []),
    ...(config.dispatch ? [line('dispatch', config.dispatch.address, 'dispatch.address')] : []),
    ...(config.roles.length < roles.length ? [line('roles', config.roles.join(', '), 'roles')] : []),
    line('key file', config.keyFile, 'key_file'),
    line('partners', config.partnersFile ?? (demo ? 'the demo’s' : 'as published before'), 'partners'),
    line('source mapping', config.sourceFile ?? 'the default', 'source'),
    demo
      ? line('demo', `${config.ratePerSecond} orders/s, seed ${config.seed}`, 'demo.rate', 'demo.seed')
      : line('demo', 'off'),
    line('changes', waysIn(config), 'ingest.folder', 'ingest.token_file', 'ingest.signing_secret_file'),
    line('calls at once', String(config.callsMax), 'calls_at_once'),
    line('webhooks to', egressText(config), 'egress.allow_http', 'egress.allowed_networks', 'egress.proxy'),
    line(
      'notices to',
      noticesText(config),
      'notices.webhook',
      'notices.email',
      'notices.smtp_url_file',
      'notices.partners',
    ),
    line('API', apiText(api), 'api.enabled', 'api.host', 'api.port', 'api.auth'),
    line('delivery log', deliveryLogText(config), 'delivery_log.database_url_file', 'delivery_log.keep'),
    line(
      'runs',
      config.durationMs === undefined ? 'until stopped' : `for ${formatDuration(config.durationMs)}`,
    ),
  ].filter(({ name }) => name !== 'changes' || !demo || hasWayIn(ingest))
}

const hasWayIn = ({ folder, tokens, signingSecrets }: Config['ingest']): boolean =>
  folder !== undefined || tokens.length + signingSecrets.length > 0

function recordLogText({ kafka }: Config): string {
  if (!kafka) return 'embedded'
  const who = kafka.sasl && 'username' in kafka.sasl ? `, as ${kafka.sasl.username} ***` : ''
  const how = kafka.sasl ? `, ${kafka.sasl.mechanism}` : ''
  return `Kafka at ${kafka.brokers.join(', ')}${kafka.tls === undefined ? '' : ', TLS'}${how}${who}`
}

function waysIn({ kafka, ingest: { folder, tokens, signingSecrets } }: Config): string {
  const ways = [
    ...(kafka ? ['what connectors write to Kafka'] : []),
    ...(tokens.length > 0 ? [`POST /ingest by ${counted(tokens.length, 'token')} ***`] : []),
    ...(signingSecrets.length > 0
      ? [`POST /ingest by ${counted(signingSecrets.length, 'signing secret')} ***`]
      : []),
    ...(folder === undefined ? [] : [`files in ${folder}`]),
  ]
  return ways.join(', ') || 'no way in'
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function egressText({ egress: { allowHttp, allowedNetworks, proxy } }: Config): string {
  const networks = allowedNetworks.length === 0 ? '' : ` and ${allowedNetworks.join(', ')}`
  const way = proxy ? `, by the proxy ${maskUrl(proxy.url)}` : ''
  return `${allowHttp ? 'http and https' : 'https'}, public addresses${networks}${way}`
}

function noticesText({ notices: { partners, webhook, email, smtp } }: Config): string {
  const ways = [
    ...(partners ? ['partners by their channels'] : []),
    ...(webhook ? [maskUrl(webhook.url)] : []),
    ...email,
  ]
  const server = smtp ? `, mails by ${maskUrl(smtp.url)}` : ''
  return `${ways.join(', ') || 'nobody'}${server}`
}

function apiText(api: Config['api']): string {
  if (!api) return 'off'
  const host = api.host.includes(':') ? `[${api.host}]` : api.host
  const who = api.tokens.length > 0 ? `, ${counted(api.tokens.length, 'token')} ***` : ''
  return `http://${host}:${api.port}${who}`
}

function deliveryLogText({ api, databaseUrl, keepMs }: Config): string {
  if (!api) return 'off'
  return `${databaseUrl === undefined ? 'embedded' : maskUrl(databaseUrl)}, ${formatDuration(keepMs)}`
}
