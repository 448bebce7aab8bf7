/** `waybill run`: the pipeline for your own data. Takes nothing but what it was given: no demo, no keys of its own. */
import type { Command } from 'commander'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { type Flags, readConfig } from '../config/config.ts'
import { runUntilStopped } from '../start/run-until-stopped.ts'
import { addFormatOptions, addServeOptions, environmentHelp, type Finish } from './options.ts'

const examples = `
Examples:
  waybill keys new .waybill/keys.json        once: the keys that seal personal data
  waybill run --config waybill.yaml          takes changes by POST /ingest and from a folder, as configured
  waybill run --partners partners.yaml --source source.yaml --ingest-folder incoming --no-api

SIGTERM and Ctrl-C stop it cleanly; a second one does not wait. Exit codes: 0 stopped by SIGTERM or --duration, 130 by
Ctrl-C, 2 wrong configuration, 3 the data directory, the port or the database cannot be had, or the disk failed,
1 internal error.
`

/** Adds the command to the program. */
export function addRun(program: Command, surroundings: Surroundings, finish: Finish): void {
  const command = program
    .command('run')
    .description('run the pipeline for your own data, from configuration only')
  addServeOptions(command)
  addFormatOptions(command)
  command
    .addHelpText('after', `${environmentHelp}${examples}`)
    .action(async () => finish(await run(command.optsWithGlobals<Flags>(), surroundings)))
}

/** Runs until it is stopped; returns the exit code. */
export async function run(flags: Flags, surroundings: Surroundings): Promise<ExitCode> {
  const config = readConfig({ ...flags, demo: false }, surroundings)
  if (config.partnersFile === undefined) {
    throw new CliError(exitCode.usage, {
      what: 'nobody is named to send to',
      mend: 'name partners.yaml with --partners, WAYBILL_PARTNERS or "partners:" (an example: app/defaults/partners.yaml)',
    })
  }
  const { folder, tokens, signingSecrets } = config.ingest
  // On Kafka, connectors write to the captured topics themselves.
  if (!config.kafka && folder === undefined && tokens.length + signingSecrets.length === 0) {
    surroundings.stderr.write(
      'waybill: no way in is configured, so only what the data directory holds is worked off — see "ingest:" in app/defaults/waybill.yaml\n',
    )
  }
  return runUntilStopped({ command: 'run', config, surroundings })
}
