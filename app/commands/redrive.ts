/** `waybill deliveries redrive`: sends again what an endpoint missed, and shows how far that is. */
import type { Command } from 'commander'
import {
  endpointCommandBody,
  type RedriveBody,
  redriveBody,
  redriveListBody,
} from '../../api/contract/redrives.ts'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { wait } from '../cli/wait.ts'
import { readTime } from '../client/filters.ts'
import { requestKey } from '../client/request-key.ts'
import { addClientOptions, type ClientRun, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import { type Colors, shortTime } from '../client/words.ts'
import type { ClientFlags } from '../config/client-config.ts'
import { type Column, table } from '../view/table.ts'
import type { Finish } from './options.ts'

const examples = `
Dead and skipped deliveries that match are sent again, the same bytes under the same webhook-id, each with all its
retries. Without filters: all that the endpoint missed, but what was cancelled. It goes on when this command is
interrupted; --stop ends it.

Examples:
  waybill deliveries redrive --endpoint acme-orders
  waybill deliveries redrive --endpoint acme-orders --type delivered --since 24h --outcome http_5xx --rate 20
  waybill deliveries redrive --list
  waybill deliveries redrive --stop 019ab4c2-7d5e-7c1a-9b1e-0c6f1b1f7a01

Times are UTC.
`

interface RedriveFlags extends ClientFlags {
  readonly endpoint?: string
  readonly type?: string
  readonly since?: string
  readonly until?: string
  readonly outcome?: readonly string[]
  readonly rate?: string
  readonly withinMaxAge?: boolean
  readonly confirmOutOfOrder?: boolean
  readonly wait: boolean
  readonly list?: boolean
  readonly stop?: string
}

/** Adds the command to `waybill deliveries`. */
export function addRedrive(deliveries: Command, surroundings: Surroundings, finish: Finish): void {
  const command = deliveries
    .command('redrive')
    .description('send again what an endpoint missed')
    .option('--endpoint <id>', 'the endpoint')
    .option('--type <event>', 'event type, e.g. out_for_delivery')
    .option('--since <time>', 'changed at or after: 30m, 24h, 7d ago, or 2026-11-22T08:00:00Z')
    .option('--until <time>', 'changed before, written alike')
    .option('--outcome <reasons...>', 'why they are dead or skipped, e.g. http_5xx, too_old')
    .option('--rate <per-second>', 'how many a second (default: 50)')
    .option('--within-max-age', 'leave what is older than the maximum age of its type')
    .option('--confirm-out-of-order', 'strict order: also what now comes after a newer event of its order')
    .option('--no-wait', 'do not wait for the end')
    .option('--list', 'show redrives instead')
    .option('--stop <redrive-id>', 'send no more of a redrive instead')
  addClientOptions(command)
  command
    .addHelpText('after', `${clientEnvironmentHelp}${examples}`)
    .action(async () => finish(await redrive(command.optsWithGlobals<RedriveFlags>(), surroundings)))
}

function redrive(flags: RedriveFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withClient(flags, surroundings, async (run) => {
    if (flags.list === true) return list(run, flags.endpoint)
    if (flags.stop !== undefined) return stop(run, flags.stop, surroundings)
    const body = bodyOf(flags, surroundings.clock.now())
    const taken = await run.client.post(
      '/v1/redrives',
      requestKey(surroundings.random),
      endpointCommandBody,
      body,
    )
    const id = taken.redrive_id ?? taken.command_id
    run.note(`redrive ${id}`)
    if (flags.wait) return follow(run, { id, endpoint: taken.endpoint_id }, surroundings)
    if (run.config.format === 'json') run.json(taken)
    return exitCode.ok
  })
}

/** What is asked for, as the API takes it. */
function bodyOf(flags: RedriveFlags, now: number): object {
  const problems: Problem[] = []
  if (flags.endpoint === undefined) {
    problems.push({ what: 'no endpoint is named', mend: 'say whose deliveries with --endpoint <id>' })
  }
  const perSecond = flags.rate === undefined ? undefined : Number(flags.rate)
  if (perSecond !== undefined && !(perSecond > 0)) {
    problems.push({ what: `--rate "${flags.rate}" is no rate`, mend: 'write how many a second, e.g. 20' })
  }
  const since = flags.since === undefined ? undefined : readTime('--since', flags.since, now, problems)
  const until = flags.until === undefined ? undefined : readTime('--until', flags.until, now, problems)
  if (problems.length > 0) throw new CliError(exitCode.usage, problems)
  return {
    endpoint: flags.endpoint,
    ...(flags.type !== undefined && { event: flags.type }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(flags.outcome !== undefined && { outcomes: flags.outcome }),
    ...(perSecond !== undefined && { per_second: perSecond }),
    ...(flags.withinMaxAge === true && { within_max_age: true }),
    ...(flags.confirmOutOfOrder === true && { confirm_out_of_order: true }),
  }
}

const lookEveryMs = 1000

/** A new redrive shows up with the first report of DELIVER; one that does not in this time was not taken. */
const looksForNewMax = 30

/** Shows how far it is until it ends; interrupted, it goes on without us. */
async function follow(
  run: ClientRun,
  { id, endpoint }: { readonly id: string; readonly endpoint: string },
  { clock, stop }: Surroundings,
): Promise<ExitCode> {
  let shown = ''
  // Not by its id: of one that no report has told of yet, that would be an error.
  const newest = `/v1/redrives?${new URLSearchParams({ endpoint, limit: '1000' })}`
  for (let looks = 1; ; looks++) {
    await wait(clock, clock.now() + lookEveryMs, stop)
    const { redrives } = await run.client.get(newest, redriveListBody)
    const found = redrives.find(({ redrive_id }) => redrive_id === id)
    if (!found) {
      if (looks < looksForNewMax) continue
      throw new CliError(exitCode.unreachable, {
        what: `nothing is known of redrive ${id} yet`,
        mend: 'look later with: waybill deliveries redrive --list',
      })
    }
    const line = progressLine(found)
    if (line !== shown && run.config.format === 'text') run.note(line)
    shown = line
    if (found.ended_at === null) continue
    if (run.config.format === 'json') run.json(found)
    return exitCode.ok
  }
}

function progressLine(found: RedriveBody): string {
  const { looked_at, to_look_at, redriven, delivered, dead, skipped, left_too_old, left_out_of_order } = found
  const left = [
    [left_too_old, 'left as too old'],
    [left_out_of_order, 'left as out of order'],
  ] as const
  return [
    `looked at ${looked_at} of ${to_look_at}`,
    `sent ${redriven} again: ${delivered} delivered, ${dead} dead, ${skipped} skipped`,
    ...left.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`),
  ].join('; ')
}

async function list(run: ClientRun, endpoint: string | undefined): Promise<ExitCode> {
  const search = endpoint === undefined ? '' : `?${new URLSearchParams({ endpoint })}`
  const { redrives } = await run.client.get(`/v1/redrives${search}`, redriveListBody)
  if (run.config.format === 'json') for (const one of redrives) run.json(one)
  else if (redrives.length > 0) run.lines(table(columns(run.colors), redrives, run.width, run.colors.dim))
  else run.note('no redrives')
  return exitCode.ok
}

async function stop(run: ClientRun, id: string, { random }: Surroundings): Promise<ExitCode> {
  const path = `/v1/redrives/${encodeURIComponent(id)}`
  const taken = await run.client.post(`${path}/stop`, requestKey(random), endpointCommandBody)
  const found = await run.client.get(path, redriveBody)
  if (run.config.format === 'json') run.json(taken)
  else run.lines([`${id}  ${taken.will}; ${found.redriven} were`])
  return exitCode.ok
}

const columns = (colors: Colors): Column<RedriveBody>[] => [
  { title: 'ASKED FOR', text: ({ requested_at }) => shortTime(requested_at) },
  { title: 'BY', text: ({ automatic, requested_by }) => (automatic ? 'itself' : requested_by), drop: 3 },
  { title: 'ENDPOINT', text: ({ endpoint_id }) => endpoint_id, shrinkTo: 12 },
  {
    title: 'STATE',
    text: ({ phase }) => phase.toLowerCase(),
    paint: (text, { ended_at }) => (ended_at === null ? colors.yellow(text) : colors.dim(text)),
  },
  { title: 'SENT', text: ({ redriven }) => String(redriven), align: 'right' },
  { title: 'DELIVERED', text: ({ delivered }) => String(delivered), align: 'right', drop: 2 },
  { title: 'DEAD', text: ({ dead }) => String(dead), align: 'right', drop: 1 },
  { title: 'REDRIVE ID', text: ({ redrive_id }) => redrive_id },
]
