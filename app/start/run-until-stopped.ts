/**
 * What `waybill start` and `waybill run` have in common: prints the settings, checks all that can be checked before
 * anything is opened, runs, shows numbers, and stops cleanly.
 */

import { makeVetting } from '../../connectors/webhook/address-vetting.ts'
import { makeHostCheck } from '../../connectors/webhook/host-check.ts'
import { oneLine, problemText } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { steadyReport } from '../cli/steady-report.ts'
import { colorWanted, type StopReason, type Surroundings } from '../cli/surroundings.ts'
import { programVersion } from '../cli/version.ts'
import { wait } from '../cli/wait.ts'
import { apiAuth } from '../config/api-access.ts'
import type { Config } from '../config/config.ts'
import { describeConfig } from '../config/describe-config.ts'
import { unknownVariables } from '../config/environment.ts'
import { readPartnersFile } from '../config/partners.ts'
import { readSourceFile } from '../config/source.ts'
import { unsendableNotices } from '../notices/tell-unsendable.ts'
import { paint } from '../view/painter.ts'
import { checkEnvironment } from './check-environment.ts'
import { environmentalFailure } from './environmental-failure.ts'
import { type RunningWaybill, runWaybill } from './run-waybill.ts'
import { tellUncallable } from './tell-uncallable.ts'

export interface RunOptions {
  /** `start` makes what is missing; `run` takes nothing but what it was given. */
  readonly command: 'start' | 'run'
  readonly config: Config
  readonly surroundings: Surroundings
}

/** Returns the exit code; throws a `CliError` for what somebody can mend. */
export async function runUntilStopped({ command, config, surroundings }: RunOptions): Promise<ExitCode> {
  const note = (text: string) => surroundings.stderr.write(`${oneLine(text)}\n`)
  printSettings(config, surroundings.env, note)
  const auth = apiAuth(config, command)
  const mapping = readSourceFile(config.sourceFile)
  const partners =
    config.partnersFile === undefined
      ? undefined
      : readPartnersFile(config.partnersFile, { env: surroundings.env, vetting: makeVetting(config.egress) })
  await checkEnvironment(config)

  // While a terminal shows the view, a line in between would tear it: kept until the end.
  const later: string[] = []
  const screen = config.format === 'text' && surroundings.stdout.isTTY
  let painting = false
  const say = (text: string): void => {
    if (painting && screen) later.push(text)
    else note(text)
  }
  // Beside the start: a name server that does not answer must not hold it up, and each call judges again.
  const over = new AbortController()
  const check = makeHostCheck({ egress: config.egress, clock: surroundings.clock })
  void tellUncallable(partners ?? [], check, over.signal, say)
  for (const problem of unsendableNotices(partners ?? [], config.notices)) say(`waybill: ${problem}`)
  const waybill = await runWaybill({
    config,
    mapping,
    partners,
    auth,
    mayMakeKeys: command === 'start',
    onSecretMade: ({ endpointId, forPartner }) =>
      note(
        `waybill: made the signing secret of ${endpointId}; give it to the partner, it is shown this once: ${forPartner}`,
      ),
    // The view would be torn by it, and who looks at one has read the settings above it.
    onListening: (url) => !screen && note(`waybill: the API listens on ${url}`),
    signal: surroundings.stop,
    clock: surroundings.clock,
    random: surroundings.random,
    version: programVersion(),
    report: steadyReport((text) => say(`waybill: ${text}`), surroundings.clock),
  }).catch((error: unknown) => {
    // Whoever stops it while it waits for a broker has not met a failure.
    if (surroundings.stop.aborted) return undefined
    throw environmentalFailure(error)
  })
  if (!waybill) return stoppedBy(surroundings)
  painting = true
  try {
    return await watch(waybill, config, surroundings)
  } finally {
    painting = false
    over.abort()
    for (const text of later.slice(-20)) note(text)
    await waybill.stop()
    note(`waybill: stopped; everything accepted is kept in ${config.kafka ? 'Kafka' : 'the data directory'}`)
  }
}

function printSettings(config: Config, env: Surroundings['env'], note: (text: string) => void): void {
  for (const problem of unknownVariables(env)) note(`waybill: ${problemText(problem)}`)
  for (const { name, value, from } of describeConfig(config)) {
    note(`  ${name.padEnd(15)}${value}${from === undefined ? '' : ` (${from})`}`)
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
  return stoppedBy(surroundings)
}

const stoppedBy = ({ stop }: Surroundings): ExitCode =>
  stop.aborted && (stop.reason as StopReason) === 'SIGINT' ? exitCode.interrupted : exitCode.ok
