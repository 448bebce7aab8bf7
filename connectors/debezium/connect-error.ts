/** What Kafka Connect refuses or cannot do, as one error with a stable word. */

/**
 * - `unreachable`: nobody answers, or the worker cannot say now
 * - `busy`: the workers are rebalancing, and were for longer than it was waited
 * - `unauthorized`: the worker asks for credentials, or for others
 * - `not_found`: it has no such connector or plugin
 * - `invalid`: it refuses the configuration
 * - `foreign`: what answers is no Kafka Connect
 */
export type ConnectErrorKind = 'unreachable' | 'busy' | 'unauthorized' | 'not_found' | 'invalid' | 'foreign'

/** A question to Connect that did not end well. The message says what and where; it holds no configuration. */
export class ConnectError extends Error {
  readonly kind: ConnectErrorKind
  readonly status: number | undefined

  constructor(
    kind: ConnectErrorKind,
    message: string,
    options: ErrorOptions & { readonly status?: number } = {},
  ) {
    super(message, options)
    this.name = 'ConnectError'
    this.kind = kind
    this.status = options.status
  }
}

/** What a status means. 409 is no conflict with anybody's data: it says that the workers are rebalancing. */
export function kindOfStatus(status: number): ConnectErrorKind {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404) return 'not_found'
  if (status === 409) return 'busy'
  if (status === 400 || status === 422) return 'invalid'
  return status >= 500 || status === 429 ? 'unreachable' : 'foreign'
}
