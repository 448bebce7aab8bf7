/**
 * `waybill schemas …` alone. It runs on every commit, and loading the pipeline takes four times as long as a check:
 * so `bin/waybill.js` starts this file for it. The commands are those of `app/main.ts`.
 */
import { runProcess } from './cli/program.ts'
import { addSchemas } from './commands/schemas.ts'

/** Runs the command line of this process; sets the process's exit code. `argv` is `process.argv`. */
export const run = (argv: readonly string[]): Promise<void> => runProcess(argv, addSchemas)
