/** Which headers a partner may add to its requests: none of ours, and none that frames the message. */

/** Ours, the connection's, and those that change how the body is read. */
const reserved = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
])

const reservedPrefixes = ['webhook-', 'waybill-', 'proxy-', 'sec-', ':'] as const

/** RFC 9110's token. */
const namePattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/

/** Visible ASCII with single blanks and tabs inside: no line breaks, which would begin another header. */
const valuePattern = /^[\x21-\x7e](?:[\x20-\x7e\t]{0,2046}[\x21-\x7e])?$/

/** Most headers that an endpoint may add. */
export const partnerHeadersMax = 20

/** Why a header may not be added, or `undefined` when it may. The value is not quoted: it may be a credential. */
export function headerProblem(name: string, value: string): string | undefined {
  if (!namePattern.test(name)) return `"${name}" is not the name of a header`
  const lower = name.toLowerCase()
  if (reserved.has(lower) || reservedPrefixes.some((prefix) => lower.startsWith(prefix))) {
    return `the header "${name}" is reserved`
  }
  return valuePattern.test(value) ? undefined : `the value of "${name}" cannot stand in a header`
}
