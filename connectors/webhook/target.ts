/** Where an endpoint's URL leads, and whether our rules let it: all that can be said of it before its name is looked up. */
import type { OutcomeClass } from '../../ports/sender.ts'
import type { Vetting } from './address-vetting.ts'

/** An origin and a path to call, or what is wrong with the URL. */
export type Target =
  | { readonly kind: 'allowed'; readonly origin: string; readonly path: string }
  | { readonly kind: 'refused'; readonly outcome: OutcomeClass; readonly detail: string }

/** Takes a URL apart and vets it. The URL itself is not quoted: it may hold a token. */
export function makeTarget(url: string, vetting: Pick<Vetting, 'url'>): Target {
  if (!URL.canParse(url)) {
    return invalid('the URL of the endpoint is malformed; correct it in the partner config')
  }
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    return invalid(
      `the URL of the endpoint begins with ${parsed.protocol}, not https: or http:; correct it in the partner config`,
    )
  }
  const forbidden = vetting.url(parsed)
  if (forbidden !== undefined) return { kind: 'refused', outcome: 'blocked_address', detail: forbidden }
  return { kind: 'allowed', origin: parsed.origin, path: `${parsed.pathname}${parsed.search}` }
}

const invalid = (detail: string): Target => ({ kind: 'refused', outcome: 'invalid_url', detail })
