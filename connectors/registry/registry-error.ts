/** What a schema registry refuses or cannot do, as one error with a stable word; registries differ in their codes. */

/**
 * What went wrong:
 *
 * - `unreachable`: no answer, or none that counts (5xx, 429); the same question may be answered later
 * - `unauthorized`: the credentials are missing, wrong, or lack the right
 * - `not_found`: no such subject, version, id or level
 * - `incompatible`: the level of the subject forbids this schema
 * - `invalid`: the registry cannot take the schema or the level
 * - `missing`: it lacks what this program ships
 * - `weak_level`: a subject would take schemas that break what reads it
 * - `foreign`: what answers is no registry, or asks for something else altogether
 */
export type RegistryErrorKind =
  | 'unreachable'
  | 'unauthorized'
  | 'not_found'
  | 'incompatible'
  | 'invalid'
  | 'missing'
  | 'weak_level'
  | 'foreign'

/** A question to a registry that did not end well. The message says what, where and the mend; never a secret. */
export class RegistryError extends Error {
  readonly kind: RegistryErrorKind
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined
  /** The registry's own code, e.g. 40901; registries give different ones for the same thing. */
  readonly code: number | undefined

  constructor(
    kind: RegistryErrorKind,
    message: string,
    options: ErrorOptions & { readonly status?: number; readonly code?: number } = {},
  ) {
    super(message, options)
    this.name = 'RegistryError'
    this.kind = kind
    this.status = options.status
    this.code = options.code
  }
}

/**
 * What a status means. Confluent says 409 with code 40901 to an incompatible schema, Apicurio and Karapace 409 with
 * 409: the status alone decides.
 */
export function kindOfStatus(status: number): RegistryErrorKind {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404) return 'not_found'
  if (status === 409) return 'incompatible'
  if (status === 400 || status === 422) return 'invalid'
  return status >= 500 || status === 429 || status === 408 ? 'unreachable' : 'foreign'
}

/** What a refusal looks like to a person. `what` is what was asked for, `where` the registry's address. */
export function refusal(
  asked: { readonly what: string; readonly where: string },
  answer: { readonly status: number; readonly code?: number; readonly message: string },
  cause?: unknown,
): RegistryError {
  const kind = kindOfStatus(answer.status)
  const said = answer.message === '' ? `status ${answer.status}` : `${answer.status} ${answer.message}`
  return new RegistryError(
    kind,
    `${asked.what}: the registry at ${asked.where} says ${said}${mendOf(kind)}`,
    {
      cause,
      status: answer.status,
      ...(answer.code !== undefined && { code: answer.code }),
    },
  )
}

function mendOf(kind: RegistryErrorKind): string {
  switch (kind) {
    case 'unauthorized':
      return '; check registry.auth, and what this user may do there'
    case 'foreign':
      return '; check registry.url: it ends where /subjects begins'
    default:
      return ''
  }
}

/** The error of a question that nobody answered. */
export function noAnswer(what: string, where: string, cause: unknown): RegistryError {
  return new RegistryError('unreachable', `${what}: nothing answers at ${where} (${reasonOf(cause)})`, {
    cause,
  })
}

/** A host with several addresses fails once for each; the first says enough. */
function reasonOf(cause: unknown): string {
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
  return first instanceof Error ? first.message : String(first)
}
