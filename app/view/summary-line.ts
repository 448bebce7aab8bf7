/** The view for a log file or a pipe: a line every few seconds. */
import { formatCount, formatMs, formatRate, formatTime } from './cells.ts'
import type { ViewSnapshot } from './snapshot.ts'

/** One line of text with the numbers that matter. */
export function summaryLine(snapshot: ViewSnapshot): string {
  const { latency } = snapshot
  const parts = [
    `in ${formatCount(snapshot.changesIn)} (${formatRate(snapshot.changesPerSecond)})`,
    `events ${formatCount(snapshot.events)}`,
    `delivered ${formatCount(snapshot.delivered)} (${formatRate(snapshot.deliveredPerSecond)})`,
    `waiting ${formatCount(snapshot.waiting)}`,
    `dead ${formatCount(snapshot.dead)}`,
    `skipped ${formatCount(snapshot.skipped)}`,
    `undecodable ${formatCount(snapshot.undecodable)}`,
    ...(latency ? [`p50 ${formatMs(latency.p50Ms)} p99 ${formatMs(latency.p99Ms)}`] : []),
  ]
  return `${formatTime(snapshot.now)}  ${parts.join('  ')}`
}

/** The same as JSON, for programs: everything but the list of recent webhooks. */
export function summaryJson(snapshot: ViewSnapshot): string {
  const { recent, startedAt, now, ...numbers } = snapshot
  return JSON.stringify({ at: new Date(now).toISOString(), uptime_ms: now - startedAt, ...numbers })
}
