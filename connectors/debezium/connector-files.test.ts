import { describe, expect, it } from 'vitest'
import { checkConfig, checkTogether } from './config-rules.ts'
import { isSecretSetting, shown } from './connector-config.ts'
import {
  type ConnectorFile,
  capturedDatabases,
  isUnreadable,
  readConnectorFile,
  shippedConnectorPaths,
} from './connector-files.ts'

const shipped = (database: (typeof capturedDatabases)[number]): ConnectorFile[] =>
  shippedConnectorPaths(database)
    .map(readConnectorFile)
    .flatMap((file) => (isUnreadable(file) ? [] : [file]))
const all = capturedDatabases.flatMap(shipped)
const [sample] = shipped('mariadb')
if (!sample) throw new Error('no connector ships')

const reference = (place: string): string => `$${'{'}${place}}`

const refusedBy = (changes: Record<string, string | undefined>): string[] => {
  const entries = Object.entries({ ...sample.config, ...changes })
  const config = Object.fromEntries(entries.flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))
  return checkConfig(config)
    .filter(({ severity }) => severity === 'refused')
    .map(({ setting }) => setting)
}

describe('the connectors that ship', () => {
  it('are two for each database, and pass every rule', () => {
    expect(all.map(({ name }) => name)).toEqual(
      capturedDatabases.flatMap((database) => [`${database}-assignments`, `${database}-orders`]),
    )
    for (const { config } of all) {
      expect(checkConfig(config).filter(({ severity }) => severity === 'refused')).toEqual([])
    }
    for (const database of capturedDatabases) {
      expect(checkTogether(new Map(shipped(database).map(({ name, config }) => [name, config])))).toEqual([])
    }
  })

  it('hold no secret and no host', () => {
    for (const { config } of all) {
      for (const [setting, value] of Object.entries(config)) {
        if (isSecretSetting(setting) || /hostname|port|user$|bootstrap/.test(setting)) {
          expect(value).toMatch(/^\$\{env:(OMS|DISPATCH|CDC)_\w+\}$/)
        }
      }
    }
  })

  it('take orders without a snapshot, and riders with one', () => {
    for (const { name, config } of all) {
      expect(config['snapshot.mode']).toBe(name.endsWith('orders') ? 'no_data' : 'initial')
    }
  })
})

describe('the rules', () => {
  it('each refuse what would lose, leak or reshape changes', () => {
    expect(refusedBy({})).toEqual([])
    expect(refusedBy({ 'connector.class': 'io.debezium.connector.oracle.OracleConnector' })).toEqual([
      'connector.class',
    ])
    expect(refusedBy({ 'database.password': 'hunter2' })).toEqual(['database.password'])
    expect(refusedBy({ 'database.password': `${reference('env:X')}hunter2` })).toEqual(['database.password'])
    expect(refusedBy({ 'producer.override.sasl.jaas.config': 'org… password="x";' })).toEqual([
      'producer.override.sasl.jaas.config',
    ])
    expect(refusedBy({ 'include.query': 'true' })).toEqual(['include.query'])
    expect(refusedBy({ 'errors.tolerance': 'all' })).toEqual(['errors.tolerance'])
    expect(refusedBy({ 'event.processing.failure.handling.mode': 'warn' })).toHaveLength(1)
    expect(refusedBy({ 'skipped.operations': 'd,t' })).toEqual(['skipped.operations'])
    expect(refusedBy({ 'time.precision.mode': 'connect' })).toEqual(['time.precision.mode'])
    expect(refusedBy({ 'heartbeat.interval.ms': undefined })).toEqual(['heartbeat.interval.ms'])
    expect(refusedBy({ 'transforms.x.type': 'io.debezium.transforms.ExtractNewRecordState' })).toEqual([
      'transforms.x.type',
    ])
  })

  it('advise on what only costs', () => {
    const advised = (changes: Record<string, string>) =>
      checkConfig({ ...sample.config, 'database.ssl.mode': 'verify-full', ...changes }).map(
        ({ setting }) => setting,
      )
    expect(advised({})).toEqual([])
    expect(advised({ 'poll.interval.ms': '500' })).toEqual(['poll.interval.ms'])
    expect(advised({ 'skipped.operations': 't' })).toEqual(['skipped.operations'])
    expect(advised({ 'decimal.handling.mode': 'double' })).toEqual(['decimal.handling.mode'])
    expect(advised({ 'snapshot.mode': 'always' })).toEqual(['snapshot.mode'])
    expect(advised({ 'database.ssl.mode': 'disable' })).toEqual(['database.ssl.mode'])
  })

  it('find what two connectors must not share', () => {
    const both = checkTogether(
      new Map([
        ['a', sample.config],
        ['b', sample.config],
      ]),
    )
    expect(both.map(({ connector, setting }) => `${connector} ${setting}`)).toEqual([
      'b database.server.id',
      'b schema.history.internal.kafka.topic',
      'b topic.prefix',
    ])
  })
})

describe('secrets', () => {
  it('are told by their names, and shown as where they are', () => {
    for (const name of [
      'database.password',
      'a.sasl.jaas.config',
      'x.ssl.keystore.password',
      'oauth.token',
      'client.secret',
    ]) {
      expect([name, isSecretSetting(name)]).toEqual([name, true])
    }
    for (const name of [
      'database.user',
      'message.key.columns',
      'key.converter',
      'oauth.token.url',
      'ssl.key.path',
    ]) {
      expect([name, isSecretSetting(name)]).toEqual([name, false])
    }
    expect(shown('database.password', 'hunter2')).toBe('***')
    expect(shown('database.password', reference('file:/run/secrets/db:password'))).toBe(
      reference('file:/run/secrets/db:password'),
    )
    expect(shown('database.user', 'cdc')).toBe('cdc')
  })
})
