/** Reads how much an endpoint takes and how long: deadline, calls at once, rate, ages. */
import { suggestion } from '../cli/nearest.ts'
import { formatDuration, parseDuration } from './duration.ts'
import type { Fields } from './fields.ts'
import { endpointDefaults, eventTypes } from './partner-settings.ts'

/** The total deadline of one call. */
export function readTimeout(fields: Fields): number | undefined {
  if (!fields.has('timeout')) return endpointDefaults.timeoutMs
  const ms = parseDuration(fields.raw('timeout'))
  if (ms !== undefined && ms >= 1000 && ms <= 15_000) return Math.round(ms)
  fields.problem('timeout', 'the timeout must be 1 to 15 seconds', 'write e.g. "timeout: 10s"')
  return undefined
}

/** Calls at once. */
export function readMaxConcurrent(fields: Fields): number | undefined {
  if (!fields.has('max_concurrent')) return endpointDefaults.maxConcurrent
  const raw = fields.raw('max_concurrent')
  if (typeof raw === 'number' && Number.isInteger(raw) && raw >= 1 && raw <= 100) return raw
  fields.problem('max_concurrent', 'max_concurrent must be a whole number from 1 to 100', 'write e.g. 4')
  return undefined
}

/** A call every three hours is the slowest that makes sense, and a thousand a second more than an instance makes. */
const rates = { least: 0.0001, most: 1000 } as const

/** Calls started per second; null: no limit. */
export function readRatePerSecond(fields: Fields): number | null | undefined {
  if (!fields.has('rate_per_second')) return endpointDefaults.ratePerSecond
  const raw = fields.raw('rate_per_second')
  if (typeof raw === 'number' && raw >= rates.least && raw <= rates.most) return raw
  fields.problem('rate_per_second', 'rate_per_second must be a number up to 1000', 'write e.g. 20 or 0.5')
  return undefined
}

/** Longest age that makes sense: after six days ROUTE makes no delivery at all. */
const longestAgeMs = 6 * 86_400_000

/** Ages per event type. */
export function readMaxAge(fields: Fields): Readonly<Record<string, number>> | undefined {
  if (!fields.has('max_age')) return {}
  const raw = fields.raw('max_age')
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    fields.problem('max_age', 'max_age must be a map', 'write e.g. "max_age: { out_for_delivery: 30m }"')
    return undefined
  }
  const ages: Record<string, number> = {}
  let fine = true
  for (const [event, value] of Object.entries(raw)) {
    const ms = parseDuration(value)
    if (!eventTypes.some((type) => type === event)) {
      fields.problem('max_age', `unknown event "${event}"`, suggestion(event, eventTypes))
      fine = false
    } else if (ms === undefined || ms < 1000 || ms > longestAgeMs) {
      const longest = formatDuration(longestAgeMs)
      fields.problem('max_age', `the age of "${event}" must be 1s to ${longest}`, 'write e.g. "30m" or "24h"')
      fine = false
    } else {
      ages[event] = Math.round(ms)
    }
  }
  return fine ? ages : undefined
}
