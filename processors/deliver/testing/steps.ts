/** What may happen to DELIVER in a story, at random, and the few things that all stories share. */
import fc from 'fast-check'

export const minuteMs = 60_000
export const dayMs = 24 * 60 * minuteMs

export type Step =
  | { readonly do: 'deliver'; readonly which: number; readonly newerConfig: boolean }
  | { readonly do: 'finish'; readonly which: number; readonly how: (typeof endings)[number] }
  | {
      readonly do: 'command'
      readonly which: number
      readonly kind: (typeof kinds)[number]
      readonly confirm: boolean
    }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'configure'; readonly which: number; readonly how: (typeof settings)[number] }
  | { readonly do: (typeof plain)[number] }

export const endings = [
  'ok',
  'ok',
  'broken',
  'broken',
  'broken',
  'slow',
  'gone',
  'throttled',
  'proxy',
  'expired',
  'failed',
  'not_sent',
] as const
export const kinds = [
  'RETRY_NOW',
  'RETRY_NOW',
  'CANCEL',
  'CANCEL',
  'REDRIVE',
  'REDRIVE',
  'ENABLE',
  'PROBE',
  'REDRIVE_MATCHING',
] as const
export const settings = [
  'active',
  'active',
  'paused',
  'disabled',
  'removed',
  'narrow',
  'slow',
  'auto',
] as const
const plain = [
  'due',
  'due',
  'due',
  'fail_all',
  'fail_all',
  'hang_all',
  'release',
  'start',
  'sweep',
  'commit',
  'abort',
  'restart',
  'lose',
] as const

export const deliveries = 6
const which = fc.nat(deliveries - 1)

/** Random things that happen. */
const happenings: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('deliver' as const), which, newerConfig: fc.boolean() }),
    },
    {
      weight: 10,
      arbitrary: fc.record({ do: fc.constant('finish' as const), which, how: fc.constantFrom(...endings) }),
    },
    {
      weight: 7,
      arbitrary: fc.record({
        do: fc.constant('command' as const),
        which,
        kind: fc.constantFrom(...kinds),
        confirm: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        ms: fc.constantFrom(500, 10_000, 30_000, 2 * minuteMs, 8 * minuteMs, 60 * minuteMs, dayMs, 7 * dayMs),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('configure' as const),
        which,
        how: fc.constantFrom(...settings),
      }),
    },
    { weight: 12, arbitrary: fc.record({ do: fc.constantFrom(...plain) }) },
  ),
  { maxLength: 60, size: 'max' },
)

/** How a story begins. Chance alone seldom comes to a newer event that is delivered while an older one of its order is
 * given up, or to several calls that hang together. */
const openings: readonly (readonly Step[])[] = [
  [],
  [],
  [
    { do: 'deliver', which: 1, newerConfig: false },
    { do: 'command', which: 1, kind: 'CANCEL', confirm: false },
    { do: 'deliver', which: 3, newerConfig: false },
    { do: 'finish', which: 0, how: 'ok' },
  ],
  [
    { do: 'configure', which: 1, how: 'disabled' },
    { do: 'deliver', which: 1, newerConfig: false },
    { do: 'configure', which: 1, how: 'active' },
    { do: 'deliver', which: 3, newerConfig: false },
    { do: 'finish', which: 0, how: 'ok' },
  ],
  [
    { do: 'deliver', which: 0, newerConfig: false },
    { do: 'deliver', which: 2, newerConfig: false },
    { do: 'deliver', which: 4, newerConfig: false },
    { do: 'hang_all' },
  ],
]

/** Random stories, short enough to be read when one fails. */
export const stories: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.constantFrom(...openings), happenings)
  .map(([opening, rest]) => [...opening, ...rest])

export const idOf = (index: number): string => `d${index}`
export const endpointOf = (index: number): string => `e${(index % 2) + 1}`

/** e2 keeps the order of events, and all that it gets is of one order. */
export const strictEndpoint = 'e2'

/** Opens soon enough for a short story. */
export const breaker = { opensAt: 3, firstPauseMs: 3 * minuteMs, longestPauseMs: 6 * minuteMs }

/** Of endpoints that are told to be slow. */
export const slowPerSecond = 0.5
