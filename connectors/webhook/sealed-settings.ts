/** What of an endpoint's settings is sealed: the keys that sign now, the partner's headers, the client certificate. */
import type { SendCertificate } from '../../ports/sender.ts'
import type { Endpoint } from '../../schemas/index.ts'
import { headerProblem } from './reserved-headers.ts'

/**
 * The sealed texts of the keys that sign at `nowMs`, newest first. Throws when all have expired: an unsigned request
 * would be refused, and a signature by an expired key is what the expiry was to prevent.
 */
export function signingSecrets(
  endpoint: Pick<Endpoint, 'endpoint_id' | 'signing_keys' | 'secrets'>,
  nowMs: number,
): readonly string[] {
  const { signing_keys: keys, secrets } = endpoint
  const sealed =
    keys.length === 0
      ? secrets
      : keys.filter(({ expires_at }) => expires_at === null || expires_at > nowMs).map(({ secret }) => secret)
  if (sealed.length > 0) return sealed
  throw new Error(
    `no signing key of endpoint ${endpoint.endpoint_id} is valid any more; give it a new secret in the partner config`,
  )
}

/** Opened; a header that may not be sent is left out, whatever let it in. */
export function openEndpointSecrets(
  endpoint: Pick<Endpoint, 'headers' | 'client_certificate'>,
  open: (sealed: string) => string,
): {
  readonly headers: Readonly<Record<string, string>>
  readonly clientCertificate: SendCertificate | null
} {
  const headers: Record<string, string> = {}
  for (const { name, value } of endpoint.headers) {
    const opened = open(value)
    if (headerProblem(name, opened) === undefined) headers[name.toLowerCase()] = opened
  }
  const { client_certificate: shown } = endpoint
  return {
    headers,
    clientCertificate: shown && { certificate: shown.certificate, privateKey: open(shown.private_key) },
  }
}
