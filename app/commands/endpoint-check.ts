/** `waybill endpoints check`: asks an endpoint the questions that a delivery will, before it is relied upon. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import pico from 'picocolors'
import { makeVetting } from '../../connectors/webhook/address-vetting.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { colorWanted, type Surroundings } from '../cli/surroundings.ts'
import { programVersion } from '../cli/version.ts'
import { type Config, readConfig } from '../config/config.ts'
import { parseDuration } from '../config/duration.ts'
import { isSecret } from '../config/endpoint-secrets.ts'
import { endpointDefaults } from '../config/partner-settings.ts'
import { readPartnersFile } from '../config/partners.ts'
import { preflightText } from '../preflight/report-text.ts'
import { type PreflightTarget, runPreflight } from '../preflight/run-preflight.ts'
import { addFormatOptions, type Finish } from './options.ts'

const examples = `
It is called as a delivery would be: what the network is not allowed to reach (docs/egress.md), redirects and bad
certificates fail here as they would there. The events that it sends carry \`waybill-trigger: test\` and an order_id that
begins with waybill-check-. An endpoint of partners.yaml is checked with its own settings; a secret that Waybill made is
not in there: write what was shown then into a file, and name that.

Examples:
  waybill endpoints check https://hooks.acme.example/waybill --secret-file secret
  waybill endpoints check acme-orders --config waybill.yaml
  waybill endpoints check https://hooks.acme.example/waybill --json

Exit codes: 0 ready for deliveries, 100 something to mend or to look at, 2 wrong usage, 3 it cannot be reached.
`

interface CheckFlags {
  readonly config?: string
  readonly partners?: string
  readonly secretFile?: string
  readonly timeout?: string
  readonly only200?: boolean
  readonly payload?: string
  readonly format?: string
  readonly json?: boolean
}

/** Adds the command to `waybill endpoints`. */
export function addEndpointCheck(endpoints: Command, surroundings: Surroundings, finish: Finish): void {
  const command = endpoints
    .command('check')
    .description('ask an endpoint what deliveries will ask of it')
    .argument('<url-or-endpoint-id>', 'a URL, or the id of an endpoint in partners.yaml')
    .option('--secret-file <file>', 'its signing secret: whsec_… or whsk_…, one per line')
    .option('--config <file>', 'the configuration file: where partners.yaml is, and what may be called')
    .option('--partners <file>', 'partners.yaml: who receives webhooks')
    .option('--timeout <time>', 'for a URL: how long one call may take (default: 10s)')
    .option('--only-200', 'for a URL: nothing but 200 acknowledges')
    .option('--payload <version>', 'for a URL: v1 or v2 (default: v2)')
  addFormatOptions(command)
  command
    .addHelpText('after', examples)
    .action(async (named: string) => finish(await check(named, command.opts<CheckFlags>(), surroundings)))
}

async function check(named: string, flags: CheckFlags, surroundings: Surroundings): Promise<ExitCode> {
  const { env, cwd, stdout, clock, random, stop } = surroundings
  const config = readConfig({ ...flags, demo: false }, { env, cwd })
  const target = targetOf(named, flags, config, surroundings)
  const report = await runPreflight(target, {
    egress: config.egress,
    clock,
    random,
    programVersion: programVersion(),
    signal: stop,
  }).catch((error: unknown) => {
    if (stop.aborted) return undefined
    throw error
  })
  if (!report) return exitCode.interrupted
  const text =
    config.format === 'json'
      ? `${JSON.stringify(report)}\n`
      : preflightText(report, pico.createColors(colorWanted(env, stdout)))
  stdout.write(text)
  return { ok: exitCode.ok, findings: exitCode.findings, unreachable: exitCode.unreachable }[report.result]
}

function targetOf(
  named: string,
  flags: CheckFlags,
  config: Config,
  { cwd, env }: Surroundings,
): PreflightTarget {
  const given = flags.secretFile === undefined ? [] : readSecrets(flags.secretFile, cwd)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(named)) return urlTarget(named, given, flags)
  if (config.partnersFile === undefined) {
    throw usage(`"${named}" is no URL, and no partners.yaml says what it is`, 'name the file with --partners')
  }
  const partners = readPartnersFile(config.partnersFile, { env, vetting: makeVetting(config.egress) })
  for (const { id: partnerId, endpoints } of partners) {
    const endpoint = endpoints.find(({ id }) => id === named)
    if (!endpoint) continue
    return {
      ...endpoint,
      endpointId: named,
      partnerId,
      headers: Object.fromEntries(endpoint.headers.map(({ name, value }) => [name.toLowerCase(), value])),
      secrets: given.length > 0 ? given : endpoint.secrets,
    }
  }
  throw usage(`${config.partnersFile} has no endpoint "${named}"`, 'write its id, or its URL')
}

const timeoutLimitsMs = { min: 1000, max: 15_000 } as const

function urlTarget(url: string, secrets: readonly string[], flags: CheckFlags): PreflightTarget {
  if (!/^https?:/i.test(url) || !URL.canParse(url))
    throw usage(`"${url}" is not a URL to call`, 'write https://…')
  const timeoutMs = flags.timeout === undefined ? endpointDefaults.timeoutMs : parseDuration(flags.timeout)
  if (timeoutMs === undefined || timeoutMs < timeoutLimitsMs.min || timeoutMs > timeoutLimitsMs.max) {
    throw usage(`--timeout "${flags.timeout}" will not do`, 'write a time from 1s to 15s')
  }
  const version = flags.payload ?? 'v2'
  if (version !== 'v1' && version !== 'v2')
    throw usage(`--payload "${version}" is no version`, 'write v1 or v2')
  return {
    url,
    endpointId: null,
    partnerId: 'waybill-check',
    version,
    timeoutMs,
    acknowledgeOn: flags.only200 ? 'ONLY_200' : 'ANY_2XX',
    headers: {},
    clientCertificate: null,
    secrets,
  }
}

function readSecrets(file: string, cwd: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(resolve(cwd, file), 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw usage(`${file} cannot be read (${code})`, 'name the file that holds the secret')
  }
  const secrets = text.split(/\s+/).filter((line) => line !== '')
  if (secrets.length > 0 && secrets.every(isSecret)) return secrets
  const mend = secrets.some((secret) => secret.startsWith('whpk_'))
    ? 'a whpk_… is the half that verifies; the one that signs begins with whsk_'
    : 'write the whsec_… of the endpoint into it'
  throw usage(`${file} holds no signing secret`, mend)
}

const usage = (what: string, mend: string) => new CliError(exitCode.usage, { what, mend })
