import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { tokenHash } from '../../api/auth.ts'
import { apiAuth } from './api-access.ts'
import { type Flags, readConfig } from './config.ts'
import { describeConfig } from './describe-config.ts'
import { defaultSettingsFile, settingDefaults } from './setting-defaults.ts'
import { readYamlFile } from './yaml-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))

const path = join(folder, 'waybill.yaml')
const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

/** The settings with this configuration file. */
function read(yaml: string, flags: Flags = {}, env: Record<string, string> = {}) {
  writeFileSync(path, yaml)
  return readConfig({ config: 'waybill.yaml', ...flags }, { env, cwd: folder })
}

/** What is wrong, a line each, without the folder's name. */
function problemsOf(act: () => unknown): string[] {
  try {
    act()
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll(`${folder}/`, '').split('\n') : [String(error)]
  }
  return []
}

describe('the configuration file', () => {
  it('that explains all settings says exactly what the code does without it', () => {
    expect(readYamlFile(defaultSettingsFile).value).toEqual(settingDefaults)
    const cwd = dirname(defaultSettingsFile)
    const explained = readConfig({ config: defaultSettingsFile }, { env: {}, cwd })
    expect(explained).toEqual({
      ...readConfig({}, { env: {}, cwd }),
      configFile: defaultSettingsFile,
      origins: expect.anything(),
    })
  })

  it('gives way to the environment, and that to flags; each value knows who set it', () => {
    const yaml = 'data_dir: data\napi: { port: 1 }\nformat: json\ncalls_at_once: 7\n'
    const config = read(yaml, { port: '3' }, { WAYBILL_PORT: '2', WAYBILL_FORMAT: 'text' })
    expect(config).toMatchObject({ dataDirectory: join(folder, 'data'), format: 'text', callsMax: 7 })
    expect(config.api?.port).toBe(3)
    expect(config.origins).toEqual({
      data_dir: 'waybill.yaml:1',
      'api.port': '--port',
      format: 'WAYBILL_FORMAT',
      calls_at_once: 'waybill.yaml:4',
    })
  })

  it('may be named by the environment, and may say nothing', () => {
    writeFileSync(path, '# nothing\n')
    const config = readConfig({}, { env: { WAYBILL_CONFIG: path }, cwd: '/' })
    expect(config).toMatchObject({ configFile: path, dataDirectory: '/.waybill', origins: {} })
  })

  it('takes its paths from where it lies, wherever it is read', () => {
    writeFileSync(path, 'partners: p.yaml\ningest: { folder: in }\n')
    const config = readConfig({ config: path, source: 's.yaml' }, { env: {}, cwd: '/elsewhere' })
    expect(config.partnersFile).toBe(join(folder, 'p.yaml'))
    expect(config.ingest.folder).toBe(join(folder, 'in'))
    expect(config.sourceFile).toBe('/elsewhere/s.yaml')
  })

  it('is told about all its mistakes at once, each with line and mend', () => {
    const yaml = `data_dri: x
api:
  port: 99999
  host: "a b"
  auth: maybe
  prot: 1
  tokens:
    - { name: a, sha256: abc, scope: operator }
    - { name: b, sha256: ${tokenHash('b')}, scope: { partner: "a b" } }
    - { name: c, sha256: ${tokenHash('c')} }
calls_at_once: many
delivery_log: { keep: 1h }
demo: 3
partners: [a]
ingest: { token_file: nowhere }
`
    expect(problemsOf(() => read(yaml))).toEqual(
      [
        /^unknown key "data_dri" in the configuration \(waybill.yaml:1\) — did you mean "data_dir"\?/,
        /^unknown key "prot" in "api" \(waybill.yaml:6\) — did you mean "port"\?/,
        /^"demo" must be a map of rate, seed \(waybill.yaml:13\)/,
        /^"api.host" "a b" is not an address to listen on \(waybill.yaml:4\)/,
        /^"api.port" "99999" is not a port \(waybill.yaml:3\)/,
        /^"api.auth" "maybe" .* \(waybill.yaml:5\) — write tokens or none/,
        /^this is not a SHA-256 \(waybill.yaml:8\) — .*tokens new/,
        /^the partner "a b" will not do \(waybill.yaml:9\)/,
        /^"scope" is missing \(waybill.yaml:10\)/,
        /^"partners" must be one value \(waybill.yaml:14\)/,
        /^"calls_at_once" "many" .* \(waybill.yaml:11\)/,
        /^the file of "ingest.token_file" cannot be read: ENOENT \(nowhere\)/,
        /^"delivery_log.keep" "1h" .* \(waybill.yaml:12\)/,
      ].map((line) => expect.stringMatching(line)),
    )
  })
})

describe('secrets', () => {
  it('come from files of their own, or from the environment, which wins', () => {
    writeFileSync(join(folder, 'tokens'), 'first-token-first\nsecond-token-second\n')
    writeFileSync(join(folder, 'url'), 'postgres://w:hunter2@db/log\n')
    const yaml = `ingest: { token_file: tokens }\ndelivery_log: { database_url_file: url }\n`
    const config = read(yaml, {}, { WAYBILL_INGEST_SECRET: secret })
    expect(config.ingest).toMatchObject({
      tokens: ['first-token-first', 'second-token-second'],
      signingSecrets: [secret],
    })
    expect(config.databaseUrl).toBe('postgres://w:hunter2@db/log')
    const env = { WAYBILL_INGEST_TOKEN: 'third-token-third', WAYBILL_DATABASE_URL: 'postgres://x/y' }
    expect(read(yaml, {}, env)).toMatchObject({
      ingest: { tokens: ['third-token-third'] },
      databaseUrl: 'postgres://x/y',
    })
  })

  it('are never shown, neither in what is printed at the start nor in messages', () => {
    const env = {
      WAYBILL_INGEST_TOKEN: 'first-token-first',
      WAYBILL_INGEST_SECRET: secret,
      WAYBILL_DATABASE_URL: 'postgres://w:hunter2@db/log?sslpassword=hunter3',
    }
    const shown = JSON.stringify(describeConfig(read('', { demo: false }, env)))
    expect(shown).toContain('POST /ingest by 1 token ***, POST /ingest by 1 signing secret ***')
    expect(shown).toContain('postgres://w:***@db/log?sslpassword=***')
    for (const hidden of ['first-token', secret, 'hunter']) expect(shown).not.toContain(hidden)
    const wrong = {
      WAYBILL_INGEST_TOKEN: 'short',
      WAYBILL_INGEST_SECRET: 'whsec_short',
      WAYBILL_DATABASE_URL: 'hunter2',
    }
    const problems = problemsOf(() => read('', {}, wrong))
    expect(problems).toHaveLength(3)
    expect(problems.join()).not.toMatch(/short|hunter/)
  })
})

describe('who may use the API', () => {
  const token = `{ name: ops, sha256: ${tokenHash('x')}, scope: operator }`
  const auth = (yaml: string, command: 'start' | 'run', flags: Flags = {}, env = {}) =>
    apiAuth(read(yaml, flags, env), command)

  it('has to be said to a service, and is this machine for the demo', () => {
    expect(auth('', 'start')).toBe('none')
    expect(problemsOf(() => auth('', 'run'))).toEqual([expect.stringContaining('nobody could use the API')])
    expect(auth('api: { auth: none }', 'run')).toBe('none')
    expect(auth(`api: { tokens: [${token}] }`, 'run')).toMatchObject({ tokens: [{ name: 'ops' }] })
    expect(auth(`api: { tokens: [${token}] }`, 'start')).toMatchObject({ tokens: [{ name: 'ops' }] })
    expect(auth('', 'run', { api: false })).toBeUndefined()
  })

  it('is never everybody who reaches it from elsewhere', () => {
    const open = expect.stringContaining('without a token')
    expect(problemsOf(() => auth('api: { auth: none, host: 0.0.0.0 }', 'run'))).toEqual([open])
    expect(problemsOf(() => auth('', 'start', { host: '10.1.1.1' }))).toEqual([open])
    expect(auth('api: { auth: none, host: "::1" }', 'run')).toBe('none')
    expect(problemsOf(() => auth(`api: { auth: none, tokens: [${token}] }`, 'run'))).toHaveLength(1)
  })

  it('is asked where changes are to come in over HTTP', () => {
    const env = { WAYBILL_INGEST_SECRET: secret }
    expect(problemsOf(() => auth('', 'run', { api: false }, env))).toEqual([
      expect.stringContaining('POST /ingest is part of the API, which is off'),
    ])
  })
})
