/**
 * The settings of a run: flags over environment over configuration file over defaults, read once, checked, frozen.
 * Nothing else in the project reads the environment. Units are in the names.
 */
import { basename, dirname, join, resolve } from 'node:path'
import type { ApiToken } from '../../api/auth.ts'
import type { RegistryAddress } from '../../connectors/registry/registry-address.ts'
import type { EgressSettings } from '../../connectors/webhook/http-sender.ts'
import type { HealthRules } from '../../processors/watch/watch.ts'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { readApiTokens } from './api-tokens.ts'
import type { DispatchSettings } from './dispatch-settings.ts'
import { readEgress } from './egress-settings.ts'
import { type Environment, isOn, type Variable } from './environment.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { NoticeWays } from './notice-settings.ts'
import type { Role } from './roles.ts'
import {
  type GivenSecret,
  readDatabaseUrl,
  readIngestTokens,
  readSecretFile,
  readSigningSecrets,
} from './secret-settings.ts'
import { type SettingPath, settingDefaults } from './setting-defaults.ts'
import {
  type Format,
  readAuth,
  readCallsAtOnce,
  readFormat,
  readHost,
  readKeep,
  readPort,
  readRate,
  readRunDuration,
  readSeed,
  readSwitch,
} from './setting-values.ts'
import { type Given, readSettingsFile, type SettingsFile } from './settings-file.ts'
import { readSurroundingSettings } from './surroundings-settings.ts'
import { checkTogether } from './together.ts'

export interface Config {
  /** Absolute; `undefined`: there is none. */
  readonly configFile: string | undefined
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
  /** Kafka as the record log; `undefined`: the embedded one, in the data directory. */
  readonly kafka: KafkaSettings | undefined
  /** `undefined`: the schemas that ship are all that are known. */
  readonly registry: RegistryAddress | undefined
  /** Whom ENRICH asks for riders; `undefined`: nobody. */
  readonly dispatch: DispatchSettings | undefined
  /** What runs in this process. */
  readonly roles: readonly Role[]
  /** Webhook calls at once, over all endpoints. */
  readonly callsMax: number
  /** `undefined`: neither API nor delivery log. */
  readonly api: ApiSettings | undefined
  /** Where webhooks may go, and by which way. */
  readonly egress: EgressSettings
  readonly ingest: IngestSettings
  /** When an endpoint is at risk or failing. */
  readonly health: HealthRules
  /** Who is told about it, and how. */
  readonly notices: NoticeWays
  /** The PostgreSQL server that keeps the delivery log; `undefined`: an embedded one in the data directory. */
  readonly databaseUrl: string | undefined
  /** How long the delivery log keeps events. */
  readonly keepMs: number
  /** Who set what is not left at its default: a flag, a variable, or file and line. */
  readonly origins: Readonly<Partial<Record<SettingPath, string>>>
}

export interface ApiSettings {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly auth: 'tokens' | 'none'
  readonly tokens: readonly ApiToken[]
}

export interface IngestSettings {
  /** Absolute; `undefined`: no folder is watched. */
  readonly folder: string | undefined
  readonly tokens: readonly string[]
  readonly signingSecrets: readonly string[]
}

/** What the command line may set; all texts, as typed. */
export interface Flags {
  readonly config?: string
  readonly dataDir?: string
  readonly keyFile?: string
  readonly demo?: boolean
  readonly rate?: string
  readonly seed?: string
  readonly partners?: string
  readonly source?: string
  readonly duration?: string
  readonly host?: string
  readonly port?: string
  readonly api?: boolean
  readonly ingestFolder?: string
  readonly roles?: string
  readonly format?: string
  readonly json?: boolean
  readonly debug?: boolean
}

interface ConfigSurroundings {
  readonly env: Environment
  readonly cwd: string
}

/** Reads the settings; everything that is wrong comes in one `CliError`. */
export function readConfig(flags: Flags, surroundings: ConfigSurroundings): Config {
  const { env, cwd } = surroundings
  const named = flags.config ?? env.WAYBILL_CONFIG
  const configFile = named ? resolve(cwd, named) : undefined
  const file = readSettingsFile(configFile)
  const { problems } = file
  if (named?.trim() === '' && flags.config !== undefined) problems.push(emptyPath('--config'))
  const settings = settingReader(file, surroundings)
  const { given, path, secret } = settings

  const dataDirectory =
    path('data_dir', 'WAYBILL_DATA_DIR', ['--data-dir', flags.dataDir]) ??
    resolve(cwd, settingDefaults.data_dir)
  const enabled = readSwitch(
    given('api.enabled', undefined, ['--no-api', flags.api === false ? 'false' : undefined]),
    settingDefaults.api.enabled,
    problems,
  )
  const api: ApiSettings = {
    host: readHost(given('api.host', 'WAYBILL_HOST', ['--host', flags.host]), problems),
    port: readPort(given('api.port', 'WAYBILL_PORT', ['--port', flags.port]), problems),
    auth: readAuth(given('api.auth'), problems),
    tokens: readApiTokens(file),
  }
  const egress = readEgress(
    {
      allowHttp: given('egress.allow_http', 'WAYBILL_ALLOW_HTTP'),
      allowedNetworks: settings.inherited('egress.allowed_networks', 'WAYBILL_ALLOWED_NETWORKS'),
      proxy: given('egress.proxy', 'WAYBILL_EGRESS_PROXY'),
      proxyResolvesNames: given('egress.proxy_resolves_names'),
      demo: flags.demo ?? true,
    },
    file,
  )
  const config: Config = {
    configFile,
    dataDirectory,
    keyFile:
      path('key_file', 'WAYBILL_KEY_FILE', ['--key-file', flags.keyFile]) ?? join(dataDirectory, 'keys.json'),
    demo: flags.demo ?? true,
    ratePerSecond: readRate(given('demo.rate', 'WAYBILL_RATE', ['--rate', flags.rate]), problems),
    seed: readSeed(given('demo.seed', 'WAYBILL_SEED', ['--seed', flags.seed]), problems),
    partnersFile: path('partners', 'WAYBILL_PARTNERS', ['--partners', flags.partners]),
    sourceFile: path('source', 'WAYBILL_SOURCE', ['--source', flags.source]),
    durationMs: readRunDuration(flags.duration, problems),
    format: readFormat(
      flags.json ? 'json' : undefined,
      given('format', 'WAYBILL_FORMAT', ['--format', flags.format]),
      problems,
    ),
    debug: flags.debug === true || isOn(env.WAYBILL_DEBUG),
    ...readSurroundingSettings(settings, file, { cwd, rolesFlag: flags.roles, egress }),
    callsMax: readCallsAtOnce(given('calls_at_once'), problems),
    api: enabled ? api : undefined,
    egress,
    ingest: {
      folder: path('ingest.folder', 'WAYBILL_INGEST_FOLDER', ['--ingest-folder', flags.ingestFolder]),
      tokens: readIngestTokens(secret('ingest.token_file', 'WAYBILL_INGEST_TOKEN'), problems),
      signingSecrets: readSigningSecrets(
        secret('ingest.signing_secret_file', 'WAYBILL_INGEST_SECRET'),
        problems,
      ),
    },
    databaseUrl: readDatabaseUrl(secret('delivery_log.database_url_file', 'WAYBILL_DATABASE_URL'), problems),
    keepMs: readKeep(given('delivery_log.keep'), problems),
    origins: settings.origins,
  }
  problems.push(...checkTogether(config))
  if (problems.length > 0) throw new CliError(exitCode.usage, problems)
  return Object.freeze(config)
}

type FlagText = readonly [name: string, text: string | undefined]

/** Finds out what each setting was given as, and by whom. */
function settingReader(file: SettingsFile, { env, cwd }: ConfigSurroundings) {
  const { problems } = file
  const origins: Partial<Record<SettingPath, string>> = {}
  const keep = (setting: SettingPath, found: Given): Given => {
    if (found)
      origins[setting] = found.place ? `${basename(found.place.file)}:${found.place.line}` : found.name
    return found
  }
  const inherited = (variable: Variable | undefined): Given => {
    const text = variable && env[variable]
    return text ? { text, name: variable } : undefined
  }
  const given = (
    setting: SettingPath,
    variable?: Variable,
    [name, text]: FlagText = ['', undefined],
  ): Given =>
    keep(setting, text !== undefined ? { text, name } : (inherited(variable) ?? file.given(setting)))
  const resolved = (found: NonNullable<Given>) =>
    resolve(found.place ? dirname(found.place.file) : cwd, found.text)
  return {
    origins,
    given,
    /** From the environment alone: what the file says is a list. */
    inherited: (setting: SettingPath, variable: Variable): Given => keep(setting, inherited(variable)),
    /** Absolute: a file's paths are relative to the file, others to the folder we are in. */
    path(setting: SettingPath, variable: Variable, flag: FlagText): string | undefined {
      const found = given(setting, variable, flag)
      if (found?.text.trim() === '') problems.push(emptyPath(found.name))
      return found && resolved(found)
    },
    /** From the environment, else from the file that the setting names. */
    secret(setting: SettingPath, variable: Variable): GivenSecret | undefined {
      const held = keep(setting, inherited(variable) ?? file.given(setting))
      if (!held) return undefined
      if (!held.place) return { text: held.text, name: variable, from: variable }
      return readSecretFile(held, resolved(held), problems)
    },
  }
}

const emptyPath = (name: string): Problem => ({ what: `${name} is empty`, mend: 'write a path' })
