/** `waybill listen`: a receiver for a partner's own development, which verifies what arrives and prints it. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import pico from 'picocolors'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { colorWanted, type Surroundings } from '../cli/surroundings.ts'
import { parseDuration } from '../config/duration.ts'
import { type Received, startListener } from '../listen/listen-server.ts'
import { receivedText } from '../listen/received-text.ts'
import { type VerifyingKey, verifyingKey } from '../listen/verify-request.ts'
import { addFormatOptions, type Finish } from './options.ts'

const examples = `
A secret file holds one key per line: whsec_… (shared), or whpk_… (the public half of a key pair). Requests whose
signature fits none of them are answered 401. A secret never stands in a flag.

Examples:
  waybill listen --secret-file secret                   verify and print what arrives at http://127.0.0.1:9000/
  WEBHOOK_SECRET=whsec_… waybill listen --secret-env WEBHOOK_SECRET
  waybill listen --status 503                           see how Waybill retries
  waybill listen --delay 12s                            see a time-out
  waybill listen --json | jq .body                      for programs

Exit codes: 0 stopped by SIGTERM, 130 by Ctrl-C, 2 wrong usage, 3 the port cannot be had.
`

interface ListenFlags {
  readonly host: string
  readonly port: string
  readonly secretFile?: string
  readonly secretEnv?: string
  readonly status: string
  readonly delay: string
  readonly format?: string
  readonly json?: boolean
}

/** Adds the command to the program. */
export function addListen(program: Command, surroundings: Surroundings, finish: Finish): void {
  const command = program
    .command('listen')
    .description('receive webhooks on this machine, verify and print them')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'the port; 0 takes any that is free', '9000')
    .addOption(new Option('--secret-file <file>', 'the keys to verify with').conflicts('secretEnv'))
    .option('--secret-env <name>', 'the environment variable that holds them')
    .option('--status <code>', 'what to answer to a good request', '200')
    .option('--delay <time>', 'how long to wait before answering, e.g. 500ms, 12s', '0')
  addFormatOptions(command)
  command
    .addHelpText('after', examples)
    .action(async () => finish(await listen(command.opts<ListenFlags>(), surroundings)))
}

async function listen(flags: ListenFlags, surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr, stop, clock, env } = surroundings
  const keys = keysOf(flags, surroundings)
  const delayMs = parseDuration(flags.delay)
  if (delayMs === undefined)
    throw usage(`--delay "${flags.delay}" is no time`, 'write it as 500ms, 12s or 1m')
  const isJson = flags.json === true || flags.format === 'json'
  const paint = pico.createColors(colorWanted(env, stdout))
  const show = (received: Received) =>
    stdout.write(isJson ? `${JSON.stringify(received)}\n` : `${receivedText(received, paint)}\n`)
  const listener = await startListener({
    host: flags.host,
    port: wholeNumber('--port', flags.port, 0, 65_535),
    keys,
    status: wholeNumber('--status', flags.status, 200, 599),
    delayMs,
    clock,
    onReceived: show,
  }).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    const what = `${flags.host}:${flags.port} cannot be listened on (${code})`
    throw new CliError(exitCode.unreachable, { what, mend: 'choose another with --port' }, { cause })
  })
  const checked =
    keys.length === 0
      ? 'signatures are NOT checked: give the secret with --secret-file or --secret-env'
      : `signatures are checked with ${keys.length === 1 ? 'one key' : `${keys.length} keys`}`
  stderr.write(`waybill: listening on ${listener.url}; ${checked}; Ctrl-C stops\n`)
  await new Promise<void>((ended) => {
    if (stop.aborted) ended()
    stop.addEventListener('abort', () => ended(), { once: true })
  })
  await listener.stop()
  return stop.reason === 'SIGINT' ? exitCode.interrupted : exitCode.ok
}

function keysOf(flags: ListenFlags, { env, cwd }: Surroundings): VerifyingKey[] {
  const { secretFile, secretEnv } = flags
  if (secretFile === undefined && secretEnv === undefined) return []
  const place = secretFile ?? `$${secretEnv}`
  const text = secretFile === undefined ? env[secretEnv ?? ''] : readSecret(resolve(cwd, secretFile))
  const lines = (text ?? '').split(/\s+/).filter((line) => line !== '')
  if (lines.length === 0) throw usage(`${place} holds no key`, 'put the whsec_… of the endpoint into it')
  return lines.map((line, index) => {
    const key = verifyingKey(line)
    if (key) return key
    throw usage(`key ${index + 1} in ${place} is none`, 'a key is whsec_ or whpk_ followed by base64')
  })
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw usage(`${file} cannot be read (${code})`, 'name the file that holds the secret')
  }
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw usage(`${flag} "${text}" will not do`, `it is a whole number from ${least} to ${most}`)
}

const usage = (what: string, mend: string) => new CliError(exitCode.usage, { what, mend })
