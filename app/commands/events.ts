/** `waybill events list|show`: what happened to orders, and what became of it. */
import type { Command } from 'commander'
import { type EventDetailBody, eventDetailBody, eventPageBody } from '../../api/contract/answers.ts'
import type { DeliveryBody, EventBody, VerdictBody } from '../../api/contract/rows.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { addFilterOptions, type FilterFlags, queryOf } from '../client/filters.ts'
import { readPages } from '../client/read-pages.ts'
import { addClientOptions, type ClientRun, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import {
  bodyLines,
  type Colors,
  facts,
  listNote,
  longTime,
  outcomeText,
  paintCounts,
  paintState,
  shortTime,
  stateCounts,
} from '../client/words.ts'
import type { ClientFlags } from '../config/client-config.ts'
import { type Column, table } from '../view/table.ts'
import type { Finish } from './options.ts'

const listExamples = `
Examples:
  waybill events list                                the newest twenty
  waybill events list --status failed --since 24h    events with a dead delivery, of the last day
  waybill events list --order 1101                   the life of an order
  waybill events list --json | jq -r .event_id       a JSON object per line

Times are UTC.
`
const showExamples = `
Examples:
  waybill events show 0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10
  waybill events show 0b8f7f3c-6b3a-5d0e-8f1c-2f7f0f1f9a10 --json | jq .deliveries
`

/** Adds the commands to the program. */
export function addEvents(program: Command, surroundings: Surroundings, finish: Finish): void {
  const events = program.command('events').description('look up events and what became of them')
  const list = events.command('list').description('list events, newest first')
  addFilterOptions(list)
  addClientOptions(list)
  list
    .addHelpText('after', `${clientEnvironmentHelp}${listExamples}`)
    .action(async () =>
      finish(await listEvents(list.optsWithGlobals<FilterFlags & ClientFlags>(), surroundings)),
    )
  const show = events
    .command('show')
    .description('show an event, its deliveries, and its body with secrets masked')
    .argument('<event-id>', 'the event; also the webhook-id of its requests')
  addClientOptions(show)
  show
    .addHelpText('after', `${clientEnvironmentHelp}${showExamples}`)
    .action(async (id: string) =>
      finish(await showEvent(id, show.optsWithGlobals<ClientFlags>(), surroundings)),
    )
}

function listEvents(flags: FilterFlags & ClientFlags, surroundings: Surroundings): Promise<ExitCode> {
  const { search, limit } = queryOf(flags, surroundings.clock.now(), 1)
  return withClient(flags, surroundings, async (run) => {
    const { client, config, colors, width } = run
    const found = await readPages(
      (path) => client.get(path, eventPageBody),
      `/v1/events${search}`,
      ({ events }) => events,
      limit,
    )
    if (config.format === 'json') for (const row of found.rows) run.json(row)
    else {
      if (found.rows.length > 0)
        run.lines(table(eventColumns(colors, found.rows), found.rows, width, colors.dim))
      run.note(listNote(found.rows.length, ['event', 'events'], found.more, found.asOf))
    }
    return exitCode.ok
  })
}

const eventColumns = (colors: Colors, rows: readonly EventBody[]): Column<EventBody>[] => [
  { title: 'OCCURRED', text: ({ occurred_at }) => shortTime(occurred_at) },
  { title: 'EVENT', text: ({ event }) => event, shrinkTo: 10 },
  { title: 'ORDER', text: ({ order_id }) => order_id, drop: 1, shrinkTo: 8 },
  { title: 'PARTNER', text: ({ partner_id }) => partner_id, drop: 2 },
  {
    title: 'DELIVERIES',
    text: ({ deliveries }) => stateCounts(deliveries),
    shrinkTo: 11,
    paint: (text, { deliveries }) => paintCounts(colors, deliveries, text),
  },
  { title: 'RETRIES', text: ({ retry_count }) => String(retry_count), align: 'right', drop: 3 },
  ...(rows.some(({ test }) => test)
    ? [{ title: 'HOW', text: ({ test }: EventBody) => (test ? 'test' : ''), drop: 4 }]
    : []),
  { title: 'EVENT ID', text: ({ event_id }) => event_id },
]

function showEvent(id: string, flags: ClientFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withClient(flags, surroundings, async (run) => {
    const found = await run.client.get(`/v1/events/${encodeURIComponent(id)}`, eventDetailBody)
    if (run.config.format === 'json') run.json(found)
    else run.lines(eventLines(found, run))
    return exitCode.ok
  })
}

function eventLines(detail: EventDetailBody, { colors, width }: ClientRun): string[] {
  const { event, deliveries, verdicts, payloads, as_of } = detail
  const notSent = verdicts.filter(({ verdict }) => verdict !== 'ROUTED')
  return [
    ...facts(colors, [
      ['event', event.event_id],
      ['type', event.event],
      ['order', event.test ? `${event.order_id}, made up for a test` : event.order_id],
      ['sequence', event.order_sequence === null ? null : String(event.order_sequence)],
      ['partner', event.partner_id],
      ['occurred', longTime(event.occurred_at)],
      ['routed', longTime(event.routed_at)],
      ['deliveries', stateCounts(event.deliveries)],
      ['as of', as_of === null ? null : `${longTime(as_of)} UTC`],
    ]),
    ...(deliveries.length > 0 ? ['', ...table(deliveryColumns(colors), deliveries, width, colors.dim)] : []),
    ...(notSent.length > 0 ? ['', ...table(verdictColumns, notSent, width, colors.dim)] : []),
    ...payloads.flatMap(({ payload_version, payload }) =>
      bodyLines(colors, `body, ${payload_version}`, payload),
    ),
  ]
}

const deliveryColumns = (colors: Colors): Column<DeliveryBody>[] => [
  { title: 'ENDPOINT', text: ({ endpoint_id }) => endpoint_id, shrinkTo: 12 },
  {
    title: 'STATE',
    text: ({ state }) => state,
    paint: (text, { state }) => paintState(colors, state, text),
  },
  { title: 'TRIES', text: ({ attempts }) => String(attempts), align: 'right', drop: 1 },
  {
    title: 'LATEST',
    text: ({ last_outcome, last_status_code }) => outcomeText(last_outcome, last_status_code),
    drop: 2,
  },
  { title: 'WHY', text: ({ reason }) => reason ?? '', drop: 3 },
  { title: 'DELIVERY ID', text: ({ delivery_id }) => delivery_id },
]

const verdictColumns: Column<VerdictBody>[] = [
  { title: 'NOT SENT TO', text: ({ endpoint_id }) => endpoint_id ?? '(no endpoint)' },
  { title: 'WHY', text: ({ verdict }) => verdict.toLowerCase() },
]
