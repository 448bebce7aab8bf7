/** The filters that `list` commands share, and how they become a query of the API. */
import type { Command } from 'commander'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { parseDuration } from '../config/duration.ts'
import { pageRowsMax } from './read-pages.ts'

/** As typed. What is allowed is the API's to say, which knows the words of its version. */
export interface FilterFlags {
  readonly type?: string
  readonly status?: string
  readonly since?: string
  readonly until?: string
  readonly partner?: string
  readonly endpoint?: string
  readonly order?: string
  readonly redrive?: string
  readonly outOfOrder?: boolean
  /** `--test`, `--no-test`; neither: both are listed. */
  readonly test?: boolean
  readonly limit?: string
}

/** Rows that fit a screen. */
const defaultLimit = 20
/** More than this is for the API and a program of one's own. */
const limitMax = 10_000

/** The flags of every `list` command. */
export function addFilterOptions(command: Command): void {
  command
    .option('--status <status>', 'waiting, delivered, dead (or failed), skipped, or retried')
    .option('--type <event>', 'event type, e.g. out_for_delivery')
    .option('--order <id>', 'of one order')
    .option('--partner <id>', 'of one partner')
    .option('--endpoint <id>', 'of one endpoint')
    .option('--redrive <id>', 'sent again by one redrive')
    .option('--out-of-order', 'sent after a newer event of its order')
    .option('--test', 'sent to try an endpoint')
    .option('--no-test', 'not those that were sent to try an endpoint')
    .option('--since <time>', 'changed at or after: 30m, 24h, 7d ago, or 2026-11-22T08:00:00Z')
    .option('--until <time>', 'changed before, written alike')
    .option('--limit <rows>', `how many, newest first (default: ${defaultLimit})`)
}

/** A list as it is asked of the API. */
export interface ListQuery {
  /** With a leading question mark. */
  readonly search: string
  readonly limit: number
}

/** `pageRowsMin`: fewest rows that a page of this list may be asked for. */
export function queryOf(flags: FilterFlags, now: number, pageRowsMin: number): ListQuery {
  const problems: Problem[] = []
  const limit = readLimit(flags.limit, problems)
  const search = new URLSearchParams()
  for (const name of ['type', 'status', 'partner', 'endpoint', 'order', 'redrive'] as const) {
    const value = flags[name]
    if (value !== undefined) search.set(name, value)
  }
  if (flags.outOfOrder === true) search.set('out_of_order', 'true')
  if (flags.test !== undefined) search.set('test', String(flags.test))
  for (const name of ['since', 'until'] as const) {
    const text = flags[name]
    if (text !== undefined) search.set(name, readTime(`--${name}`, text, now, problems))
  }
  search.set('limit', String(Math.min(pageRowsMax, Math.max(pageRowsMin, limit))))
  if (problems.length > 0) throw new CliError(exitCode.usage, problems)
  return { search: `?${search}`, limit }
}

function readLimit(text: string | undefined, problems: Problem[]): number {
  if (text === undefined) return defaultLimit
  const limit = Number(text)
  if (/^\d+$/.test(text) && limit >= 1 && limit <= limitMax) return limit
  problems.push({
    what: `--limit "${text}" is not a number of rows`,
    mend: `write a whole number from 1 to ${limitMax}`,
  })
  return defaultLimit
}

/** A time, or how long ago. A bare number could be either, so it is neither. */
export function readTime(flag: string, text: string, now: number, problems: Problem[]): string {
  const agoMs = /[a-z]$/.test(text) ? parseDuration(text) : undefined
  if (agoMs !== undefined && agoMs <= now) return new Date(now - agoMs).toISOString()
  // A date alone would mean midnight in a zone that nobody named.
  const ms = /T.*(Z|[+-]\d\d:?\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(ms)) return new Date(ms).toISOString()
  problems.push({
    what: `${flag} "${text}" is not a time`,
    mend: 'write how long ago, e.g. 30m, 24h, 7d, or a time with its zone, e.g. 2026-11-22T08:00:00Z',
  })
  return ''
}
