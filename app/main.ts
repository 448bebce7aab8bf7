/** The command line: all commands, in the order in which help lists them. */
import type { ExitCode } from './cli/exit-code.ts'
import { type AddCommands, runProcess, runProgram } from './cli/program.ts'
import type { Surroundings } from './cli/surroundings.ts'
import { addBackup } from './commands/backup.ts'
import { addConnectors } from './commands/connectors.ts'
import { addDeliveries } from './commands/deliveries.ts'
import { addDemoDispatch } from './commands/demo-dispatch.ts'
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
export const run = (argv: readonly string[]): Promise<void> => runProcess(argv, addCommands)

/** The same for arguments alone, in any surroundings; never throws. */
export const runCommand = (args: readonly string[], surroundings: Surroundings): Promise<ExitCode> =>
  runProgram(args, surroundings, addCommands)

const addCommands: AddCommands = (program, surroundings, finish) => {
  program.description(description).addHelpText('after', footer)
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
  addDemoDispatch(program, surroundings, finish)
  addDemoOms(program, surroundings, finish)
}
