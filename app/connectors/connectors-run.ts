/** What the four commands about connectors have in common: options, the worker's client, output, errors as exit codes. */
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import pc from 'picocolors'
import { type ConnectClient, connectClient } from '../../connectors/debezium/connect-client.ts'
import { ConnectError } from '../../connectors/debezium/connect-error.ts'
import {
  type CapturedDatabase,
  type ConnectorFile,
  capturedDatabases,
  isUnreadable,
  readConnectorFile,
  shippedConnectorPaths,
} from '../../connectors/debezium/connector-files.ts'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { colorWanted, type Surroundings } from '../cli/surroundings.ts'
import type { Colors } from '../client/words.ts'
import { addFormatOptions } from '../commands/options.ts'
import { type Format, readFormat } from '../config/setting-values.ts'

/** Where Connect listens unless it is told otherwise. */
const defaultConnectUrl = 'http://127.0.0.1:8083'

export interface ConnectorFlags {
  readonly connect?: string
  readonly database?: CapturedDatabase
  readonly format?: string
  readonly json?: boolean
}

/** What such a command works with. */
export interface ConnectorsRun {
  readonly client: ConnectClient
  readonly colors: Colors
  readonly format: Format
  readonly surroundings: Surroundings
  /** Data: a line of JSON. */
  json(value: unknown): void
  /** Data: a line of text. */
  line(text: string): void
  /** About the data. */
  note(text: string): void
}

/** The flags of every command that talks to a worker. */
export function addWorkerOptions(command: Command): void {
  command.option('--connect <url>', `where Kafka Connect answers (default: ${defaultConnectUrl})`)
  addFormatOptions(command)
}

/** The flag that stands for the connectors which ship. */
export function addDatabaseOption(command: Command): void {
  command.addOption(
    new Option('--database <name>', 'the connectors that ship for this database').choices(capturedDatabases),
  )
}

/** The part of a help text about the environment. */
export const connectEnvironmentHelp = `
Environment:
  WAYBILL_CONNECT_URL   where Kafka Connect answers (--connect wins)
  WAYBILL_CONNECT_AUTH  user:password, for a worker that asks for it
  WAYBILL_FORMAT        text or json
  NO_COLOR              no colours
`

/** Runs it with a client, which is closed afterwards; the worker's errors become the command's. */
export async function withWorker(
  flags: ConnectorFlags,
  surroundings: Surroundings,
  run: (parts: ConnectorsRun) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { env, stdout, stderr, clock, stop } = surroundings
  const problems: Problem[] = []
  const url = readUrl(flags, env, problems)
  const format = readFormat(
    flags.json ? 'json' : undefined,
    flags.format !== undefined
      ? { text: flags.format, name: '--format' }
      : env.WAYBILL_FORMAT
        ? { text: env.WAYBILL_FORMAT, name: 'WAYBILL_FORMAT' }
        : undefined,
    problems,
  )
  if (problems.length > 0 || !url) throw new CliError(exitCode.usage, problems)
  const credentials = env.WAYBILL_CONNECT_AUTH || undefined
  const client = connectClient({
    url,
    clock,
    signal: stop,
    ...(credentials !== undefined && { credentials }),
  })
  try {
    return await run({
      client,
      colors: pc.createColors(colorWanted(env, stdout)),
      format,
      surroundings,
      json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
      line: (text) => void stdout.write(`${text}\n`),
      note: (text) => void stderr.write(`${text}\n`),
    })
  } catch (error) {
    if (stop.aborted) {
      const mend = 'what was asked for may have been done all the same; look with waybill connectors status'
      throw new CliError(exitCode.interrupted, { what: 'interrupted', mend }, { cause: error })
    }
    throw error instanceof ConnectError ? asCliError(error) : error
  } finally {
    await client.close()
  }
}

/** The files that were named, or those that ship. Everything that is wrong comes at once. */
export function readFiles(
  paths: readonly string[],
  { database }: ConnectorFlags,
  { cwd }: Pick<Surroundings, 'cwd'>,
): readonly ConnectorFile[] {
  if (paths.length > 0 === (database !== undefined)) {
    throw new CliError(exitCode.usage, {
      what: paths.length > 0 ? 'both files and --database' : 'neither files nor --database',
      mend: `name the files of your connectors, or --database ${capturedDatabases.join('|')} for those that ship`,
    })
  }
  const chosen =
    database === undefined ? paths.map((path) => resolve(cwd, path)) : shippedConnectorPaths(database)
  const read = chosen.map(readConnectorFile)
  const unreadable = read.filter(isUnreadable)
  const files = read.flatMap((file) => (isUnreadable(file) ? [] : [file]))
  const names = files.map(({ name }) => name)
  const twice = files.filter(({ name }, index) => names.indexOf(name) !== index)
  const problems: Problem[] = [
    ...unreadable.map(({ path, why }) => ({
      what: `no connector: ${why}`,
      place: { file: path },
      mend: 'see connectors/debezium for examples',
    })),
    ...twice.map(({ name, path }) => ({
      what: `two files are named ${name}, and so would be the connectors`,
      place: { file: path },
      mend: 'rename one',
    })),
  ]
  if (problems.length > 0) throw new CliError(exitCode.usage, problems)
  return files
}

function readUrl(flags: ConnectorFlags, env: Surroundings['env'], problems: Problem[]): URL | undefined {
  const name = flags.connect !== undefined ? '--connect' : 'WAYBILL_CONNECT_URL'
  const text = flags.connect ?? (env.WAYBILL_CONNECT_URL || defaultConnectUrl)
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url?.pathname === '/' && url.search === '' && /^https?:$/.test(url.protocol)
  if (url && plain && url.username === '' && url.password === '') return url
  const mend = `write it like ${defaultConnectUrl}; credentials go into WAYBILL_CONNECT_AUTH`
  // It may hold a password, so it is not repeated.
  problems.push({ what: `${name} is not the address of a worker`, mend })
  return undefined
}

function asCliError(error: ConnectError): CliError {
  const [code, mend] = whatNow(error)
  return new CliError(code, { what: error.message, mend }, { cause: error })
}

function whatNow({ kind }: ConnectError): readonly [ExitCode, string] {
  switch (kind) {
    case 'unreachable':
      return [
        exitCode.unreachable,
        'start a worker, or say where it is with --connect or WAYBILL_CONNECT_URL',
      ]
    case 'busy':
      return [
        exitCode.unreachable,
        'the workers are rebalancing for long; look at their logs, then try again',
      ]
    case 'unauthorized':
      return [exitCode.usage, "give the worker's user:password in WAYBILL_CONNECT_AUTH"]
    case 'not_found':
      return [
        exitCode.usage,
        'see waybill connectors status for what there is, and plugin.path of the worker for plugins',
      ]
    case 'invalid':
      return [exitCode.usage, 'mend the file; nothing of this connector was changed']
    case 'foreign':
      return [exitCode.usage, 'check --connect: it is the address of a Kafka Connect worker']
  }
}
