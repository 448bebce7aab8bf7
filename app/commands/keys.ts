/** `waybill keys new FILE`: the keys that seal personal data, made once and on purpose. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { makeKeyFile } from '../config/keys.ts'
import type { Finish } from './options.ts'

const examples = `
Keep a copy as safe as the data: without it, nothing that was sealed can be opened again.

Examples:
  waybill keys new .waybill/keys.json    where waybill run looks by itself
  waybill keys new /etc/waybill/keys.json
`

/** Adds the command to the program. */
export function addKeys(program: Command, surroundings: Surroundings, finish: Finish): void {
  const keys = program.command('keys').description('make the keys that seal personal data')
  keys
    .command('new')
    .description('make a key file, readable by its owner alone')
    .argument('<file>', 'where; a file that is there is never overwritten')
    .addHelpText('after', examples)
    .action((file: string) => finish(newKeys(file, surroundings)))
}

function newKeys(named: string, surroundings: Surroundings): ExitCode {
  const file = resolve(surroundings.cwd, named)
  const made = makeKeyFile(file, surroundings)
  if (!made) {
    const problem = {
      what: 'there is a file already; it is kept',
      place: { file },
      mend: 'choose another name',
    }
    throw new CliError(exitCode.usage, problem)
  }
  surroundings.stderr.write(
    `waybill: made the key ${made.active} in ${file}: keep a copy as safe as the data\n`,
  )
  return exitCode.ok
}
