/** How many calls of an endpoint may be open at once: a number that follows how the endpoint does. Pure. */

/** What an ended call says about how much an endpoint can take. */
export type Load =
  /** It answered well within its time. */
  | 'light'
  /** It answered, but used up much of its time, or refused for a reason that is not load. */
  | 'steady'
  /** It did not answer, or said that it was too much. */
  | 'heavy'

export interface Credits {
  /** Calls at once; the endpoint's own setting bounds it further. */
  readonly limit: number
  /** Until something was too much, the number doubles with each round of calls; later it grows by one a round. */
  readonly searching: boolean
  /** Light calls since it grew. */
  readonly light: number
  /** Calls that were open when it shrank: their outcomes tell of the number before, and do not shrink it again. */
  readonly before: number
}

/** Enough to find out that an endpoint is slow without asking much of it. */
const firstCredits = 2

export const initialCredits: Credits = { limit: firstCredits, searching: true, light: 0, before: 0 }

export interface EndedCall {
  readonly load: Load
  /** The endpoint's own bound. */
  readonly max: number
  /** Calls still open. */
  readonly open: number
}

/** The credits after a call. */
export function creditsAfter(credits: Credits, { load, max, open }: EndedCall): Credits {
  const before = Math.max(0, credits.before - 1)
  switch (load) {
    case 'light':
      return { ...grown(credits, Math.max(1, max)), before }
    case 'steady':
      return before === credits.before ? credits : { ...credits, before }
    case 'heavy':
      if (credits.before > 0) return { ...credits, before }
      return { limit: Math.max(1, Math.floor(credits.limit / 2)), searching: false, light: 0, before: open }
  }
}

/** Kept within the bound while it grows, so that a bound that is raised later is reached step by step. */
function grown(credits: Credits, max: number): Credits {
  if (credits.limit >= max) return credits.light === 0 ? credits : { ...credits, light: 0 }
  const light = credits.light + 1
  if (credits.searching || light >= credits.limit) return { ...credits, limit: credits.limit + 1, light: 0 }
  return { ...credits, light }
}
