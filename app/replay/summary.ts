/** What a replay found, from the pipeline's counters: a model for programs, and its text for people. */
import { deliverCounters } from '../../processors/deliver/shape.ts'
import { enrichCounters } from '../../processors/enrich/counters.ts'
import { normalizeCounters } from '../../processors/normalize/normalize.ts'
import { routeCounters } from '../../processors/route/route.ts'
import { formatCount, formatMs, left, right } from '../view/cells.ts'
import type { ReplayOutcome } from './run-replay.ts'

/** Keys are written as JSON as they are. */
export interface ReplaySummary {
  readonly dry_run: boolean
  /** False when it was interrupted. */
  readonly complete: boolean
  readonly records_in: number
  /** Lines that are no record; they are among the undecodable too. */
  readonly bad_lines: number
  /** Records that are no row change of an order or assignment, by why. */
  readonly ignored: Counts
  readonly truncated: number
  readonly events: Counts
  readonly events_total: number
  /** out_for_delivery by how complete the rider's details are. */
  readonly riders: Counts
  /** Orders that waited for their rider. */
  readonly held: number
  /** Changes that had been seen already. */
  readonly duplicates_dropped: number
  readonly missed_transitions: number
  readonly imports: number
  readonly undecodable: Counts
  readonly undecodable_total: number
  /** Decisions of routing, by endpoint and event. */
  readonly routing: Counts
  readonly delivered: number
  readonly dead: number
  readonly skipped: number
  readonly elapsed_ms: number
  readonly records_per_second: number
}

type Counts = Readonly<Record<string, number>>

/** Folds the counters of a replay. */
export function summarize(
  outcome: Pick<ReplayOutcome, 'records' | 'ignored' | 'counters'>,
  run: { dryRun: boolean; complete: boolean; badLines: number; elapsedMs: number },
): ReplaySummary {
  const by = (name: string, label: string) => countsBy(outcome.counters, name, label)
  const events = by(enrichCounters.events, 'event')
  const undecodable = {
    ...by('records.dead_lettered', 'reason'),
    ...(run.badLines > 0 && { bad_line: run.badLines }),
  }
  const total = (name: string) => sum(by(name, ''))
  return {
    dry_run: run.dryRun,
    complete: run.complete,
    records_in: outcome.records,
    bad_lines: run.badLines,
    ignored: {
      ...(outcome.ignored > 0 && { other_topics: outcome.ignored }),
      ...by(normalizeCounters.ignored, 'why'),
    },
    truncated: total(normalizeCounters.truncated),
    events,
    events_total: sum(events),
    riders: by(enrichCounters.enrichments, 'status'),
    held: total(enrichCounters.held),
    duplicates_dropped:
      total(enrichCounters.stale) + total(enrichCounters.staleAssignments) + total(deliverCounters.repeats),
    missed_transitions: total(enrichCounters.missed),
    imports: total(enrichCounters.imports),
    undecodable,
    undecodable_total: sum(undecodable),
    routing: by(routeCounters.verdicts, 'verdict'),
    delivered: total(deliverCounters.delivered),
    dead: total(deliverCounters.dead),
    skipped: total(deliverCounters.skipped),
    elapsed_ms: Math.round(run.elapsedMs),
    records_per_second: run.elapsedMs > 0 ? Math.round((outcome.records * 1000) / run.elapsedMs) : 0,
  }
}

const sum = (counts: Counts): number => Object.values(counts).reduce((total, count) => total + count, 0)

/** The counts of `name{label="value",…}`, by the label's value, the largest first. */
function countsBy(counters: ReadonlyMap<string, number>, name: string, label: string): Counts {
  const counts = new Map<string, number>()
  for (const [series, count] of counters) {
    if (series !== name && !series.startsWith(`${name}{`)) continue
    const value =
      label === '' ? '' : (new RegExp(`[{,]${label}="((?:[^"\\\\]|\\\\.)*)"`).exec(series)?.[1] ?? '')
    counts.set(value, (counts.get(value) ?? 0) + count)
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))
}

/** The summary as aligned lines. What somebody would look for is there when it is zero too; the rest is left out. */
export function summaryText(summary: ReplaySummary): string {
  const lines: string[] = [
    heading(
      'records',
      summary.records_in,
      `${formatMs(summary.elapsed_ms)}, ${formatCount(summary.records_per_second)}/s`,
    ),
    ...details('ignored', summary.ignored),
    ...optional('truncated', summary.truncated),
    heading('duplicates', summary.duplicates_dropped),
    heading('imports', summary.imports),
    heading('undecodable', summary.undecodable_total),
    ...details('', summary.undecodable),
    heading('events', summary.events_total),
    ...details('', summary.events),
    heading('missed', summary.missed_transitions),
    heading('held', summary.held),
    ...details('riders', summary.riders),
    ...details('routing', summary.routing),
    heading(summary.dry_run ? 'would be sent' : 'delivered', summary.delivered),
    ...optional('dead', summary.dead),
    ...optional('skipped', summary.skipped),
    ...(summary.complete ? [] : ['interrupted: the rest was not replayed']),
  ]
  return lines.join('\n')
}

const nameWidth = 15

const heading = (name: string, count: number, note = ''): string =>
  `${left(name, nameWidth)}${right(formatCount(count), 10)}${note === '' ? '' : `   ${note}`}`

const optional = (name: string, count: number): string[] => (count > 0 ? [heading(name, count)] : [])

function details(name: string, counts: Counts): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(
      ([what, count], index) =>
        `${left(index === 0 ? name : '', nameWidth)}${right(formatCount(count), 10)}   ${what.toLowerCase()}`,
    )
}
