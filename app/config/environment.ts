/** The environment variables that are read: all of them, and what each means. */
import type { Problem } from '../cli/cli-error.ts'
import { nearest } from '../cli/nearest.ts'

/** The reference, and what `--help` prints. */
export const environmentVariables = {
  WAYBILL_CONFIG: 'the configuration file (see app/defaults/waybill.yaml)',
  WAYBILL_DATA_DIR: 'the data directory (default .waybill)',
  WAYBILL_KEY_FILE: 'the file of sealing keys (default keys.json in the data directory)',
  WAYBILL_PARTNERS: 'partners.yaml: who receives webhooks',
  WAYBILL_SOURCE: 'source.yaml: how tables and columns become events',
  WAYBILL_RATE: 'new demo orders per second',
  WAYBILL_SEED: 'the seed of the demo',
  WAYBILL_HOST: 'where the API listens (default 127.0.0.1)',
  WAYBILL_PORT: 'the port of the API (default 4929)',
  WAYBILL_INGEST_FOLDER: 'a folder whose captured files are taken',
  WAYBILL_INGEST_TOKEN: 'bearer tokens for POST /ingest, separated by spaces',
  WAYBILL_INGEST_SECRET: 'signing secrets for POST /ingest, separated by spaces',
  WAYBILL_ALLOW_HTTP: 'true: webhooks may go to http:// addresses',
  WAYBILL_ALLOWED_NETWORKS: 'networks that webhooks may go to although they are not public, as CIDR',
  WAYBILL_EGRESS_PROXY: 'the HTTP proxy that webhooks leave by, credentials included',
  WAYBILL_NOTICE_SECRET: 'signs the notices to notices.webhook',
  WAYBILL_SMTP_URL: 'the mail server that notices leave by, smtp://user:password@host:587',
  WAYBILL_KAFKA_BROKERS: 'Kafka as the record log: brokers, separated by commas (default: the embedded log)',
  WAYBILL_KAFKA_USERNAME: 'who we are to Kafka',
  WAYBILL_KAFKA_PASSWORD: 'and how we prove it',
  WAYBILL_REGISTRY_URL: 'the schema registry (default: the schemas that ship)',
  WAYBILL_REGISTRY_PASSWORD: 'the password for the registry',
  WAYBILL_REGISTRY_TOKEN: 'a bearer token for the registry, instead',
  WAYBILL_DISPATCH_ADDRESS: 'the dispatch system that is asked for riders, over gRPC',
  WAYBILL_DISPATCH_TOKEN: 'the token that it is shown',
  WAYBILL_ROLES: 'which steps run in this process, e.g. deliver,watch (default: all)',
  WAYBILL_DATABASE_URL: 'a PostgreSQL server for the delivery log (default: embedded)',
  WAYBILL_FORMAT: 'text or json',
  WAYBILL_URL: 'where commands find a running Waybill',
  WAYBILL_TOKEN: 'the token that they show it',
  WAYBILL_CONNECT_URL: 'where waybill connectors finds Kafka Connect',
  WAYBILL_CONNECT_AUTH: 'user:password for Kafka Connect',
  WAYBILL_DEBUG: '1 shows stacks of internal errors',
} as const

export type Variable = keyof typeof environmentVariables

export type Environment = Readonly<Record<string, string | undefined>>

/** Whether a switch in the environment is on: anything but nothing, 0, false and no. */
export const isOn = (value: string | undefined): boolean =>
  value !== undefined && !['', '0', 'false', 'no'].includes(value.toLowerCase())

/** `WAYBILL_…` variables that nobody reads: a typing mistake would otherwise go unnoticed. */
export function unknownVariables(env: Environment): Problem[] {
  const known = Object.keys(environmentVariables)
  return Object.keys(env)
    .filter((name) => name.startsWith('WAYBILL_') && !known.includes(name))
    .map((name) => {
      const near = nearest(name, known)
      const mend = near === undefined ? 'it has no effect; see waybill start --help' : `did you mean ${near}?`
      return { what: `nobody reads the environment variable ${name}`, mend }
    })
}
