/**
 * The promise to partners as data: when each version of the payload was released, when it is deprecated, and from when
 * on it may be gone. This file is the only place with these dates; headers, pages, `waybill schemas status` and the
 * check that holds them together are made from it.
 */
import type { PayloadVersion } from '../generated/payload-shapes.ts'

/** One version; days are UTC, as 2026-11-25. */
export interface PayloadRelease {
  readonly version: PayloadVersion
  readonly released: string
  /** From this day on new endpoints should pin another; `null`: nobody is asked to move. */
  readonly deprecated: string | null
  /** From this day on it may be removed. Never sooner than the promise allows. */
  readonly sunset: string | null
  /** What to move to. */
  readonly successor: PayloadVersion | null
}

/** How long a deprecated version is still sent, at least. */
export const promisedMonths = 12

/** Every version that was ever released, oldest first. */
export const payloadReleases: readonly PayloadRelease[] = [
  { version: 'v1', released: '2026-11-22', deprecated: '2026-12-01', sunset: '2027-12-01', successor: 'v2' },
  { version: 'v2', released: '2026-11-22', deprecated: null, sunset: null, successor: null },
]

/** How a version stands on a day. */
export type VersionStanding = 'current' | 'deprecated' | 'past_sunset'

/** `deprecated` from its day on, `past_sunset` from that day on. */
export function standingOf({ deprecated, sunset }: PayloadRelease, nowMs: number): VersionStanding {
  if (sunset !== null && nowMs >= dayMs(sunset)) return 'past_sunset'
  return deprecated !== null && nowMs >= dayMs(deprecated) ? 'deprecated' : 'current'
}

/** The first millisecond of a day in UTC. */
export const dayMs = (day: string): number => Date.parse(`${day}T00:00:00.000Z`)

/** What can be asked about the releases. */
export interface PromiseInput {
  readonly releases: readonly PayloadRelease[]
  /** The versions that this program can render. */
  readonly renderable: readonly string[]
  readonly nowMs: number
}

/** Everything in which releases and program break the promise; empty when they keep it. */
export function brokenPromises({ releases, renderable, nowMs }: PromiseInput): readonly string[] {
  const broken: string[] = []
  const known = new Map(releases.map((release) => [release.version as string, release]))
  for (const release of releases) {
    const { version, released, deprecated, sunset, successor } = release
    const days = [released, deprecated, sunset].filter((day) => day !== null)
    for (const day of days) {
      if (!isDay(day)) broken.push(`${version}: "${day}" is no day; write it as 2027-01-31`)
    }
    if ((deprecated === null) !== (sunset === null) || (deprecated === null) !== (successor === null)) {
      broken.push(`${version}: deprecated, sunset and successor are said together or not at all`)
    }
    if (deprecated !== null && sunset !== null && dayMs(sunset) < addMonths(deprecated, promisedMonths)) {
      broken.push(`${version}: sunset ${sunset} comes less than ${promisedMonths} months after ${deprecated}`)
    }
    const next = successor === null ? undefined : known.get(successor)
    if (successor !== null && !next) broken.push(`${version}: its successor ${successor} was never released`)
    if (next && deprecated !== null && next.released > deprecated) {
      broken.push(
        `${version}: deprecated on ${deprecated}, before its successor ${next.version} was released`,
      )
    }
    if (!renderable.includes(version) && standingOf(release, nowMs) !== 'past_sunset') {
      broken.push(
        `${version} cannot be rendered any more, and is promised ${sunset ? `until ${sunset}` : 'without end'}`,
      )
    }
  }
  for (const version of renderable) {
    if (!known.has(version))
      broken.push(`${version} can be rendered and was never released; add it to the releases`)
  }
  return broken
}

/** An endpoint that pins a version. */
export interface PinnedEndpoint {
  readonly partner: string
  readonly endpoint: string
  readonly version: string
}

/** Why a version cannot be removed on a day; empty when it can. Each line says who or what stands in the way. */
export function retirementObstacles(
  version: string,
  options: {
    readonly releases: readonly PayloadRelease[]
    readonly pins: readonly PinnedEndpoint[]
    readonly nowMs: number
  },
): readonly string[] {
  const release = options.releases.find((one) => one.version === version)
  if (!release) return [`${version} was never released`]
  const pinned = options.pins.filter((pin) => pin.version === version)
  const move = release.successor === null ? '' : `; tell them to move to ${release.successor}`
  return [
    ...(release.sunset === null
      ? [
          `${version} is not deprecated: give it a deprecation and a sunset at least ${promisedMonths} months later`,
        ]
      : standingOf(release, options.nowMs) === 'past_sunset'
        ? []
        : [`${version} is promised until ${release.sunset}`]),
    ...pinned.map(({ partner, endpoint }) => `${partner} pins ${version} at its endpoint ${endpoint}${move}`),
  ]
}

/** The same day of a later month; the last one of that month where it has none. */
function addMonths(day: string, months: number): number {
  const from = new Date(dayMs(day))
  const first = Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months, 1)
  const last = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0)).getUTCDate()
  return first + (Math.min(from.getUTCDate(), last) - 1) * 86_400_000
}

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
