/** A rebuild in words: how far it is, and what it came to. */
import type { Clock } from '../../engine/index.ts'
import type { LogCounts } from '../../ports/delivery-log.ts'
import type { RebuildProgress } from '../../ports/delivery-log-rebuild.ts'
import type { Output } from '../cli/surroundings.ts'
import { formatCount, formatMs } from '../view/cells.ts'
import { type RebuildReport, rate } from './run-rebuild.ts'

const everyMs = { terminal: 200, lines: 2000 } as const

/** Shows progress: one line that changes on a terminal, elsewhere a line now and then. */
export function rebuildProgress(output: Output, clock: Clock) {
  const startedAt = clock.now()
  let shownAt = startedAt
  let standing = false
  return {
    show({ source, done, total, records }: RebuildProgress): void {
      const now = clock.now()
      if (now - shownAt < (output.isTTY ? everyMs.terminal : everyMs.lines)) return
      shownAt = now
      const percent = total === 0 ? 100 : Math.floor((done * 100) / total)
      const speed = formatCount(rate(records, now - startedAt))
      const text = `${percent}%  ${source}  ${formatCount(records)} records, ${speed}/s`
      standing = output.isTTY
      output.write(output.isTTY ? `\r${text}\x1b[K` : `${text}\n`)
    },
    clear(): void {
      if (standing) output.write('\r\x1b[K')
      standing = false
    },
  }
}

/** The report as lines: each count before and after. */
export function rebuildText(report: RebuildReport): string {
  const { records, undecodable, elapsed_ms, records_per_second, before, after, complete } = report
  const rows = rowsOf(before).map(([name, count], index) => row(name, count, rowsOf(after)[index]?.[1] ?? 0))
  return [
    `${'records'.padEnd(nameWidth)}${formatCount(records).padStart(width)}   ${formatMs(elapsed_ms)}, ${formatCount(records_per_second)}/s`,
    ...(undecodable > 0
      ? [`${'undecodable'.padEnd(nameWidth)}${formatCount(undecodable).padStart(width)}`]
      : []),
    `${''.padEnd(nameWidth)}${'before'.padStart(width)}${'after'.padStart(width)}`,
    ...rows,
    ...(complete ? [] : ['interrupted: the next start completes it, or another rebuild']),
  ].join('\n')
}

const nameWidth = 15
const width = 12

const row = (name: string, before: number, after: number): string =>
  `${name.padEnd(nameWidth)}${formatCount(before).padStart(width)}${formatCount(after).padStart(width)}`

function rowsOf({ events, deliveries, attempts, verdicts, endpoints }: LogCounts): [string, number][] {
  return [
    ['events', events],
    ...Object.entries(deliveries).map(([state, count]): [string, number] => [state, count]),
    ['attempts', attempts],
    ['verdicts', verdicts],
    ['endpoints', endpoints],
  ]
}
