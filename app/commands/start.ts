/** `waybill start`: the whole pipeline in this process, with a demo to look at. */
import type { Command } from 'commander'
import { LogError } from '../../engine/index.ts'
import { SealingError } from '../../schemas/index.ts'
import { CliError, oneLine, problemText } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { colorWanted, type StopReason, type Surroundings } from '../cli/surroundings.ts'
import { programVersion } from '../cli/version.ts'
import { wait } from '../cli/wait.ts'
import { type Config, describeConfig, type Flags, readConfig, unknownVariables } from '../config/config.ts'
import { endpointSecrets } from '../config/endpoint-secrets.ts'
import type { PartnerSettings } from '../config/partner-settings.ts'
import { readPartnersFile } from '../config/partners.ts'
import { readSourceFile } from '../config/source.ts'
import { type RunningWaybill, runEmbedded } from '../start/run-embedded.ts'
import { paint } from '../view/painter.ts'
import { addDataOptions, addFormatOptions, environmentHelp, type Finish } from './options.ts'

const examples = `
Examples:
  waybill start                              the demo: a simulated order system, seven receivers, live numbers
  waybill start --rate 50                    fifty new orders a second, some 250 events
  waybill start --partners my-partners.yaml  the demo's orders, sent to your own endpoints
  waybill start --duration 60 --json         a minute of it, as JSON lines

Stop it with Ctrl-C; a second Ctrl-C does not wait. Everything is kept in the data directory and goes on with the
next start. Exit codes: 0 stopped by --duration or SIGTERM, 130 by Ctrl-C, 2 wrong configuration, 3 the data
directory cannot be opened, 1 internal error.
`

/** Adds the command to the program. */
export function addStart(program: Command, surroundings: Surroundings, finish: Finish): void {
  const command = program
    .command('start')
    .description('run the pipeline in this process, by default with a demo')
    .option('--no-demo', 'without the simulated order system and its receivers')
    .option('--rate <orders>', 'new demo orders per second; each makes about five events (default: 2)')
    .option('--seed <number>', 'seed of the demo (default: 1)')
    .option('--partners <file>', 'partners.yaml: who receives webhooks')
    .option('--source <file>', 'source.yaml: how tables and columns become events')
    .option('--port <number>', 'where the API listens on 127.0.0.1 (default: 4929)')
    .option('--no-api', 'without the API and the delivery log behind it')
    .option('--duration <time>', 'stop by itself, e.g. 60, 90s, 5m')
  addDataOptions(command)
  addFormatOptions(command)
  command
    .addHelpText('after', `${environmentHelp}${examples}`)
    .action(async () => finish(await start(command.optsWithGlobals<Flags>(), surroundings)))
}

/** Runs until it is stopped; returns the exit code. */
export async function start(flags: Flags, surroundings: Surroundings): Promise<ExitCode> {
  const config = readConfig(flags, surroundings)
  const note = (text: string) => surroundings.stderr.write(`${oneLine(text)}\n`)
  for (const problem of unknownVariables(surroundings.env)) note(`waybill: ${problemText(problem)}`)
  for (const [name, value] of describeConfig(config)) note(`  ${name.padEnd(15)}${value}`)

  const mapping = readSourceFile(config.sourceFile)
  const partners = config.partnersFile === undefined ? undefined : readPartners(config, surroundings, note)
  // While a terminal shows the view, a line in between would tear it: kept until the end.
  const later: string[] = []
  const screen = config.format === 'text' && surroundings.stdout.isTTY
  let painting = false
  const waybill = await runEmbedded({
    config,
    mapping,
    partners,
    clock: surroundings.clock,
    random: surroundings.random,
    version: programVersion(),
    report(message, cause) {
      const text = `waybill: ${message}${cause === undefined ? '' : `: ${String(cause)}`}`
      if (painting && screen) later.push(text)
      else note(text)
    },
  })
  painting = true
  try {
    return await watch(waybill, config, surroundings)
  } finally {
    painting = false
    for (const text of later.slice(-20)) note(text)
    await waybill.stop()
    note('waybill: stopped; everything accepted is kept in the data directory')
  }
}

/** Shows numbers until a signal, the end of `--duration`, or a failure. */
async function watch(waybill: RunningWaybill, config: Config, surroundings: Surroundings): Promise<ExitCode> {
  const { clock, stdout, stop, env } = surroundings
  const showing = new AbortController()
  const painted = paint({
    output: stdout,
    clock,
    format: config.format,
    color: colorWanted(env, stdout),
    snapshot: waybill.snapshot,
    signal: showing.signal,
  })
  const endsAt = config.durationMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + config.durationMs
  try {
    await Promise.race([wait(clock, endsAt, stop), waybill.failed])
  } catch (error) {
    throw environmentalFailure(error)
  } finally {
    showing.abort()
    await painted
  }
  return stop.aborted && (stop.reason as StopReason) === 'SIGINT' ? exitCode.interrupted : exitCode.ok
}

/** What broke around us gets words and a mend; everything else is a bug and stays as it is. */
export function environmentalFailure(error: unknown): unknown {
  if (error instanceof LogError) {
    const mend = 'mend the cause (a full or failing disk?) and start again: nothing accepted is lost'
    const problem = { what: `the record log failed: ${error.message}`, mend }
    return new CliError(exitCode.unreachable, problem, { cause: error })
  }
  if (error instanceof SealingError) {
    const problem = { what: error.message, mend: 'restore the key file that sealed this data' }
    return new CliError(exitCode.usage, problem, { cause: error })
  }
  return error
}

function readPartners(
  config: Config,
  { env, random }: Surroundings,
  note: (text: string) => void,
): PartnerSettings[] {
  const secrets = endpointSecrets(config.dataDirectory, random)
  const partners = readPartnersFile(config.partnersFile ?? '', { env, generated: secrets.generated })
  const made = secrets.save()
  if (made.length > 0) note(`waybill: made signing secrets for ${made.join(', ')}: see ${secrets.file}`)
  return partners
}
