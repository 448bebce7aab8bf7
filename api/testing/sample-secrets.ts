/** Replaces the secrets of the sample's endpoints; that of acme's analytics is stated in its settings. */
import type { SecretDesk } from '../options.ts'

/** Of a request, so that a repeat is seen to get the same. */
export const sampleSecret = (commandId: string): string =>
  `whsec_${Buffer.from(commandId.slice(0, 24)).toString('base64')}`

export const sampleSecrets: SecretDesk = {
  async rotate({ scope, endpointId, commandId, overlapMs, now }) {
    const owner = endpointId.startsWith('acme-')
      ? 'acme'
      : endpointId === 'bharat-main'
        ? 'bharat'
        : undefined
    if (owner === undefined || (scope.partnerId ?? owner) !== owner) return { refused: 'no_such_endpoint' }
    if (endpointId === 'acme-analytics') return { refused: 'secret_stated' }
    return { secret: sampleSecret(commandId), keyId: 'made-1.1', formerUntil: now + overlapMs }
  },
}
