/**
 * What every setting is when nobody sets it, in the shape of the configuration file. `app/defaults/waybill.yaml`
 * explains them one by one; a test holds the two equal. The keys are also all that a file may hold.
 */
import { fileURLToPath } from 'node:url'
import { dispatchDefaults, kafkaDefaults, registryDefaults } from './surroundings-defaults.ts'
import { healthDefaults, noticeDefaults } from './watch-defaults.ts'

/** The commented reference of all settings. */
export const defaultSettingsFile = fileURLToPath(new URL('../defaults/waybill.yaml', import.meta.url))

/**
 * Where the API of the embedded product listens. 929 is W-A-Y on a telephone's keys; 8080 is where Debezium Server
 * listens, which is meant to run beside it, and nothing else of its surroundings (Kafka, registry, OpenSearch,
 * PostgreSQL, Prometheus, Grafana) listens here.
 */
export const defaultApiPort = 4929

export const settingDefaults = {
  data_dir: '.waybill',
  key_file: null,
  partners: null,
  source: null,
  format: 'text',
  calls_at_once: 128,
  roles: null,
  api: { enabled: true, host: '127.0.0.1', port: defaultApiPort, auth: 'tokens', tokens: [] },
  egress: { allow_http: false, allowed_networks: [], proxy: null, proxy_resolves_names: false },
  ingest: { folder: null, token_file: null, signing_secret_file: null },
  delivery_log: { database_url_file: null, keep: '30d' },
  health: healthDefaults,
  notices: noticeDefaults,
  kafka: kafkaDefaults,
  registry: registryDefaults,
  dispatch: dispatchDefaults,
  demo: { rate: 2, seed: 1 },
} as const

/** The groups of settings, and how a setting is addressed: `data_dir`, `api.port`. */
type Grouped = {
  [G in keyof typeof settingDefaults as (typeof settingDefaults)[G] extends object ? G : never]: unknown
}
export type SettingGroup = keyof Grouped
export type SettingPath =
  | Exclude<keyof typeof settingDefaults, SettingGroup>
  | { [G in SettingGroup]: `${G}.${keyof (typeof settingDefaults)[G] & string}` }[SettingGroup]
