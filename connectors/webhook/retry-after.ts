/** Reads `Retry-After`: how long a receiver asks us to leave it alone (RFC 9110 §10.2.3). */

/** Longer is no hint but an accident; a retry comes long before anyway. */
const longestMs = 30 * 86_400_000

/**
 * Milliseconds from now, or `null` when there is no such wish. A date is taken relative to the receiver's own `Date`
 * header where there is one: its clock need not agree with ours.
 */
export function parseRetryAfter(
  value: string | undefined,
  { date, nowMs }: { readonly date: string | undefined; readonly nowMs: number },
): number | null {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, longestMs)
  // Date.parse takes a great deal that is no HTTP date, bare numbers among it.
  if (!/^[A-Z][a-z]{2}/.test(text)) return null
  const until = Date.parse(text)
  if (Number.isNaN(until)) return null
  const said = date === undefined ? Number.NaN : Date.parse(date)
  return Math.min(Math.max(0, until - (Number.isNaN(said) ? nowMs : said)), longestMs)
}
