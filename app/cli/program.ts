/** What every command line of Waybill has in common: the program around its commands, and how one run ends. */
import { Command } from 'commander'
import { isOn } from '../config/environment.ts'
import { type ExitCode, exitCode } from './exit-code.ts'
import { reportFailure } from './report-failure.ts'
import { processSurroundings, type StopReason, type Surroundings } from './surroundings.ts'
import { programVersion } from './version.ts'

/** Adds commands to the program; the one that runs says how it finished. */
export type AddCommands = (
  program: Command,
  surroundings: Surroundings,
  finish: (code: ExitCode) => void,
) => void

/** Runs the command line of this process; sets the process's exit code. `argv` is `process.argv`. */
export async function runProcess(argv: readonly string[], addCommands: AddCommands): Promise<void> {
  const { surroundings, release } = processSurroundings()
  try {
    process.exitCode = await runProgram(argv.slice(2), surroundings, addCommands)
  } finally {
    release()
  }
}

/** The same for arguments alone, in any surroundings; never throws. */
export async function runProgram(
  args: readonly string[],
  surroundings: Surroundings,
  addCommands: AddCommands,
): Promise<ExitCode> {
  let code: ExitCode = exitCode.ok
  const program = bareProgram(surroundings)
  addCommands(program, surroundings, (finished) => {
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

function bareProgram({ stdout, stderr }: Surroundings): Command {
  return new Command('waybill')
    .version(programVersion(), '-V, --version', 'print the version')
    .option('--debug', 'show the stack of internal errors')
    .helpOption('-h, --help', 'explain')
    .helpCommand('help [command]', 'explain a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      // Mistakes are worded by reportFailure.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(stdout.columns() ?? 100, 110),
    })
}
