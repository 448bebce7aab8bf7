import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { healthRules, noticeRules } from '../../processors/watch/watch.ts'
import { type Flags, readConfig } from './config.ts'
import { describeConfig } from './describe-config.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { environmentVariables, unknownVariables } from './environment.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

const read = (flags: Flags = {}, env: Record<string, string> = {}) => readConfig(flags, { env, cwd: '/here' })

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(read()).toEqual({
      configFile: undefined,
      dataDirectory: '/here/.waybill',
      keyFile: '/here/.waybill/keys.json',
      demo: true,
      ratePerSecond: 2,
      seed: 1,
      partnersFile: undefined,
      sourceFile: undefined,
      durationMs: undefined,
      format: 'text',
      debug: false,
      kafka: undefined,
      registry: undefined,
      dispatch: undefined,
      roles: ['normalize', 'enrich', 'route', 'deliver', 'watch', 'log', 'api'],
      callsMax: 128,
      api: { host: '127.0.0.1', port: 4929, auth: 'tokens', tokens: [] },
      egress: { allowHttp: true, allowedNetworks: ['127.0.0.0/8', '::1/128'], proxy: null },
      ingest: { folder: undefined, tokens: [], signingSecrets: [] },
      databaseUrl: undefined,
      keepMs: 30 * 86_400_000,
      health: healthRules,
      notices: { partners: true, rules: noticeRules, webhook: undefined, email: [], smtp: undefined },
      origins: {},
    })
    expect(Object.isFrozen(read())).toBe(true)
  })

  it('masks the password of the delivery log’s server, and takes it from the environment alone', () => {
    const config = read({}, { WAYBILL_DATABASE_URL: 'postgres://waybill:hunter2@db:5432/log' })
    const shown = describeConfig(config).map(({ value }) => value)
    expect(shown).toContain('postgres://waybill:***@db:5432/log, 30d')
    expect(shown.join()).not.toContain('hunter2')
    expect(() => read({}, { WAYBILL_DATABASE_URL: 'mysql://x' })).toThrow('not the address of a PostgreSQL')
    expect(() => read({ port: '99999' })).toThrow('"99999" is not a port')
  })

  it('takes flags over environment over defaults', () => {
    const env = { WAYBILL_DATA_DIR: 'env', WAYBILL_RATE: '7', WAYBILL_FORMAT: 'json', WAYBILL_DEBUG: '1' }
    expect(read({}, env)).toMatchObject({
      dataDirectory: '/here/env',
      keyFile: '/here/env/keys.json',
      ratePerSecond: 7,
      format: 'json',
      debug: true,
    })
    expect(read({ dataDir: '/abs', rate: '0.5', format: 'text' }, env)).toMatchObject({
      dataDirectory: '/abs',
      ratePerSecond: 0.5,
      format: 'text',
    })
    expect(read({ json: true }).format).toBe('json')
    expect(read({}, { WAYBILL_DATA_DIR: '', WAYBILL_DEBUG: '0' })).toMatchObject({
      dataDirectory: '/here/.waybill',
      debug: false,
    })
  })

  it('reports everything that is wrong, by the name under which it was given', () => {
    expect(() => read({ rate: 'fast', seed: '-1', duration: 'soon', format: 'xml' })).toThrow(
      /--rate "fast" is not a rate.*\n--seed "-1".*\n--duration "soon".*\n--format "xml"/,
    )
    expect(() => read({}, { WAYBILL_RATE: '0' })).toThrow(
      /^WAYBILL_RATE "0" is not a rate — write orders per second/,
    )
    expect(() => read({ rate: '' })).toThrow('--rate')
    expect(() => read({ rate: '3000' })).toThrow('up to 2000')
  })

  it('notices a variable that nobody reads', () => {
    const env = { WAYBILL_DATADIR: 'x', WAYBILL_RATE: '1', WAYBILL_ELSE_ENTIRELY: '1', HOME: '/' }
    expect(unknownVariables(env).map(({ mend }) => mend)).toEqual([
      'did you mean WAYBILL_DATA_DIR?',
      'it has no effect; see waybill start --help',
    ])
    expect(
      unknownVariables(Object.fromEntries(Object.keys(environmentVariables).map((name) => [name, 'x']))),
    ).toEqual([])
  })

  it('describes itself, and who set what', () => {
    const described = (flags: Flags, env = {}) =>
      describeConfig(read(flags, env)).map(
        ({ name, value, from }) => `${name}: ${value}${from === undefined ? '' : ` (${from})`}`,
      )
    expect(described({ rate: '5', duration: '90' }, { WAYBILL_PORT: '99' })).toEqual(
      expect.arrayContaining([
        'demo: 5 orders/s, seed 1 (--rate)',
        'runs: for 90s',
        'API: http://127.0.0.1:99 (WAYBILL_PORT)',
        'record log: embedded',
      ]),
    )
    expect(described({ demo: false })).toContain('partners: as published before')
    expect(described({ api: false })).toContain('API: off (--no-api)')
  })
})

describe('durations', () => {
  it('are read as people write them', () => {
    for (const [text, ms] of [
      ['10', 10_000],
      ['10s', 10_000],
      ['1.5 h', 5_400_000],
      ['500ms', 500],
      [2, 2000],
      ['2d', 172_800_000],
    ] as const) {
      expect(parseDuration(text)).toBe(ms)
    }
    for (const wrong of ['', '-1', '1w', 'soon', -1, Number.NaN, null, []])
      expect(parseDuration(wrong)).toBeUndefined()
  })

  it('are written so that they read back', () => {
    for (const ms of [1, 999, 1000, 90_000, 3_600_000, 86_400_000, 100_000_000]) {
      expect(parseDuration(formatDuration(ms))).toBe(ms)
    }
  })
})

describe('private files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-private-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are readable by the owner alone, in a directory of the same kind', () => {
    const file = join(folder, 'deep', 'keys.json')
    expect(readPrivateFile(file)).toBeUndefined()
    expect(writePrivateFile(file, 'a')).toBe(true)
    expect(readPrivateFile(file)).toBe('a')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700)
  })

  it('are kept where they must not be overwritten, and nothing is left beside them', () => {
    const file = join(folder, 'once', 'keys.json')
    expect(writePrivateFile(file, 'first', { exclusive: true })).toBe(true)
    expect(writePrivateFile(file, 'second', { exclusive: true })).toBe(false)
    expect(readPrivateFile(file)).toBe('first')
    expect(readdirSync(join(folder, 'once'))).toEqual(['keys.json'])
  })

  it('that cannot be written are told with path and mend', () => {
    const file = join(folder, 'file')
    writePrivateFile(file, 'not a directory')
    expect(() => writePrivateFile(join(file, 'keys.json'), 'x')).toThrow(
      /cannot write the file: E.* \(.*keys\.json\) — give yourself/,
    )
  })
})
