/** `waybill deliveries list|show|retry|cancel|redrive`: one event for one endpoint, its requests, and what to do about it. */
import type { Command } from 'commander'
import {
  commandBody,
  type DeliveryDetailBody,
  deliveryDetailBody,
  deliveryPageBody,
} from '../../api/contract/answers.ts'
import type { AttemptBody, DeliveryBody } from '../../api/contract/rows.ts'
import { CliError, oneLine, type Problem } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { addFilterOptions, type FilterFlags, queryOf } from '../client/filters.ts'
import { readPages } from '../client/read-pages.ts'
import { requestKey } from '../client/request-key.ts'
import { addClientOptions, type ClientRun, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import {
  bodyLines,
  type Colors,
  facts,
  listNote,
  longTime,
  outcomeText,
  paintState,
  shortTime,
} from '../client/words.ts'
import type { ClientFlags } from '../config/client-config.ts'
import { formatMs } from '../view/cells.ts'
import { type Column, table } from '../view/table.ts'
import type { Finish } from './options.ts'
import { addRedrive } from './redrive.ts'

const listExamples = `
Examples:
  waybill deliveries list --status waiting           what is queued, in flight or waiting for a retry
  waybill deliveries list --status dead --since 24h --endpoint acme-orders
  waybill deliveries list --status dead --json | jq -r .delivery_id | xargs waybill deliveries retry

Times are UTC.
`
const showExamples = `
Examples:
  waybill deliveries show 3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55
`
const retryExamples = `
A waiting delivery is sent now instead of when its retry falls due; a dead or skipped one is sent again, the same
bytes under the same webhook-id, with all its retries. What is delivered is never sent again.

Examples:
  waybill deliveries retry 3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55
  waybill deliveries list --status failed --json | jq -r .delivery_id | xargs waybill deliveries retry
`
const cancelExamples = `
A request that is running is not broken off, and if it succeeds the delivery is delivered. A cancelled delivery is
skipped, and can be sent again with retry.

Examples:
  waybill deliveries cancel 3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55
`

/** Adds the commands to the program. */
export function addDeliveries(program: Command, surroundings: Surroundings, finish: Finish): void {
  const deliveries = program
    .command('deliveries')
    .description('look up deliveries, send them again, give them up')
  const list = deliveries.command('list').description('list deliveries, newest event first')
  addFilterOptions(list)
  addClientOptions(list)
  list
    .addHelpText('after', `${clientEnvironmentHelp}${listExamples}`)
    .action(async () =>
      finish(await listDeliveries(list.optsWithGlobals<FilterFlags & ClientFlags>(), surroundings)),
    )
  const show = deliveries
    .command('show')
    .description('show a delivery, its requests, and its body with secrets masked')
    .argument('<delivery-id>', 'the delivery')
  addClientOptions(show)
  show
    .addHelpText('after', `${clientEnvironmentHelp}${showExamples}`)
    .action(async (id: string) =>
      finish(await showDelivery(id, show.optsWithGlobals<ClientFlags>(), surroundings)),
    )
  for (const [wish, description, examples] of [
    ['retry', 'send deliveries now, or again', retryExamples],
    ['cancel', 'give waiting deliveries up', cancelExamples],
  ] as const) {
    const command = deliveries
      .command(wish)
      .description(description)
      .argument('<delivery-ids...>', 'the deliveries')
    if (wish === 'retry') {
      command.option('--confirm-out-of-order', 'strict order: also what now comes after a newer event')
    }
    addClientOptions(command)
    command
      .addHelpText('after', `${clientEnvironmentHelp}${examples}`)
      .action(async (ids: string[]) =>
        finish(await commandDeliveries(wish, ids, command.optsWithGlobals<CommandFlags>(), surroundings)),
      )
  }
  addRedrive(deliveries, surroundings, finish)
}

/** Fewest rows that the API gives as a page of deliveries. */
const pageRowsMin = 5

function listDeliveries(flags: FilterFlags & ClientFlags, surroundings: Surroundings): Promise<ExitCode> {
  const { search, limit } = queryOf(flags, surroundings.clock.now(), pageRowsMin)
  return withClient(flags, surroundings, async (run) => {
    const { client, config, colors, width } = run
    const found = await readPages(
      (path) => client.get(path, deliveryPageBody),
      `/v1/deliveries${search}`,
      ({ deliveries }) => deliveries,
      limit,
    )
    if (config.format === 'json') for (const row of found.rows) run.json(row)
    else {
      if (found.rows.length > 0) {
        run.lines(table(deliveryColumns(colors, found.rows), found.rows, width, colors.dim))
      }
      run.note(listNote(found.rows.length, ['delivery', 'deliveries'], found.more, found.asOf))
    }
    return exitCode.ok
  })
}

const deliveryColumns = (colors: Colors, rows: readonly DeliveryBody[]): Column<DeliveryBody>[] => [
  { title: 'OCCURRED', text: ({ occurred_at }) => shortTime(occurred_at), drop: 1 },
  { title: 'EVENT', text: ({ event }) => event, drop: 2 },
  { title: 'ORDER', text: ({ order_id }) => order_id, drop: 3 },
  { title: 'ENDPOINT', text: ({ endpoint_id }) => endpoint_id, shrinkTo: 12 },
  {
    title: 'STATE',
    text: ({ state }) => state,
    paint: (text, { state }) => paintState(colors, state, text),
  },
  { title: 'TRIES', text: ({ attempts }) => String(attempts), align: 'right', drop: 4 },
  {
    title: 'LATEST',
    text: ({ last_outcome, last_status_code }) => outcomeText(last_outcome, last_status_code),
    drop: 5,
  },
  // Of ordinary deliveries it would be empty.
  ...(rows.some((row) => howText(row) !== '') ? [{ title: 'HOW', text: howText, drop: 6 }] : []),
  { title: 'DELIVERY ID', text: ({ delivery_id }) => delivery_id },
]

/** What is not ordinary about the way in which it was sent. */
const howText = ({ by_hand, redrive_id, out_of_order, test }: DeliveryBody): string =>
  [
    ...(test ? ['test'] : []),
    ...(redrive_id === null ? [] : ['redriven']),
    ...(by_hand && !test ? ['by hand'] : []),
    ...(out_of_order ? ['out of order'] : []),
  ].join(', ')

function showDelivery(id: string, flags: ClientFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withClient(flags, surroundings, async (run) => {
    const found = await run.client.get(`/v1/deliveries/${encodeURIComponent(id)}`, deliveryDetailBody)
    if (run.config.format === 'json') run.json(found)
    else run.lines(deliveryLines(found, run))
    return exitCode.ok
  })
}

function deliveryLines({ delivery, attempts, payload, as_of }: DeliveryDetailBody, run: ClientRun): string[] {
  const { colors, width } = run
  return [
    ...facts(colors, [
      ['delivery', delivery.delivery_id],
      ['event', delivery.event_id],
      ['type', `${delivery.event}, payload ${delivery.payload_version}`],
      ['order', delivery.order_id],
      ['endpoint', `${delivery.endpoint_id} of ${delivery.partner_id}`],
      ['state', delivery.reason === null ? delivery.state : `${delivery.state}: ${delivery.reason}`],
      ['retries', `${delivery.retry_count} of 3`],
      ['next retry', delivery.next_due_at === null ? null : longTime(delivery.next_due_at)],
      ['how', howText(delivery) || null],
      ['redrive', delivery.redrive_id],
      ['waited', waitedText(delivery)],
      ['occurred', longTime(delivery.occurred_at)],
      ['routed', longTime(delivery.routed_at)],
      ['changed', longTime(delivery.changed_at)],
      ['as of', as_of === null ? null : `${longTime(as_of)} UTC`],
    ]),
    ...(attempts.length > 0
      ? ['', ...table(attemptColumns(colors, attempts), attempts, width, colors.dim)]
      : []),
    ...bodyLines(colors, 'body', payload),
  ]
}

const waitedText = ({ waited_for_order_ms }: DeliveryBody): string | null =>
  waited_for_order_ms === 0 ? null : `${formatMs(waited_for_order_ms)} for earlier events of its order`

/** A wait is worth a column from here on: below it is the way through the queue itself. */
const queuedWorthMs = 1000

const attemptColumns = (colors: Colors, attempts: readonly AttemptBody[]): Column<AttemptBody>[] => [
  { title: 'REQUESTED', text: ({ started_at }) => longTime(started_at) },
  {
    title: 'WHY',
    text: ({ trigger, retry_count, again }) =>
      `${trigger === 'RETRY' ? `retry ${retry_count}` : trigger.toLowerCase()}${again ? ', perhaps a repeat' : ''}`,
  },
  {
    title: 'OUTCOME',
    text: ({ outcome, status_code }) => outcomeText(outcome, status_code),
    paint: (text, { outcome }) => (outcome === 'acknowledged' ? colors.green(text) : colors.red(text)),
  },
  ...(attempts.some(({ queued_ms }) => queued_ms >= queuedWorthMs) ? [queuedColumn] : []),
  { title: 'TOOK', text: ({ duration_ms }) => formatMs(duration_ms), align: 'right', drop: 1 },
  ...(attempts.some(({ retry_after_ms }) => retry_after_ms !== null) ? [retryAfterColumn] : []),
  { title: 'DETAIL', text: ({ detail }) => detail ?? '', shrinkTo: 10 },
]

const queuedColumn: Column<AttemptBody> = {
  title: 'QUEUED',
  text: ({ queued_ms }) => formatMs(queued_ms),
  align: 'right',
  drop: 2,
}

const retryAfterColumn: Column<AttemptBody> = {
  title: 'RETRY AFTER',
  text: ({ retry_after_ms }) => (retry_after_ms === null ? '' : formatMs(retry_after_ms)),
  align: 'right',
  drop: 3,
}

interface CommandFlags extends ClientFlags {
  readonly confirmOutOfOrder?: boolean
}

/** Each by itself: what is wrong with one is told at the end and keeps no other from being done. */
async function commandDeliveries(
  wish: 'retry' | 'cancel',
  ids: readonly string[],
  flags: CommandFlags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { random } = surroundings
  const query = flags.confirmOutOfOrder === true ? '?confirm_out_of_order=true' : ''
  const problems: Problem[] = []
  await withClient(flags, surroundings, async (run) => {
    for (const id of ids) {
      const key = requestKey(random)
      try {
        const taken = await run.client.post(
          `/v1/deliveries/${encodeURIComponent(id)}/${wish}${query}`,
          key,
          commandBody,
        )
        if (run.config.format === 'json') run.json(taken)
        else run.lines([oneLine(`${taken.delivery_id}  ${taken.will}`)])
      } catch (error) {
        if (!(error instanceof CliError) || error.exitCode !== exitCode.usage) throw error
        problems.push(...error.problems)
      }
    }
  })
  if (problems.length > 0) throw new CliError(exitCode.usage, problems)
  return exitCode.ok
}
