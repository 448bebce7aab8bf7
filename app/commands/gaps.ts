/** `waybill gaps [--send]`: transitions that a snapshot showed and no change had told of. */
import { type Command, Option } from 'commander'
import { type GapBody, gapCommandBody, gapListBody } from '../../api/contract/gaps.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { addClientOptions, type ClientRun, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import { type Colors, shortTime } from '../client/words.ts'
import type { ClientFlags } from '../config/client-config.ts'
import { type Column, table } from '../view/table.ts'
import type { Finish } from './options.ts'

const examples = `
A transition is missed when the source changed while nothing was captured, and a later snapshot shows it. Nothing of
it is sent by itself: what is old news to a partner is for a person to decide. A gap is sent once, whatever is repeated.

Examples:
  waybill gaps                          what was missed
  waybill gaps --state pending --json   what can be sent, a JSON object per line
  waybill gaps --order 1101 --send      send what was missed of an order
  waybill gaps --send                   send all that can be sent

Times are UTC.
`

interface GapFlags extends ClientFlags {
  readonly order?: string
  readonly partner?: string
  readonly state?: 'pending' | 'sent' | 'nothing_to_send'
  readonly send?: boolean
}

/** Adds the command to the program. */
export function addGaps(program: Command, surroundings: Surroundings, finish: Finish): void {
  const command = program
    .command('gaps')
    .description('list missed transitions, and send them')
    .option('--send', 'send those that are pending')
    .option('--order <id>', 'of one order')
    .option('--partner <id>', 'of one partner')
    .addOption(new Option('--state <state>', 'in one state').choices(['pending', 'sent', 'nothing_to_send']))
  addClientOptions(command)
  command
    .addHelpText('after', `${clientEnvironmentHelp}${examples}`)
    .action(async () => finish(await gaps(command.optsWithGlobals<GapFlags>(), surroundings)))
}

function gaps(flags: GapFlags, surroundings: Surroundings): Promise<ExitCode> {
  const search = new URLSearchParams()
  if (flags.order !== undefined) search.set('order', flags.order)
  if (flags.partner !== undefined) search.set('partner', flags.partner)
  if (flags.state !== undefined) search.set('state', flags.state.toUpperCase())
  return withClient(flags, surroundings, async (run) => {
    const { gaps: found } = await run.client.get(`/v1/gaps?${search}`, gapListBody)
    await (flags.send === true ? send(found, run, surroundings) : list(found, run))
    return exitCode.ok
  })
}

function list(found: readonly GapBody[], { config, colors, width, json, lines, note }: ClientRun): void {
  if (config.format === 'json') {
    for (const gap of found) json(gap)
    return
  }
  if (found.length > 0) lines(table(columns(colors), found, width, colors.dim))
  const pending = found.filter(({ state }) => state === 'PENDING').length
  note(`${found.length} missed, ${pending} can be sent${pending > 0 ? ' with --send' : ''}`)
}

const columns = (colors: Colors): Column<GapBody>[] => [
  { title: 'OCCURRED', text: ({ occurred_at }) => shortTime(occurred_at) },
  { title: 'ORDER', text: ({ order_id }) => order_id, shrinkTo: 8 },
  { title: 'PARTNER', text: ({ partner_id }) => partner_id, drop: 1 },
  { title: 'FROM', text: ({ from_status }) => from_status, drop: 2 },
  { title: 'TO', text: ({ to_status }) => to_status },
  { title: 'EVENT', text: ({ event }) => event ?? '', drop: 3 },
  {
    title: 'STATE',
    text: ({ state }) => state.toLowerCase(),
    paint: (text, { state }) => (state === 'PENDING' ? colors.yellow(text) : colors.dim(text)),
  },
]

async function send(found: readonly GapBody[], run: ClientRun, { random }: Surroundings): Promise<void> {
  const pending = found.filter(({ state }) => state === 'PENDING')
  for (const { order_id, event_id, event } of pending) {
    const path = `/v1/gaps/${encodeURIComponent(order_id)}/${encodeURIComponent(event_id)}/send`
    const key = `cli-${Buffer.from(random.bytes(16)).toString('hex')}`
    const taken = await run.client.post(path, key, gapCommandBody)
    if (run.config.format === 'json') run.json(taken)
    else run.lines([`${order_id}  ${event ?? ''}  ${taken.will}`])
  }
  if (run.config.format === 'text')
    run.note(`${pending.length} sent; ${found.length - pending.length} left alone`)
}
