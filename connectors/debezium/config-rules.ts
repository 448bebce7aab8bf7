/**
 * What must hold for the configuration of a capturing connector, so that Waybill reads what was written: each rule
 * with its reason. Most are about changes that would be lost, guessed at or leaked without anybody noticing.
 */
import { type ConnectorConfig, isReference, isSecretSetting } from './connector-config.ts'

/** One thing that is wrong. `refused`: it is not applied. `advice`: it works, at a price. */
export interface RuleFinding {
  readonly severity: 'refused' | 'advice'
  readonly setting: string
  readonly what: string
  readonly mend: string
}

type Rule = (config: ConnectorConfig) => readonly RuleFinding[]

const connectorClasses = {
  mariadb: 'io.debezium.connector.mariadb.MariaDbConnector',
  mysql: 'io.debezium.connector.mysql.MySqlConnector',
  postgresql: 'io.debezium.connector.postgresql.PostgresConnector',
} as const

/** Holds one configuration to all rules. */
export const checkConfig = (config: ConnectorConfig): readonly RuleFinding[] =>
  rules.flatMap((rule) => rule(config))

const refused = (setting: string, what: string, mend: string): RuleFinding => ({
  severity: 'refused',
  setting,
  what,
  mend,
})
const advice = (setting: string, what: string, mend: string): RuleFinding => ({
  severity: 'advice',
  setting,
  what,
  mend,
})

/** A rule about one setting: what is found where `isWrong`; the connector's default counts where it is not set. */
function about(
  setting: string,
  defaultValue: string,
  isWrong: (value: string) => boolean,
  finding: (value: string) => RuleFinding,
): Rule {
  return (config) => {
    const value = config[setting] ?? defaultValue
    return isWrong(value) ? [finding(value)] : []
  }
}

const isPostgres = (config: ConnectorConfig): boolean =>
  config['connector.class'] === connectorClasses.postgresql

const rules: readonly Rule[] = [
  about(
    'connector.class',
    '',
    (value) => !Object.values<string>(connectorClasses).includes(value),
    (value) =>
      refused(
        'connector.class',
        `"${value}" is no connector whose rows are read here`,
        `use one of ${Object.values(connectorClasses).join(', ')}`,
      ),
  ),
  (config) =>
    Object.entries(config)
      .filter(([setting, value]) => isSecretSetting(setting) && value !== '' && !isReference(value))
      .map(([setting]) =>
        refused(
          setting,
          'holds a secret in clear, which Connect shows to everybody who asks it',
          `let the worker look it up: "\${env:NAME}" or "\${file:/path:key}"`,
        ),
      ),
  about('include.query', 'false', isTrue, () =>
    refused(
      'include.query',
      'puts the SQL text into every change, one-time passwords included',
      'set it to false',
    ),
  ),
  about(
    'errors.tolerance',
    'none',
    (value) => value === 'all',
    () => refused('errors.tolerance', 'all drops what cannot be converted without a word', 'set it to none'),
  ),
  about(
    'event.processing.failure.handling.mode',
    'fail',
    (value) => value !== 'fail',
    (value) =>
      refused(
        'event.processing.failure.handling.mode',
        `${value} goes on behind changes that it could not read`,
        'set it to fail; what stops is noticed',
      ),
  ),
  about(
    'skipped.operations',
    't',
    (value) => /\b[cud]\b/.test(value),
    (value) => refused('skipped.operations', `"${value}" leaves changes of orders out`, 'set it to none'),
  ),
  about(
    'skipped.operations',
    't',
    (value) => value !== 'none' && !/\b[cud]\b/.test(value),
    () => advice('skipped.operations', 'a truncated table goes unnoticed', 'set it to none'),
  ),
  about(
    'time.precision.mode',
    'adaptive',
    (value) => !value.startsWith('adaptive'),
    (value) =>
      refused(
        'time.precision.mode',
        `${value} writes times another way than the mapping says`,
        'set it to adaptive_time_microseconds (PostgreSQL: adaptive), or change the forms in source.yaml and leave this out',
      ),
  ),
  about(
    'heartbeat.interval.ms',
    '0',
    (value) => !(Number(value) > 0),
    () =>
      refused(
        'heartbeat.interval.ms',
        'without heartbeats the position stands still while other tables change, until the log behind it is gone',
        'set it to 5000',
      ),
  ),
  (config) =>
    Object.entries(config)
      .filter(([setting, value]) => /^transforms\..+\.type$/.test(setting) && reshaping.test(value))
      .map(([setting, value]) =>
        refused(
          setting,
          `${value} takes away what says which changes are events`,
          'leave this transform out',
        ),
      ),
  about(
    'poll.interval.ms',
    '500',
    (value) => !(Number(value) <= fastEnoughMs),
    (value) =>
      advice('poll.interval.ms', `${value} ms is the largest part of a change's way here`, 'set it to 10'),
  ),
  about(
    'decimal.handling.mode',
    'precise',
    (value) => value === 'double',
    () => advice('decimal.handling.mode', 'double rounds amounts of money', 'set it to string'),
  ),
  about(
    'snapshot.mode',
    'initial',
    (value) => value === 'always',
    () =>
      advice('snapshot.mode', 'always reads the whole table at every start', 'set it to no_data or initial'),
  ),
  (config) => {
    const setting = isPostgres(config) ? 'database.sslmode' : 'database.ssl.mode'
    const value = config[setting] ?? ''
    const strict = /^(require|verify)/.test(value) || value === 'trust'
    return strict
      ? []
      : [
          advice(
            setting,
            `${value === '' ? 'the default' : value} lets rows cross the network in clear`,
            'verify the server unless it is on the same machine',
          ),
        ]
  },
]

/** A commit is captured within about half of this. */
const fastEnoughMs = 100

/** `ExtractNewRecordState` loses before, op and source; `ReadToInsertEvent` turns a snapshot into new orders. */
const reshaping =
  /\.(ExtractNewRecordState|ReadToInsertEvent|ByLogicalTableRouter|ExtractChangedRecordState)$/

function isTrue(value: string): boolean {
  return value === 'true'
}

/** What no two connectors of a database server or a Kafka may share. */
const ownSettings: readonly { setting: string; why: string }[] = [
  { setting: 'database.server.id', why: 'the database server cuts the first of two readers with one id off' },
  { setting: 'slot.name', why: 'a slot has one reader' },
  { setting: 'schema.history.internal.kafka.topic', why: 'each reads the history of the other as its own' },
  { setting: 'topic.prefix', why: 'positions and heartbeats are kept under it' },
]

/** What several connectors share and must not. */
export function checkTogether(
  configs: ReadonlyMap<string, ConnectorConfig>,
): readonly (RuleFinding & { connector: string })[] {
  const found: (RuleFinding & { connector: string })[] = []
  for (const { setting, why } of ownSettings) {
    const first = new Map<string, string>()
    for (const [name, config] of configs) {
      const value = config[setting]
      if (value === undefined) continue
      const other = first.get(value)
      if (other === undefined) first.set(value, name)
      else {
        const what = `"${value}" is also that of ${other}: ${why}`
        found.push({ ...refused(setting, what, 'give it one of its own'), connector: name })
      }
    }
  }
  return found
}
