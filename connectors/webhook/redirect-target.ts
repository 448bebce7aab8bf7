/** Where a redirect points, for people who have to register that instead: we never follow one. */

/** Longer ones are no addresses that anybody types in. */
const charactersMax = 300

/**
 * The address in a `Location`, complete, without user, query and fragment: they hold tokens more often than anything that
 * helps. `undefined` when there is none, or it cannot be read.
 */
export function redirectTarget(location: string | undefined, from: URL): string | undefined {
  if (location === undefined || !URL.canParse(location, from.origin)) return undefined
  const { protocol, host, pathname } = new URL(location, from)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  return `${protocol}//${host}${pathname}`.slice(0, charactersMax)
}
