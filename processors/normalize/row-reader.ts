/**
 * Reads typed values out of a captured row. The first thing that cannot be read is remembered instead of thrown, so
 * that a row is read in one go and asked once whether it was sound.
 */
import { type CapturedRow, unavailableValue } from './envelope.ts'
import { localTimeIn } from './local-time.ts'
import { type Undecodable, type UndecodableReason, undecodable } from './outcomes.ts'
import type { TimeColumn } from './source-blocks.ts'

/** A null column name means that the source has no such column; every reader then answers null. */
export interface RowReader {
  /** Text of a plain column, without trailing blanks. Blank text is null; a number is `wrong_type`. May be `unavailableValue`. */
  text(column: string | null): string | null
  /** An id, a code or a phone: text, or an integer as text (exact beyond 2^53). */
  code(column: string | null): string | null
  integer(column: string | null, size: 'int' | 'long'): number | null
  flag(column: string | null): boolean | null
  /** Milliseconds since the epoch. What is no date is null, and counted. */
  time(column: TimeColumn | null): number | null
  /** The first thing that could not be read. */
  problem(): Undecodable | undefined
  badTimes(): number
}

/** A reader over `row`; values that the source left out as unchanged are taken from `before` where it has them. */
export function rowReader(row: CapturedRow, before: CapturedRow | null): RowReader {
  let problem: Undecodable | undefined
  let badTimes = 0
  const fail = (reason: UndecodableReason, detail: string) => {
    problem ??= undecodable(reason, detail)
    return null
  }
  const take = (column: string): unknown => {
    const value = row[column]
    if (value === undefined) return fail('missing_column', `column ${column} is mapped, but not in the row`)
    if (value !== unavailableValue) return value
    return before?.[column] ?? value
  }
  const wrongType = (column: string, expected: string, value: unknown) =>
    fail('wrong_type', `column ${column} holds ${kindOf(value)} where ${expected} belongs`)

  return {
    text(column) {
      if (column === null) return null
      const value = take(column)
      if (value === null) return null
      if (typeof value !== 'string') return wrongType(column, 'text', value)
      return unpadded(value)
    },
    code(column) {
      if (column === null) return null
      const value = take(column)
      if (value === null) return null
      if (typeof value === 'string') return unpadded(value)
      if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
      return wrongType(column, 'text or an integer', value)
    },
    integer(column, size) {
      if (column === null) return null
      const value = take(column)
      if (value === null) return null
      const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value
      if (typeof number === 'number' && Number.isSafeInteger(number) && Math.abs(number) <= largest[size])
        return number
      return wrongType(column, 'an integer', value)
    },
    flag(column) {
      if (column === null) return null
      const value = take(column)
      if (value === null) return null
      if (value === true || value === 1 || value === '1' || value === 'true') return true
      if (value === false || value === 0 || value === '0' || value === 'false') return false
      return wrongType(column, 'a boolean', value)
    },
    time(column) {
      if (column === null) return null
      const value = take(column.column)
      if (value === null) return null
      const time = readTime(value, column)
      if (time === null) badTimes += 1
      return time
    },
    problem: () => problem,
    badTimes: () => badTimes,
  }
}

/** What Avro's int holds, and what our codecs accept of a long. */
const largest = { int: 2 ** 31 - 1, long: 2 ** 52 } as const

/** Years 1 to 9999: what ISO 8601 writes with four digits. PostgreSQL's `infinity` lies beyond. */
const earliestMs = Date.parse('0001-01-01T00:00:00.000Z')
const latestMs = Date.parse('9999-12-31T23:59:59.999Z')

const isoText = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/
const conversions = new Map<string, (localMs: number) => number>()

/** Null for what is no date: nonsense, out of range, or a zero date, which Debezium writes as epoch 0. */
function readTime(value: unknown, { form, zone }: TimeColumn): number | null {
  const readMs =
    typeof value === 'string' && isoText.test(value) ? isoToMs(value, form) : epochToMs(value, form)
  if (readMs === null || Number.isNaN(readMs) || readMs === 0) return null
  const instantMs = zone === null ? readMs : conversionFor(zone)(readMs)
  return instantMs >= earliestMs && instantMs <= latestMs ? instantMs : null
}

/** PostgreSQL pads a char(n) with blanks that mean nothing to it either; MariaDB takes them off itself. */
const unpadded = (text: string): string | null => (text.trim() === '' ? null : text.trimEnd())

function isoToMs(text: string, form: TimeColumn['form']): number | null {
  const isLocal = form === 'local_ms' || form === 'local_us'
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/.test(text)
  // Local time as text carries a `Z` that means nothing, or no offset at all.
  if (isLocal) return Date.parse(`${text.replace(/(?:Z|[+-]\d\d:?\d\d)$/, '').replace(' ', 'T')}Z`)
  return zoned ? Date.parse(text.replace(' ', 'T')) : null
}

function epochToMs(value: unknown, form: TimeColumn['form']): number | null {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || form === 'instant') return null
  return Math.floor(form === 'instant_us' || form === 'local_us' ? number / 1000 : number)
}

function conversionFor(zone: string): (localMs: number) => number {
  let conversion = conversions.get(zone)
  if (!conversion) {
    conversion = localTimeIn(zone)
    conversions.set(zone, conversion)
  }
  return conversion
}

/** What a value is, without saying it: the value may be personal. */
function kindOf(value: unknown): string {
  if (value === unavailableValue) return 'a value that the source left out'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
