/** A command that asks one thing of one endpoint, with nothing more to say: `waybill endpoints <wish> <endpoint-id>`. */
import type { Command } from 'commander'
import type { Static, TSchema } from 'typebox'
import { oneLine } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { requestKey } from '../client/request-key.ts'
import { addClientOptions, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import type { ClientFlags } from '../config/client-config.ts'
import type { Finish } from './options.ts'

export interface EndpointWish<Body extends TSchema> {
  /** Names the command and the route. */
  readonly wish: string
  readonly description: string
  /** Shown after the options. */
  readonly examples: string
  /** What the route answers, and how that reads in a line. */
  readonly body: Body
  readonly line: (answer: Static<Body>) => string
}

/** Adds the command to `waybill endpoints`. */
export function addEndpointWish<Body extends TSchema>(
  endpoints: Command,
  surroundings: Surroundings,
  finish: Finish,
  wished: EndpointWish<Body>,
): void {
  const command = endpoints
    .command(wished.wish)
    .description(wished.description)
    .argument('<endpoint-id>', 'the endpoint')
  addClientOptions(command)
  command
    .addHelpText('after', `${clientEnvironmentHelp}${wished.examples}`)
    .action(async (id: string) =>
      finish(await ask(wished, id, command.optsWithGlobals<ClientFlags>(), surroundings)),
    )
}

function ask<Body extends TSchema>(
  { wish, body, line }: EndpointWish<Body>,
  id: string,
  flags: ClientFlags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  return withClient(flags, surroundings, async (run) => {
    const path = `/v1/endpoints/${encodeURIComponent(id)}/${wish}`
    const answer = await run.client.post(path, requestKey(surroundings.random), body)
    if (run.config.format === 'json') run.json(answer)
    else run.lines([oneLine(line(answer))])
    return exitCode.ok
  })
}
