/**
 * The dates of a payload version as headers. `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) are about the answer
 * that carries them, so they belong to our API; in the requests that webhooks are, the same dates go under names of our
 * own.
 */
import type { PayloadVersion } from '../generated/payload-shapes.ts'
import { dayMs, type PayloadRelease, payloadReleases, standingOf } from './versions.ts'

/** Where the API describes itself. */
const apiDescription = '/openapi.json'

/** Names and values, names in lower case. */
export type VersionHeaders = Readonly<Record<string, string>>

const releaseOf = (version: string, releases: readonly PayloadRelease[]): PayloadRelease | undefined =>
  releases.find((release) => release.version === version)

/** `@1764547200`: RFC 9745 has a structured date. */
const structuredDate = (day: string): string => `@${dayMs(day) / 1000}`

/** `Wed, 01 Dec 2027 00:00:00 GMT`: RFC 8594 has HTTP's. */
const httpDate = (day: string): string => new Date(dayMs(day)).toUTCString()

/**
 * What a webhook of this version carries: its version always, its dates from the day it is deprecated on. The values
 * depend on the version and the day alone, so every attempt within a day has the same.
 */
export function versionHeaders(
  version: PayloadVersion,
  nowMs: number,
  releases: readonly PayloadRelease[] = payloadReleases,
): VersionHeaders {
  const headers = { 'waybill-payload-version': version }
  const release = releaseOf(version, releases)
  if (!release || standingOf(release, nowMs) === 'current') return headers
  return {
    ...headers,
    ...(release.deprecated !== null && { 'waybill-payload-deprecation': structuredDate(release.deprecated) }),
    ...(release.sunset !== null && { 'waybill-payload-sunset': httpDate(release.sunset) }),
    ...(release.successor !== null && { 'waybill-payload-successor': release.successor }),
  }
}

/**
 * What an answer of the API carries that shows bodies of these versions: the dates of the one that ends first. RFC 9745
 * allows a date to come, so no clock is asked.
 */
export function answerVersionHeaders(
  versions: readonly string[],
  releases: readonly PayloadRelease[] = payloadReleases,
): VersionHeaders {
  const [first] = versions
    .flatMap((version) => releaseOf(version, releases) ?? [])
    .filter(({ sunset }) => sunset !== null)
    .sort((a, b) => ((a.sunset ?? '') < (b.sunset ?? '') ? -1 : 1))
  if (!first || first.deprecated === null || first.sunset === null) return {}
  return {
    deprecation: structuredDate(first.deprecated),
    sunset: httpDate(first.sunset),
    // What the API says of itself: the one page that every instance has.
    link: ['deprecation', 'sunset']
      .map((rel) => `<${apiDescription}>; rel="${rel}"; type="application/json"`)
      .join(', '),
  }
}
