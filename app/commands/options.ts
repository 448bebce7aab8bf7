/** What several commands have in common: options, and how a command hands back its exit code. */
import type { Command } from 'commander'
import type { ExitCode } from '../cli/exit-code.ts'
import { environmentVariables } from '../config/config.ts'

/** Called once by the command that ran. */
export type Finish = (code: ExitCode) => void

/** `--format` and its alias. */
export function addFormatOptions(command: Command): void {
  command
    .option('--format <format>', 'text or json (default: text)')
    .option('--json', 'the same as --format json')
}

/** Where data and keys are kept. */
export function addDataOptions(command: Command): void {
  command
    .option('--data-dir <folder>', 'where everything is kept (default: .waybill)')
    .option('--key-file <file>', 'the sealing keys (default: keys.json in the data directory)')
}

/** The part of a help text about the environment. */
export const environmentHelp = `
Environment (flags win):
${Object.entries(environmentVariables)
  .map(([name, meaning]) => `  ${name.padEnd(18)}${meaning}`)
  .join('\n')}
  NO_COLOR          no colours
`
