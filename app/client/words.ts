/** How what the API says is shown to people: times, states, counts. */
import type pc from 'picocolors'
import type { DeliveryBody, EventBody } from '../../api/contract/rows.ts'
import { oneLine } from '../cli/cli-error.ts'
import { left } from '../view/cells.ts'

/** Colours, or none of them where the output is no terminal. */
export type Colors = ReturnType<typeof pc.createColors>

/** `11-22 08:30:00`, in UTC: for lists, whose rows are recent. */
export const shortTime = (time: string): string => `${time.slice(5, 10)} ${time.slice(11, 19)}`

/** `2026-11-22 08:30:00.412`, in UTC. */
export const longTime = (time: string): string => time.replace('T', ' ').replace('Z', '')

const states = ['delivered', 'waiting', 'dead', 'skipped'] as const

/** `2 delivered, 1 dead`. */
export function stateCounts(counts: EventBody['deliveries']): string {
  const named = states.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`)
  return named.length === 0 ? 'none' : named.join(', ')
}

/** Red for what needs a look, yellow for what is under way. */
export function paintState(colors: Colors, state: DeliveryBody['state'], text: string): string {
  switch (state) {
    case 'dead':
      return colors.red(text)
    case 'waiting':
      return colors.yellow(text)
    case 'skipped':
      return colors.dim(text)
    case 'delivered':
      return colors.green(text)
  }
}

/** The colour of the worst that is among them. */
export function paintCounts(colors: Colors, counts: EventBody['deliveries'], text: string): string {
  const worst = (['dead', 'waiting', 'skipped', 'delivered'] as const).find((state) => counts[state] > 0)
  return worst === undefined ? text : paintState(colors, worst, text)
}

/** `http_5xx 503`; a status that the outcome says already is not repeated. */
export const outcomeText = (outcome: string | null, statusCode: number | null): string =>
  outcome === null ? '' : statusCode === null ? outcome : `${outcome} ${statusCode}`

/** Facts under each other, names in a column; those that are null are left out. */
export function facts(
  colors: Colors,
  pairs: readonly (readonly [name: string, value: string | null])[],
): string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null)
  const width = Math.max(...shown.map(([name]) => name.length)) + 2
  return shown.map(([name, value]) => `${colors.dim(left(name, width))}${oneLine(value)}`)
}

/** A body as indented JSON, with a title. */
export const bodyLines = (colors: Colors, title: string, payload: unknown): string[] =>
  payload === null ? [] : ['', colors.bold(title), ...JSON.stringify(payload, null, 2).split('\n')]

/** What stands under a list. */
export function listNote(
  rows: number,
  [one, many]: readonly [one: string, many: string],
  more: boolean,
  asOf: string | null,
): string {
  const found = `${rows} ${rows === 1 ? one : many}`
  const fresh = asOf === null ? 'nothing was ever written to the log' : `as of ${longTime(asOf)} UTC`
  return `${found}, ${fresh}${more ? '; there are more: --limit, --since, --until' : ''}`
}
