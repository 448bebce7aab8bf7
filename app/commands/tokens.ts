/** `waybill tokens new NAME`: a token for the API, and the lines that let it in. */
import { type Command, Option } from 'commander'
import { tokenHash } from '../../api/auth.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { idMend, idPattern } from '../config/endpoint-fields.ts'
import type { Finish } from './options.ts'

const examples = `
The token goes to stdout, for whoever is to use it, and is kept nowhere. The lines for the configuration file, with its
hash alone, go to stderr.

Examples:
  waybill tokens new grafana > grafana.token     sees everything, and may retry, cancel and send
  waybill tokens new acme --partner acme         sees what is the partner's
`

/** Adds the command to the program. */
export function addTokens(program: Command, surroundings: Surroundings, finish: Finish): void {
  const tokens = program.command('tokens').description('make tokens for the API')
  tokens
    .command('new')
    .description('make a token')
    .argument('<name>', 'who uses it')
    .addOption(new Option('--partner <id>', 'for one partner alone (default: for an operator)'))
    .addHelpText('after', examples)
    .action((name: string, { partner }: { partner?: string }) =>
      finish(newToken(name, partner, surroundings)),
    )
}

/** As hard to guess as a key. */
const tokenBytes = 32

function newToken(
  name: string,
  partner: string | undefined,
  { random, stdout, stderr }: Surroundings,
): ExitCode {
  for (const [what, id] of [
    ['name', name],
    ['partner', partner],
  ] as const) {
    if (id !== undefined && !idPattern.test(id))
      throw new CliError(exitCode.usage, { what: `the ${what} "${id}" will not do`, mend: idMend })
  }
  const token = `waybill_${Buffer.from(random.bytes(tokenBytes)).toString('base64url')}`
  const scope = partner === undefined ? 'operator' : `{ partner: ${JSON.stringify(partner)} }`
  stdout.write(`${token}\n`)
  stderr.write(
    `Put this into the configuration file:\n\napi:\n  tokens:\n    - name: ${JSON.stringify(name)}\n      sha256: ${tokenHash(token)}\n      scope: ${scope}\n`,
  )
  return exitCode.ok
}
