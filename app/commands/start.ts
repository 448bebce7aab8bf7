/** `waybill start`: the whole pipeline in this process, with a demo to look at. */
import type { Command } from 'commander'
import type { ExitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { type Flags, readConfig } from '../config/config.ts'
import { runUntilStopped } from '../start/run-until-stopped.ts'
import { addFormatOptions, addServeOptions, environmentHelp, type Finish } from './options.ts'

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
  addServeOptions(command)
  addFormatOptions(command)
  command
    .addHelpText('after', `${environmentHelp}${examples}`)
    .action(async () => finish(await start(command.optsWithGlobals<Flags>(), surroundings)))
}

/** Runs until it is stopped; returns the exit code. */
export function start(flags: Flags, surroundings: Surroundings): Promise<ExitCode> {
  const config = readConfig(flags, surroundings)
  return runUntilStopped({ command: 'start', config, surroundings })
}
