/**
 * Draws a snapshot as text: pure, so that its looks are tested. From 60 columns on; wider terminals get more
 * columns, not longer lines. Lines are never wider than asked for, and with `height` never more.
 */
import pc from 'picocolors'
import { cut, formatCount, formatMs, formatRate, formatTime, formatUptime, left, right } from './cells.ts'
import type { EndpointLine, RecentLine, ViewSnapshot } from './snapshot.ts'

export interface RenderOptions {
  readonly width: number
  readonly color: boolean
  /** Rows that there are; the list of recent webhooks takes what is left, the table is cut last. */
  readonly height?: number
}

type Colors = ReturnType<typeof pc.createColors>

const narrowest = 60
/** Wider than this, the eye has to travel. */
const widest = 120
/** From here on the numbers stand in two columns and the table shows all it has. */
const wideFrom = 90
const recentMost = 10

/** The whole view, lines joined by line feeds, without one at the end. */
export function render(snapshot: ViewSnapshot, options: RenderOptions): string {
  const width = Math.min(Math.max(options.width, narrowest), widest)
  const colors = pc.createColors(options.color)
  const head = [...header(snapshot, width, colors), '', ...numbers(snapshot, width, colors), '']
  const room = options.height === undefined ? Number.POSITIVE_INFINITY : options.height - head.length
  const table = endpointTable(snapshot.endpoints, width, colors, Math.max(1, room - 1))
  const recent = recentList(snapshot.recent, width, colors, Math.min(recentMost, room - table.length - 2))
  const all = [...head, ...table, ...(recent.length > 0 ? ['', ...recent] : [])]
  return all.map((line) => line.trimEnd()).join('\n')
}

/** ` Waybill  embedded · demo …          up 42 s` */
function header(snapshot: ViewSnapshot, width: number, colors: Colors): string[] {
  const up = `up ${formatUptime(snapshot.now - snapshot.startedAt)}`
  const about = cut(snapshot.about.join(' · '), width - up.length - 14)
  const space = ' '.repeat(Math.max(1, width - ' Waybill'.length - 2 - about.length - up.length - 1))
  return [` ${colors.bold(colors.cyan('Waybill'))}  ${colors.dim(about)}${space}${colors.dim(up)}`]
}

interface Cell {
  readonly name: string
  readonly value: string
  readonly note: string
  /** How the value is drawn when it is worth a look. */
  readonly paint: (text: string) => string
}

function numbers(snapshot: ViewSnapshot, width: number, colors: Colors): string[] {
  const cells = [...flow(snapshot, colors), ...troubles(snapshot, colors)]
  if (width < wideFrom) return cells.map((cell) => drawCell(cell, width, colors))
  const column = Math.floor(width / 2)
  const half = Math.ceil(cells.length / 2)
  return cells.slice(0, half).map((cell, row) => {
    const beside = cells[row + half]
    const text = drawCell(cell, column, colors)
    return beside ? `${text}${drawCell(beside, width - column, colors)}` : text
  })
}

const plain = (text: string): string => text

function flow(snapshot: ViewSnapshot, colors: Colors): Cell[] {
  const { latency } = snapshot
  return [
    {
      name: 'changes in',
      value: formatCount(snapshot.changesIn),
      note: formatRate(snapshot.changesPerSecond),
      paint: colors.bold,
    },
    { name: 'events', value: formatCount(snapshot.events), note: '', paint: colors.bold },
    {
      name: 'delivered',
      value: formatCount(snapshot.delivered),
      note: formatRate(snapshot.deliveredPerSecond),
      paint: (text) => colors.bold(colors.green(text)),
    },
    {
      name: 'latency p50',
      value: latency ? formatMs(latency.p50Ms) : '–',
      note: `${latency ? `p99 ${formatMs(latency.p99Ms)} · ` : ''}change to ack`,
      paint: colors.bold,
    },
  ]
}

function troubles(snapshot: ViewSnapshot, colors: Colors): Cell[] {
  const alarm = (count: number, paint: (text: string) => string) => (count > 0 ? paint : plain)
  const tiers = snapshot.tiers.map(({ name, count }) => `${name} ${formatCount(count)}`).join(' · ')
  return [
    {
      name: 'waiting',
      value: formatCount(snapshot.waiting),
      note: `${formatCount(snapshot.queued)} queued · ${formatCount(snapshot.inFlight)} in flight`,
      paint: alarm(snapshot.waiting, colors.yellow),
    },
    {
      name: 'in retry',
      value: formatCount(snapshot.tiers.reduce((sum, { count }) => sum + count, 0)),
      note: tiers,
      paint: plain,
    },
    {
      name: 'dead',
      value: formatCount(snapshot.dead),
      note: `${formatCount(snapshot.skipped)} skipped`,
      paint: alarm(snapshot.dead, colors.red),
    },
    {
      name: 'undecodable',
      value: formatCount(snapshot.undecodable),
      note: `${formatCount(snapshot.held)} orders waited for a rider`,
      paint: alarm(snapshot.undecodable, colors.red),
    },
  ]
}

function drawCell(cell: Cell, width: number, colors: Colors): string {
  const note = cut(cell.note, width - 25)
  const padding = ' '.repeat(width - 25 - note.length)
  return `  ${colors.dim(left(cell.name, 11))}  ${cell.paint(right(cell.value, 8))}  ${colors.dim(note)}${padding}`
}

const countWidth = 8

/** Name, state, acknowledged, failed, waiting, last. Where it is narrow, a state is told in place of the last. */
function endpointTable(
  endpoints: readonly EndpointLine[],
  width: number,
  colors: Colors,
  rows: number,
): string[] {
  const state = width < wideFrom ? 0 : 15
  const last = width < wideFrom ? 14 : 20
  const longest = Math.max(14, ...endpoints.map(({ id }) => id.length)) + 2
  const name = Math.min(longest, width - 4 - state - 3 * countWidth - 2 - last)
  const counts = ['acked', 'failed', 'waiting'].map((title) => right(title, countWidth)).join('')
  const title = colors.dim(`    ${left('endpoint', name)}${left('', state)}${counts}  last`)
  if (endpoints.length === 0) return [title, colors.dim('    none yet')]
  const shown = endpoints.length <= rows ? endpoints : endpoints.slice(0, Math.max(0, rows - 1))
  const more = endpoints.length - shown.length
  return [
    title,
    ...shown.map((endpoint) => endpointRow(endpoint, { name, state, last }, colors)),
    ...(more > 0 ? [colors.dim(`    and ${more} more`)] : []),
  ]
}

function endpointRow(
  endpoint: EndpointLine,
  widths: { name: number; state: number; last: number },
  colors: Colors,
): string {
  const standing = endpoint.state === 'active' ? colors.dim : colors.yellow
  const failed = right(formatCount(endpoint.failed), countWidth)
  const counts = [
    right(formatCount(endpoint.acknowledged), countWidth),
    endpoint.failed > 0 ? colors.yellow(failed) : failed,
    right(formatCount(endpoint.waiting), countWidth),
  ].join('')
  const ended = (endpoint.lastOk ? colors.green : colors.red)(cut(endpoint.last, widths.last))
  const tail =
    widths.state === 0 && endpoint.state !== 'active' ? standing(cut(endpoint.state, widths.last)) : ended
  // A gap even behind a name that was cut.
  const name = `${left(endpoint.id, widths.name - 1)} `
  return `  ${lamp(endpoint, colors)} ${name}${standing(left(endpoint.state, widths.state))}${counts}  ${tail}`
}

/** Full: all is well. Half: the last request failed. Empty: nothing is sent. */
function lamp(endpoint: EndpointLine, colors: Colors): string {
  if (endpoint.state !== 'active') return colors.yellow('○')
  return endpoint.lastOk ? colors.green('●') : colors.red('◐')
}

const marks = { delivered: '✓', retry: '↻', dead: '✗', skipped: '–' } as const

function recentList(recent: readonly RecentLine[], width: number, colors: Colors, rows: number): string[] {
  if (rows < 1 || recent.length === 0) return []
  const paints = { delivered: colors.green, retry: colors.yellow, dead: colors.red, skipped: colors.dim }
  const event = 17
  const endpoint = width < wideFrom ? 0 : 20
  const order = 12
  const detail = width - 4 - 9 - event - order - endpoint
  const lines = recent.slice(0, rows).map((line) => {
    const to = endpoint === 0 ? '' : left(line.endpointId, endpoint)
    const what = `${left(line.event, event)}${left(line.orderId, order)}${to}`
    return `  ${paints[line.result](marks[line.result])} ${colors.dim(formatTime(line.at))} ${what}${colors.dim(cut(line.detail, detail))}`
  })
  return [colors.dim('    latest webhooks (UTC)'), ...lines]
}
