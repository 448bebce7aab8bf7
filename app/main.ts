/** The command line: parses the arguments, runs one command, and turns how it ended into an exit code. */
import { Command } from 'commander'
import { type ExitCode, exitCode } from './cli/exit-code.ts'
import { reportFailure } from './cli/report-failure.ts'
import { processSurroundings, type StopReason, type Surroundings } from './cli/surroundings.ts'
import { programVersion } from './cli/version.ts'
import { addBackup } from './commands/backup.ts'
import { addConnectors } from './commands/connectors.ts'
import { addDeliveries } from './commands/deliveries.ts'
import { addDemoOms } from './commands/demo-oms.ts'
import { addEndpoints } from './commands/endpoints.ts'
import { addEvents } from './commands/events.ts'
import { addGaps } from './commands/gaps.ts'
import { addKeys } from './commands/keys.ts'
import { addListen } from './commands/listen.ts'
import { addLog } from './commands/log.ts'
import { addReplay } from './commands/replay.ts'
import { addRun } from './commands/run.ts'
import { addSchemas } from './commands/schemas.ts'
import { addSource } from './commands/source.ts'
import { addStart } from './commands/start.ts'
import { addTokens } from './commands/tokens.ts'
import { addTopology } from './commands/topology.ts'
import { isOn } from './config/environment.ts'

const description = `Turns order changes captured from a database into webhooks that partners can rely on.`

const footer = `
Examples:
  waybill start                          the demo, in this process
  waybill run --config waybill.yaml      your own data
  waybill replay captured.jsonl.gz       what captured changes would have done
  waybill deliveries list --status dead  what failed for good, from a running Waybill
  waybill source check sample.jsonl      whether your tables are mapped, and what would be sent
  waybill topology show --mermaid        the pipeline as a diagram

\`waybill <command> --help\` explains a command. Exit codes: 0 ok, 1 internal error, 2 wrong usage, configuration
or input, 3 something cannot be reached, 100 findings, 130 interrupted.
`

/** Runs the command line of this process; sets the process's exit code. `argv` is `process.argv`. */
export async function run(argv: readonly string[]): Promise<void> {
  const { surroundings, release } = processSurroundings()
  try {
    process.exitCode = await runCommand(argv.slice(2), surroundings)
  } finally {
    release()
  }
}

/** The same for arguments alone, in any surroundings; never throws. */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let code: ExitCode = exitCode.ok
  const program = makeProgram(surroundings, (finished) => {
    code = finished
  })
  try {
    await program.parseAsync(args.length === 0 ? ['--help'] : args, { from: 'user' })
    return code
  } catch (error) {
    // Nobody reads any more: that ended the command, whatever it said about it.
    if ((surroundings.stop.reason as StopReason | undefined) === 'broken-pipe') return exitCode.ok
    return reportFailure(
      error,
      surroundings.stderr,
      args.includes('--debug') || isOn(surroundings.env.WAYBILL_DEBUG),
    )
  }
}

function makeProgram(surroundings: Surroundings, finish: (code: ExitCode) => void): Command {
  const { stdout, stderr } = surroundings
  const program = new Command('waybill')
    .description(description)
    .version(programVersion(), '-V, --version', 'print the version')
    .option('--debug', 'show the stack of internal errors')
    .helpOption('-h, --help', 'explain')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', footer)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      // Mistakes are worded by reportFailure.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(stdout.columns() ?? 100, 110),
    })
  addStart(program, surroundings, finish)
  addRun(program, surroundings, finish)
  addReplay(program, surroundings, finish)
  addSource(program, surroundings, finish)
  addEvents(program, surroundings, finish)
  addDeliveries(program, surroundings, finish)
  addEndpoints(program, surroundings, finish)
  addGaps(program, surroundings, finish)
  addLog(program, surroundings, finish)
  addListen(program, surroundings, finish)
  addBackup(program, surroundings, finish)
  addConnectors(program, surroundings, finish)
  addKeys(program, surroundings, finish)
  addSchemas(program, surroundings, finish)
  addTokens(program, surroundings, finish)
  addTopology(program, surroundings, finish)
  addDemoOms(program, surroundings, finish)
  return program
}
