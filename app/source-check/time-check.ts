/**
 * Whether times are read as they were meant. A wrong form shows in values that are no times or lie near 1970; a wrong
 * zone shows where a column says when its row changed, because the database's log says when that was committed.
 */

import type { CapturedRow } from '../../processors/normalize/envelope.ts'
import { rowReader } from '../../processors/normalize/row-reader.ts'
import type { TimeColumn } from '../../processors/normalize/source-blocks.ts'
import type { FindingList } from './finding-list.ts'

export interface TimeCheck {
  /** Takes a row's value; `commitAt` where the row was changed just then, else undefined. */
  take(row: CapturedRow, commitAt: number | undefined): void
  readonly unreadable: number
  /** Adds what the values taken so far show. */
  conclude(topic: string, findings: FindingList): void
}

const minuteMs = 60_000
const quarterHourMs = 15 * minuteMs
/** Fewer changes may all have been odd ones. */
const samplesMin = 3
const samplesMax = 10_000
/** Commits follow their row's clock within seconds; long transactions take minutes. */
const lagMaxMs = 10 * minuteMs
/** How near to a whole quarter of an hour a difference of zones has to be. */
const quarterSlackMs = 2 * minuteMs
const consistentShare = 0.8
const zoneMaxMs = 14 * 60 * minuteMs
const yearOfBeginning = Date.parse('1990-01-01T00:00:00.000Z')

/** Makes the check of one mapped time column. `changes`: it says when the row was changed, made or handed over. */
export function timeCheck(field: string, column: TimeColumn, changes: boolean): TimeCheck {
  let unreadable = 0
  let example: unknown
  let readable = 0
  let near1970 = 0
  const lags: number[] = []

  return {
    take(row, commitAt) {
      const raw = row[column.column]
      if (raw === undefined || raw === null) return
      const time = rowReader(row, null).time(column)
      if (time === null) {
        // A zero date is no sign of a wrong form.
        if (raw === 0 || raw === '0') return
        unreadable += 1
        example ??= raw
        return
      }
      readable += 1
      if (time > 0 && time < yearOfBeginning) near1970 += 1
      if (changes && commitAt !== undefined && lags.length < samplesMax) lags.push(commitAt - time)
    },
    get unreadable() {
      return unreadable
    },
    conclude(topic, findings) {
      const name = `${topic}: ${field} (column ${column.column}, ${formText(column)})`
      if (unreadable > readable) {
        findings.add(
          'time_form',
          `${name} holds ${unreadable} values that are no such time`,
          formHint(example),
        )
      } else if (readable > 0 && near1970 * 2 > readable) {
        const ms = column.form.replace('_us', '_ms')
        const mend =
          ms === column.form ? 'are these seconds?' : `if these are milliseconds, write form: ${ms}`
        findings.add('time_form', `${name} lies before 1990 in ${near1970} of ${readable} rows`, mend)
      } else if (lags.length >= samplesMin) {
        concludeLag(name, { field, column }, lags, findings)
      }
    },
  }
}

/** How a column is read, in the words of source.yaml. */
export const formText = ({ form, zone }: TimeColumn): string =>
  zone === null ? form : `${form}, zone ${zone}`

function concludeLag(
  name: string,
  { field, column }: { field: string; column: TimeColumn },
  lags: number[],
  findings: FindingList,
): void {
  const lagMs = median(lags)
  if (Math.abs(lagMs) <= lagMaxMs) return
  const side = lagMs > 0 ? 'behind' : 'ahead of'
  const what = `${name} is ${durationText(Math.abs(lagMs))} ${side} the commit of its change, in the middle of all`
  const near = lags.filter((lag) => Math.abs(lag - lagMs) <= lagMaxMs).length
  const zoneMs = Math.round(lagMs / quarterHourMs) * quarterHourMs
  // A zone is off by the same for all rows; times that people enter are off by anything.
  const isZone = near >= consistentShare * lags.length && Math.abs(lagMs - zoneMs) <= quarterSlackMs
  if (isZone && Math.abs(lagMs) <= zoneMaxMs) {
    findings.add('time_zone', what, zoneHint(column, zoneMs))
  } else if (field === 'updated_at') {
    findings.add(
      'time_zone',
      what,
      'is it the time of the last change, and is the clock of the database right?',
    )
  }
}

/** Local times read in a zone too far west come out too late, ahead of their commit. */
function zoneHint({ form, zone }: TimeColumn, lagMs: number): string {
  const offset = offsetText(-lagMs)
  if (zone === null)
    return `a true instant cannot be: if these are local times, write form: local_ms, zone: "${offset}"`
  if (zone === 'UTC') return `${form} in a zone of ${offset} would fit: write that, or its name, as zone:`
  return `the wall clock seems to differ by ${offset} from ${zone}: correct zone:`
}

function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / minuteMs)
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'))
  return `${offsetMs < 0 ? '-' : '+'}${hours}:${rest}`
}

function durationText(ms: number): string {
  const minutes = Math.round(ms / minuteMs)
  if (minutes < 90) return `${minutes} minutes`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.round(minutes / (24 * 60))} days`
}

/** What a value looks like, without saying it. */
function formHint(value: unknown): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d[T ]/.test(value)) {
    return /(?:Z|[+-]\d\d:?\d\d)$/.test(value)
      ? 'it is text with an offset: write form: instant'
      : 'it is text without an offset: write form: local_ms and its zone'
  }
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') return 'this is no form of time that can be read: is it the right column?'
  const digits = String(Math.trunc(Math.abs(number))).length
  if (digits >= 15) return 'it is a number of microseconds: write form: local_us or instant_us'
  if (digits >= 11) return 'it is a number of milliseconds: write form: local_ms or instant_ms'
  return 'it is a small number, perhaps seconds or days: let the connector write milliseconds'
}

function median(values: number[]): number {
  const sorted = values.sort((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
