import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { describeConfig } from './describe-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-kafka-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function configured(yaml: string, env: Record<string, string> = {}) {
  const file = join(folder, `${files++}.yaml`)
  writeFileSync(file, yaml)
  return readConfig({ config: file, demo: false }, { env, cwd: folder })
}
const database = { WAYBILL_DATABASE_URL: 'postgres://waybill:w@db/waybill' }

describe('the settings of Kafka', () => {
  it('are absent without brokers: then the embedded log is used', () => {
    expect(configured('kafka: { client_id: me }').kafka).toBeUndefined()
  })

  it('take brokers from the file or from the environment', () => {
    expect(configured('kafka: { brokers: [one:9092, "[::1]:9093"] }', database).kafka).toEqual({
      brokers: ['one:9092', '[::1]:9093'],
      clientId: 'waybill',
      standbys: 1,
      partitions: 12,
      endpointPartitions: 24,
      replicas: undefined,
      instanceId: undefined,
    })
    const env = { ...database, WAYBILL_KAFKA_BROKERS: 'two:9092, three:9092' }
    expect(configured('kafka: { brokers: [one:9092] }', env).kafka?.brokers).toEqual([
      'two:9092',
      'three:9092',
    ])
  })

  it('take a login with its password from the environment, and never show it', () => {
    const env = { ...database, WAYBILL_KAFKA_PASSWORD: 'hunter2' }
    const config = configured('kafka: { brokers: [a:1], sasl: scram-sha-512, username: way }', env)
    expect(config.kafka?.sasl).toEqual({ mechanism: 'scram-sha-512', username: 'way', password: 'hunter2' })
    const shown = describeConfig(config).map(({ value }) => value)
    expect(shown).toContain('Kafka at a:1, scram-sha-512, as way ***')
    // Not "no way in": there, nothing has to be configured for changes to come.
    expect(shown).toContain('what connectors write to Kafka')
    expect(shown.join()).not.toContain('hunter2')
  })

  it('read an OAuth token anew for each connection', async () => {
    writeFileSync(join(folder, 'token'), 'first\n')
    const { kafka } = configured(
      'kafka: { brokers: [a:1], sasl: oauthbearer, oauth_token_file: token }',
      database,
    )
    if (kafka?.sasl?.mechanism !== 'oauthbearer') throw new Error('not read')
    expect(await kafka.sasl.oauthBearerProvider()).toEqual({ value: 'first' })
    writeFileSync(join(folder, 'token'), 'second\n')
    expect(await kafka.sasl.oauthBearerProvider()).toEqual({ value: 'second' })
  })

  it('say all that is wrong at once, each with its mend', () => {
    const yaml =
      'kafka: { brokers: [nowhere], sasl: kerberos, ca_file: ca.pem, standbys: 9, instance_id: "a b" }'
    expect(() => configured(yaml, database)).toThrow(
      new RegExp(
        [
          '"kafka.ca_file" has no effect .*set kafka.tls to true',
          '"kafka.sasl" "kerberos" is no way to log in .*choose from plain',
          '"kafka.brokers" "nowhere" does not name brokers',
          '"kafka.standbys" "9" will not do .*from 0 to 3',
          '"kafka.instance_id" "a b" is no name',
        ].join('[^]*'),
      ),
    )
    expect(() => configured('kafka: { brokers: [a:1], sasl: plain, username: me }', database)).toThrow(
      '"kafka.sasl" plain lacks a password',
    )
    expect(() => configured('kafka: { brokers: [a:1], tls: true, ca_file: none.pem }', database)).toThrow(
      'the file of "kafka.ca_file" cannot be read: ENOENT',
    )
  })

  it('need a PostgreSQL server for the delivery log, unless there is none', () => {
    expect(() => configured('kafka: { brokers: [a:1] }')).toThrow('no PostgreSQL server is named')
    expect(configured('{ kafka: { brokers: [a:1] }, api: { enabled: false } }').api).toBeUndefined()
    expect(configured('{ kafka: { brokers: [a:1] }, roles: "deliver" }').roles).toEqual(['deliver'])
  })
})

describe('roles', () => {
  it('are all, or those that are named', () => {
    const yaml = 'kafka: { brokers: [a:1] }'
    expect(configured(yaml, database).roles).toHaveLength(7)
    expect(configured(yaml, { ...database, WAYBILL_ROLES: 'watch,route' }).roles).toEqual(['route', 'watch'])
    expect(() => configured(yaml, { ...database, WAYBILL_ROLES: 'delivery' })).toThrow(
      'did you mean deliver?',
    )
  })

  it('cannot be shared out where nobody else is', () => {
    expect(() => configured('roles: deliver')).toThrow('nobody else could do the rest on the embedded log')
  })
})

describe('the settings of the registry', () => {
  it('keep credentials out of the address and of messages', () => {
    expect(configured('registry: { url: "http://reg:8081" }').registry).toEqual({ url: 'http://reg:8081' })
    const env = { WAYBILL_REGISTRY_PASSWORD: 'hunter2' }
    expect(configured('registry: { url: "http://reg:8081", username: me }', env).registry?.auth).toEqual({
      kind: 'basic',
      username: 'me',
      password: 'hunter2',
    })
    expect(() => configured('registry: { url: "http://me:hunter2@reg:8081" }')).toThrow(
      /^(?!.*hunter2).*is no address of a registry/,
    )
    expect(() => configured('registry: { url: "http://reg:8081", username: me }')).toThrow(
      'username has no password',
    )
  })
})
