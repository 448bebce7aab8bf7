/** Tells of records that are put aside because they cannot be read: which, why, and what mends it. */
import type { Clock, RejectedRecord, Report } from '../../engine/index.ts'
import { steadyReport } from '../cli/steady-report.ts'
import { mendOf } from '../source-check/mends.ts'

/** What is told of a rejected record; never its content. */
export type PutAside = Pick<RejectedRecord, 'topic' | 'reason' | 'detail'>

/**
 * Each reason is told once a minute for each topic, with the newest example: where a wrong column is mapped, every row
 * has a detail of its own.
 */
export function tellPutAside(report: Report, clock: Clock): (rejected: PutAside) => void {
  const tell = steadyReport(
    (text) => report(text),
    clock,
    (text) => text.slice(0, text.indexOf(': ')),
  )
  return ({ topic, reason, detail }) =>
    tell(`a record of ${topic} was put aside, ${reason}: ${detail} — ${mendOf(reason)}`)
}
