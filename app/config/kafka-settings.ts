/** Reads where Kafka is and how it lets us in. With brokers named, it is the record log; without, the embedded one is. */
import { readFileSync } from 'node:fs'
import type { KafkaSasl, KafkaTls } from '../../engine/index.ts'
import type { Problem } from '../cli/cli-error.ts'
import { readPemFile } from './pem-file.ts'
import type { GivenSecret } from './secret-settings.ts'
import { readSwitch, readWholeNumber, wrong } from './setting-values.ts'
import type { Given, GivenSetting } from './settings-file.ts'
import { kafkaDefaults } from './surroundings-defaults.ts'

/** Fits `openKafkaLog`, with what only a deployment on Kafka has to decide. */
export interface KafkaSettings {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls?: KafkaTls
  readonly sasl?: KafkaSasl
  /** Warm copies of each task's state on other instances. */
  readonly standbys: number
  /** Partitions of the topics that are keyed by order, and of all others that name none. */
  readonly partitions: number
  readonly endpointPartitions: number
  /** Copies of each partition; `undefined`: three, or as many as there are brokers. */
  readonly replicas: number | undefined
  /** `undefined`: made once and kept in the data directory. */
  readonly instanceId: string | undefined
}

/** The settings as they were given. */
export interface GivenKafka {
  /** From environment or file, already taken apart; `undefined`: nobody named any. */
  readonly brokers: { readonly names: readonly string[]; readonly given: GivenSetting } | undefined
  readonly of: (key: Exclude<keyof typeof kafkaDefaults, 'brokers' | 'password_file'>) => Given
  readonly password: GivenSecret | undefined
  /** Absolute. */
  readonly pathOf: (given: GivenSetting) => string
}

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const
const partitionsMax = 1000
const idPattern = /^[A-Za-z0-9._-]{1,100}$/

/** `undefined`: the embedded log is used. */
export function readKafka(given: GivenKafka, problems: Problem[]): KafkaSettings | undefined {
  if (!given.brokers) return undefined
  const count = (
    key: Parameters<GivenKafka['of']>[0],
    limits: { min: number; max: number },
    fallback: number,
  ) => readWholeNumber(given.of(key), { ...limits, fallback }, problems)
  const tls = readTls(given, problems)
  const sasl = readSasl(given, problems)
  const replicas = given.of('replicas')
  return Object.freeze({
    brokers: readBrokers(given.brokers, problems),
    clientId: readId(given.of('client_id'), problems) ?? kafkaDefaults.client_id,
    ...(tls !== undefined && { tls }),
    ...(sasl && { sasl }),
    standbys: count('standbys', { min: 0, max: 3 }, kafkaDefaults.standbys),
    partitions: count('partitions', { min: 1, max: partitionsMax }, kafkaDefaults.partitions),
    endpointPartitions: count(
      'endpoint_partitions',
      { min: 1, max: partitionsMax },
      kafkaDefaults.endpoint_partitions,
    ),
    replicas: replicas && count('replicas', { min: 1, max: 9 }, 3),
    instanceId: readId(given.of('instance_id'), problems),
  })
}

function readBrokers(
  { names, given }: NonNullable<GivenKafka['brokers']>,
  problems: Problem[],
): readonly string[] {
  const sound = names.filter((name) => {
    const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(name)?.[1])
    return port > 0 && port < 65_536
  })
  if (sound.length === names.length && names.length > 0) return names
  problems.push(wrong(given, 'does not name brokers', 'write them like broker-1.internal:9092'))
  return sound
}

function readId(given: Given, problems: Problem[]): string | undefined {
  if (given === undefined || idPattern.test(given.text)) return given?.text
  problems.push(wrong(given, 'is no name', 'write up to 100 letters, digits, dots, dashes and underscores'))
  return undefined
}

function readTls(given: GivenKafka, problems: Problem[]): KafkaTls | undefined {
  const files = [given.of('ca_file'), given.of('cert_file'), given.of('key_file')] as const
  const serverName = given.of('server_name')
  if (!readSwitch(given.of('tls'), kafkaDefaults.tls, problems)) {
    const pointless = [...files, serverName].find((setting) => setting !== undefined)
    if (pointless) problems.push(aside(pointless, 'has no effect', 'set kafka.tls to true'))
    return undefined
  }
  const [, certFile, keyFile] = files
  const alone = certFile === undefined ? keyFile : keyFile === undefined ? certFile : undefined
  if (alone) problems.push(aside(alone, 'needs its other half', 'name both cert_file and key_file'))
  const [ca, cert, key] = files.map(
    (setting) => setting && readPemFile(setting.name, given.pathOf(setting), problems),
  )
  if (ca === undefined && cert === undefined && serverName === undefined) return true
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName && { servername: serverName.text }),
  }
}

function readSasl(given: GivenKafka, problems: Problem[]): KafkaSasl | undefined {
  const sasl = given.of('sasl')
  const username = given.of('username')
  if (sasl === undefined) {
    if (username)
      problems.push(aside(username, 'has no effect', `set kafka.sasl to ${mechanisms.join(', ')}`))
    return undefined
  }
  const mechanism = mechanisms.find((known) => known === sasl.text.toLowerCase())
  if (mechanism === undefined) {
    problems.push(wrong(sasl, 'is no way to log in', `choose from ${mechanisms.join(', ')}`))
    return undefined
  }
  if (mechanism === 'oauthbearer') return readOauth(given, sasl, problems)
  if (username && given.password) return { mechanism, username: username.text, password: given.password.text }
  const lacks = username ? 'a password' : 'a user'
  const mend = username
    ? 'name kafka.password_file, or set WAYBILL_KAFKA_PASSWORD'
    : 'write kafka.username, or set WAYBILL_KAFKA_USERNAME'
  problems.push(aside(sasl, `${sasl.text} lacks ${lacks}`, mend))
  return undefined
}

/** Whoever renews the token writes it into the file; each connection reads it again. */
function readOauth(given: GivenKafka, sasl: GivenSetting, problems: Problem[]): KafkaSasl | undefined {
  const file = given.of('oauth_token_file')
  if (!file) {
    problems.push(aside(sasl, 'oauthbearer lacks a token', 'name kafka.oauth_token_file'))
    return undefined
  }
  const path = given.pathOf(file)
  return {
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => ({ value: readFileSync(path, 'utf8').trim() }),
  }
}

const aside = (given: GivenSetting, what: string, mend: string): Problem => ({
  what: `${given.name} ${what}`,
  mend,
  ...(given.place && { place: given.place }),
})
