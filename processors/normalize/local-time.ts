/**
 * Turns the wall-clock times of a database into instants. Debezium writes a DATETIME as if it were UTC; which zone
 * it was meant in is known only to whoever runs the database, so the source mapping has to say it.
 */

const fixedOffset = /^([+-])(\d{2}):?(\d{2})$/
const hourMs = 3_600_000
/** Quarter hours of a zone whose offset is remembered; cleared when full, so that odd years cannot fill the memory. */
const cachedQuartersMax = 50_000

/** Whether a zone can be used: `UTC`, an offset such as `+05:30`, or an IANA name such as `Asia/Kolkata`. */
export function isKnownZone(zone: string): boolean {
  if (fixedOffset.test(zone)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/**
 * Makes the conversion for one zone: milliseconds of the wall clock, counted as if in UTC → milliseconds since the
 * epoch. A time that a clock change skips is taken with the offset before the change; one that happens twice is
 * taken as the first of the two.
 */
export function localTimeIn(zone: string): (localMs: number) => number {
  const fixed = fixedOffset.exec(zone)
  if (fixed) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    const offsetMs = (fixed[1] === '-' ? -1 : 1) * minutes * 60_000
    return (localMs) => localMs - offsetMs
  }
  if (zone === 'UTC') return (localMs) => localMs
  const offsetAt = zoneOffsets(zone)
  return (localMs) => {
    // The two offsets that can hold around this wall clock; zones never change by more than a day.
    const before = offsetAt(localMs - 24 * hourMs)
    const after = offsetAt(localMs + 24 * hourMs)
    const early = localMs - before
    if (offsetAt(early) === before) return early
    const late = localMs - after
    return offsetAt(late) === after ? late : early
  }
}

/** The zone's offset from UTC at an instant, in milliseconds. Offsets change at quarter hours at the finest. */
function zoneOffsets(zone: string): (atMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const known = new Map<number, number>()
  return (atMs) => {
    const quarter = Math.floor(atMs / (hourMs / 4))
    const cached = known.get(quarter)
    if (cached !== undefined) return cached
    if (known.size >= cachedQuartersMax) known.clear()
    const startMs = quarter * (hourMs / 4)
    const offsetMs = wallClock(format, startMs) - startMs
    known.set(quarter, offsetMs)
    return offsetMs
  }
}

function wallClock(format: Intl.DateTimeFormat, atMs: number): number {
  const parts: Record<string, string> = {}
  for (const { type, value } of format.formatToParts(atMs)) parts[type] = value
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year)
  const clock = new Date(0)
  clock.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day))
  clock.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second))
  return clock.getTime()
}
