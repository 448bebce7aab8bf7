/** What several commands have in common: options, and how a command hands back its exit code. */
import type { Command } from 'commander'
import type { ExitCode } from '../cli/exit-code.ts'
import { environmentVariables } from '../config/environment.ts'

/** Called once by the command that ran. */
export type Finish = (code: ExitCode) => void

/** `--format` and its alias. */
export function addFormatOptions(command: Command): void {
  command
    .option('--format <format>', 'text or json (default: text)')
    .option('--json', 'the same as --format json')
}

/** The configuration file, and where data is kept. */
export function addDataOptions(command: Command): void {
  command
    .option('--config <file>', 'the configuration file (every setting: app/defaults/waybill.yaml)')
    .option('--data-dir <folder>', 'where everything is kept (default: .waybill)')
}

/** What the commands that run the pipeline can be told. */
export function addServeOptions(command: Command): void {
  command
    .option('--partners <file>', 'partners.yaml: who receives webhooks')
    .option('--source <file>', 'source.yaml: how tables and columns become events')
    .option('--ingest-folder <folder>', 'take the captured files that appear in it')
    .option('--host <address>', 'where the API listens (default: 127.0.0.1)')
    .option('--port <number>', 'the port of the API (default: 4929)')
    .option('--no-api', 'without the API and the delivery log behind it')
    .option('--roles <list>', 'which steps run here, over Kafka, e.g. deliver,watch (default: all)')
    .option('--duration <time>', 'stop by itself, e.g. 60, 90s, 5m')
  addDataOptions(command)
  command.option('--key-file <file>', 'the sealing keys (default: keys.json in the data directory)')
}

/** The part of a help text about the environment. */
export const environmentHelp = `
Environment (flags win):
${Object.entries(environmentVariables)
  .map(([name, meaning]) => `  ${name.padEnd(24)}${meaning}`)
  .join('\n')}
  NO_COLOR                no colours
`
