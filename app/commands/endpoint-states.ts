/** `waybill endpoints list|pause|resume`: how endpoints are set up, and holding back what goes to one. */
import type { Command } from 'commander'
import { type EndpointBody, endpointBody, endpointListBody } from '../../api/contract/endpoints.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { addClientOptions, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import type { Colors } from '../client/words.ts'
import type { ClientFlags } from '../config/client-config.ts'
import { type Column, table } from '../view/table.ts'
import { addEndpointWish } from './endpoint-wish.ts'
import type { Finish } from './options.ts'

const pauseExamples = `
Deliveries wait until it is resumed; a request that is running is not broken off. It stays paused over restarts.

Examples:
  waybill endpoints pause acme-orders
`
const resumeExamples = `
What waited is sent, as far as it is not too old.

Examples:
  waybill endpoints resume acme-orders
`

interface ListFlags extends ClientFlags {
  readonly partner?: string
}

/** Adds the commands to `waybill endpoints`. */
export function addEndpointStates(endpoints: Command, surroundings: Surroundings, finish: Finish): void {
  const list = endpoints
    .command('list')
    .description('list endpoints and how they are set up')
    .option('--partner <id>', 'of one partner')
  addClientOptions(list)
  list
    .addHelpText('after', clientEnvironmentHelp)
    .action(async () => finish(await listEndpoints(list.optsWithGlobals<ListFlags>(), surroundings)))
  const line = (endpoint: EndpointBody) => `${endpoint.endpoint_id}  ${stateText(endpoint)}`
  for (const [wish, description, examples] of [
    ['pause', 'hold back what goes to an endpoint', pauseExamples],
    ['resume', 'send what was held back', resumeExamples],
  ] as const) {
    addEndpointWish(endpoints, surroundings, finish, {
      ...{ wish, description, examples, body: endpointBody, line },
    })
  }
}

function listEndpoints(flags: ListFlags, surroundings: Surroundings): Promise<ExitCode> {
  const search = flags.partner === undefined ? '' : `?${new URLSearchParams({ partner: flags.partner })}`
  return withClient(flags, surroundings, async (run) => {
    const { endpoints } = await run.client.get(`/v1/endpoints${search}`, endpointListBody)
    if (run.config.format === 'json') for (const endpoint of endpoints) run.json(endpoint)
    else {
      if (endpoints.length > 0) run.lines(table(columns(run.colors), endpoints, run.width, run.colors.dim))
      run.note(`${endpoints.length} ${endpoints.length === 1 ? 'endpoint' : 'endpoints'}`)
    }
    return exitCode.ok
  })
}

const columns = (colors: Colors): Column<EndpointBody>[] => [
  { title: 'ENDPOINT', text: ({ endpoint_id }) => endpoint_id },
  { title: 'PARTNER', text: ({ partner_id }) => partner_id, drop: 2 },
  {
    title: 'STATE',
    text: stateText,
    paint: (text, { state }) => (state === 'active' ? colors.green(text) : colors.yellow(text)),
  },
  { title: 'PAYLOAD', text: ({ payload_version }) => payload_version, drop: 3 },
  { title: 'EVENTS', text: ({ events }) => events.join(','), drop: 4 },
  {
    title: 'SIGNS WITH',
    text: ({ signing_keys }) => signing_keys.map(({ key_id }) => key_id).join(','),
    drop: 5,
  },
  { title: 'URL', text: ({ url }) => url, shrinkTo: 20 },
]

const stateText = ({ state, stated_state }: EndpointBody): string =>
  stated_state === null ? state : `${state} (settings: ${stated_state})`
