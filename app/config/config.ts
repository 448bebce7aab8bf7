/**
 * The settings of a run: flags over environment over defaults, read once, checked, frozen. Nothing else in the
 * project reads the environment. Units are in the names.
 */
import { join, resolve } from 'node:path'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { nearest } from '../cli/nearest.ts'
import { formatDuration, parseDuration } from './duration.ts'

export type Format = 'text' | 'json'

/**
 * Where the API of the embedded product listens. 929 is W-A-Y on a telephone's keys; 8080 is where Debezium Server
 * listens, which is meant to run beside it, and nothing else of its surroundings (Kafka, registry, OpenSearch,
 * PostgreSQL, Prometheus, Grafana) listens here.
 */
export const defaultApiPort = 4929

export interface Config {
  /** Absolute. Everything that must survive a restart. */
  readonly dataDirectory: string
  /** Absolute. The sealing keys. */
  readonly keyFile: string
  /** Whether the simulated order system and its receivers run along. */
  readonly demo: boolean
  /** New demo orders per second; each makes about five events. */
  readonly ratePerSecond: number
  readonly seed: number
  /** Absolute; `undefined`: the demo's partners, or those published before. */
  readonly partnersFile: string | undefined
  /** Absolute; `undefined`: the default mapping. */
  readonly sourceFile: string | undefined
  /** Stop by itself after so long; `undefined` runs until it is stopped. */
  readonly durationMs: number | undefined
  readonly format: Format
  readonly debug: boolean
  /** Which record log is in use. */
  readonly tier: 'embedded'
  /** Where the API listens on this machine, 0 for any free port; `undefined`: neither API nor delivery log. */
  readonly apiPort: number | undefined
  /** The PostgreSQL server that keeps the delivery log; `undefined`: an embedded one in the data directory. */
  readonly databaseUrl: string | undefined
}

/** What the command line may set; all texts, as typed. */
export interface Flags {
  readonly dataDir?: string
  readonly keyFile?: string
  readonly demo?: boolean
  readonly rate?: string
  readonly seed?: string
  readonly partners?: string
  readonly source?: string
  readonly duration?: string
  readonly port?: string
  readonly api?: boolean
  readonly format?: string
  readonly json?: boolean
  readonly debug?: boolean
}

/** Every environment variable that is read, with what it means: the reference, and what `--help` prints. */
export const environmentVariables = {
  WAYBILL_DATA_DIR: 'the data directory (default .waybill)',
  WAYBILL_KEY_FILE: 'the file of sealing keys (default keys.json in the data directory)',
  WAYBILL_PARTNERS: 'partners.yaml: who receives webhooks',
  WAYBILL_SOURCE: 'source.yaml: how tables and columns become events',
  WAYBILL_RATE: 'new demo orders per second',
  WAYBILL_SEED: 'the seed of the demo',
  WAYBILL_PORT: 'the port of the API on 127.0.0.1 (default 4929)',
  WAYBILL_DATABASE_URL: 'a PostgreSQL server for the delivery log (default: embedded)',
  WAYBILL_FORMAT: 'text or json',
  WAYBILL_URL: 'where commands find a running Waybill',
  WAYBILL_TOKEN: 'the token that they show it',
  WAYBILL_DEBUG: '1 shows stacks of internal errors',
} as const

type Variable = keyof typeof environmentVariables

/** Past this the simulated order system would need more than a core of its own. */
const maxRatePerSecond = 2000

/** Reads the settings; everything that is wrong comes in one `CliError`. */
export function readConfig(
  flags: Flags,
  surroundings: { env: Readonly<Record<string, string | undefined>>; cwd: string },
): Config {
  const problems: Problem[] = []
  const from = (variable: Variable, flag: string | undefined, flagName: string) => {
    const inherited = surroundings.env[variable]
    if (flag !== undefined) return { text: flag, name: flagName }
    return inherited ? { text: inherited, name: variable } : undefined
  }
  const path = (variable: Variable, flag: string | undefined, flagName: string) => {
    const found = from(variable, flag, flagName)
    if (found?.text.trim() === '') problems.push({ what: `${found.name} is empty`, mend: 'write a path' })
    return found && resolve(surroundings.cwd, found.text)
  }
  const dataDirectory =
    path('WAYBILL_DATA_DIR', flags.dataDir, '--data-dir') ?? resolve(surroundings.cwd, '.waybill')
  const config: Config = {
    dataDirectory,
    keyFile: path('WAYBILL_KEY_FILE', flags.keyFile, '--key-file') ?? join(dataDirectory, 'keys.json'),
    demo: flags.demo ?? true,
    ratePerSecond: readRate(from('WAYBILL_RATE', flags.rate, '--rate'), problems),
    seed: readSeed(from('WAYBILL_SEED', flags.seed, '--seed'), problems),
    partnersFile: path('WAYBILL_PARTNERS', flags.partners, '--partners'),
    sourceFile: path('WAYBILL_SOURCE', flags.source, '--source'),
    durationMs: readRunDuration(flags.duration, problems),
    format: readFormat(
      flags.json ? 'json' : undefined,
      from('WAYBILL_FORMAT', flags.format, '--format'),
      problems,
    ),
    debug: flags.debug === true || isOn(surroundings.env.WAYBILL_DEBUG),
    tier: 'embedded',
    apiPort: flags.api === false ? undefined : readPort(from('WAYBILL_PORT', flags.port, '--port'), problems),
    databaseUrl: readDatabaseUrl(surroundings.env.WAYBILL_DATABASE_URL, problems),
  }
  if (problems.length > 0) throw new CliError(exitCode.usage, problems)
  return Object.freeze(config)
}

/** Whether a switch in the environment is on: anything but nothing, 0, false and no. */
export const isOn = (value: string | undefined): boolean =>
  value !== undefined && !['', '0', 'false', 'no'].includes(value.toLowerCase())

/** `WAYBILL_…` variables that nobody reads: a typing mistake would otherwise go unnoticed. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): Problem[] {
  const known = Object.keys(environmentVariables)
  return Object.keys(env)
    .filter((name) => name.startsWith('WAYBILL_') && !known.includes(name))
    .map((name) => {
      const near = nearest(name, known)
      const mend = near === undefined ? 'it has no effect; see waybill start --help' : `did you mean ${near}?`
      return { what: `nobody reads the environment variable ${name}`, mend }
    })
}

/** The resolved values, one per line, as `start` prints them; secrets in them are masked. */
export function describeConfig(config: Config): [name: string, value: string][] {
  return [
    ['data directory', config.dataDirectory],
    ['record log', config.tier],
    ['key file', config.keyFile],
    ['partners', config.partnersFile ?? (config.demo ? 'the demo’s' : 'as published before')],
    ['source mapping', config.sourceFile ?? 'the default'],
    ['demo', config.demo ? `${config.ratePerSecond} orders/s, seed ${config.seed}` : 'off'],
    ['API', config.apiPort === undefined ? 'off' : `http://127.0.0.1:${config.apiPort}`],
    ['delivery log', deliveryLogText(config)],
    ['runs', config.durationMs === undefined ? 'until stopped' : `for ${formatDuration(config.durationMs)}`],
  ]
}

function deliveryLogText({ apiPort, databaseUrl }: Config): string {
  if (apiPort === undefined) return 'off'
  if (databaseUrl === undefined) return 'embedded'
  const url = new URL(databaseUrl)
  if (url.password !== '') url.password = '***'
  return url.href
}

/** A setting as it was written, and under which name. */
export type Given = { text: string; name: string } | undefined

function readRate(given: Given, problems: Problem[]): number {
  if (given === undefined) return 2
  const rate = Number(given.text)
  if (given.text.trim() !== '' && rate > 0 && rate <= maxRatePerSecond) return rate
  const mend = `write orders per second, above 0 and up to ${maxRatePerSecond}, e.g. 2 or 0.5`
  problems.push({ what: `${given.name} "${given.text}" is not a rate`, mend })
  return 1
}

function readSeed(given: Given, problems: Problem[]): number {
  if (given === undefined) return 1
  const seed = Number(given.text)
  if (/^\d+$/.test(given.text) && seed < 2 ** 32) return seed
  problems.push({
    what: `${given.name} "${given.text}" is not a seed`,
    mend: `write a whole number from 0 to ${2 ** 32 - 1}`,
  })
  return 1
}

function readPort(given: Given, problems: Problem[]): number {
  if (given === undefined) return defaultApiPort
  const port = Number(given.text)
  if (/^\d+$/.test(given.text) && port < 65_536) return port
  const mend = `write a number from 1 to 65535, or 0 for any that is free (default ${defaultApiPort})`
  problems.push({ what: `${given.name} "${given.text}" is not a port`, mend })
  return defaultApiPort
}

/** It holds a password, so it is no flag: everybody on a machine can read the arguments of a process. */
function readDatabaseUrl(text: string | undefined, problems: Problem[]): string | undefined {
  if (text === undefined || text === '') return undefined
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return text
  problems.push({
    what: 'WAYBILL_DATABASE_URL is not the address of a PostgreSQL server',
    mend: 'write it like postgres://user:password@host:5432/database',
  })
  return undefined
}

function readRunDuration(text: string | undefined, problems: Problem[]): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0) return Math.round(ms)
  problems.push({ what: `--duration "${text}" is not a duration`, mend: 'write seconds, or e.g. 30s, 5m' })
  return undefined
}

/** What is printed to stdout: JSON where the alias asks for it, else as given, else text. */
export function readFormat(alias: Format | undefined, given: Given, problems: Problem[]): Format {
  if (alias !== undefined) return alias
  if (given === undefined || given.text === 'text') return 'text'
  if (given.text === 'json') return 'json'
  problems.push({ what: `${given.name} "${given.text}" is not a format`, mend: 'write text or json' })
  return 'text'
}
