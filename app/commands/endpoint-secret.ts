/** `waybill endpoints rotate-secret`: replaces the signing secret of an endpoint while everything runs. */
import type { Command } from 'commander'
import { endpointSecretBody } from '../../api/contract/endpoint-secret.ts'
import { CliError, oneLine } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { requestKey } from '../client/request-key.ts'
import { addClientOptions, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import { longTime } from '../client/words.ts'
import type { ClientFlags } from '../config/client-config.ts'
import { parseDuration } from '../config/duration.ts'
import type { Finish } from './options.ts'

const examples = `
The new secret is printed once, on stdout: give it to the partner, whose receiver takes both until the overlap is over.
A secret that partners.yaml states is replaced there.

Examples:
  waybill endpoints rotate-secret acme-orders
  waybill endpoints rotate-secret acme-orders --overlap 7d > secret
  waybill endpoints rotate-secret acme-orders --overlap 0s     the former one was stolen
`

interface RotateFlags extends ClientFlags {
  readonly overlap?: string
}

/** Adds the command to `waybill endpoints`. */
export function addEndpointSecret(endpoints: Command, surroundings: Surroundings, finish: Finish): void {
  const command = endpoints
    .command('rotate-secret')
    .description('replace the signing secret of an endpoint')
    .argument('<endpoint-id>', 'the endpoint')
    .option('--overlap <time>', 'how long the former secret goes on signing (default: 24h)')
  addClientOptions(command)
  command
    .addHelpText('after', `${clientEnvironmentHelp}${examples}`)
    .action(async (id: string) =>
      finish(await rotateSecret(id, command.optsWithGlobals<RotateFlags>(), surroundings)),
    )
}

async function rotateSecret(id: string, flags: RotateFlags, surroundings: Surroundings): Promise<ExitCode> {
  const search = flags.overlap === undefined ? '' : `?overlap_seconds=${overlapSeconds(flags.overlap)}`
  return withClient(flags, surroundings, async (run) => {
    const path = `/v1/endpoints/${encodeURIComponent(id)}/secret/rotate${search}`
    const rotated = await run.client.post(path, requestKey(surroundings.random), endpointSecretBody)
    if (run.config.format === 'json') run.json(rotated)
    else {
      run.lines([rotated.secret])
      run.note(
        oneLine(
          `${id}  signs with it as ${rotated.key_id}, and with the former secret until ${longTime(rotated.former_until)} UTC`,
        ),
      )
    }
    return exitCode.ok
  })
}

function overlapSeconds(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return Math.round(ms / 1000)
  throw new CliError(exitCode.usage, {
    what: `--overlap "${text}" is not a time`,
    mend: 'write e.g. 24h or 7d; 0s stops the former secret at once',
  })
}
