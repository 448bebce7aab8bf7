/** Names how a request ended: HTTP statuses and network errors to outcome classes, each in one table. */
import type { AcknowledgeOn, OutcomeClass } from '../../ports/sender.ts'
import { DialError } from './dial-error.ts'

/** What beside the status says how a response counts. */
export interface ResponseFacts {
  readonly acknowledgeOn?: AcknowledgeOn
  /** Whether it went on beyond what is read. */
  readonly isTooLong: boolean
}

/** The class of a response whose status line came. */
export function classifyStatus(statusCode: number, facts: ResponseFacts): OutcomeClass {
  if (statusCode >= 200 && statusCode < 300) {
    if (facts.acknowledgeOn === 'ONLY_200' && statusCode !== 200) return 'not_200'
    return facts.isTooLong ? 'body_too_large' : 'acknowledged'
  }
  if (statusCode >= 300 && statusCode < 400) return 'http_3xx'
  if (statusCode === 410) return 'http_410'
  if (statusCode === 429) return 'http_429'
  if (statusCode >= 400 && statusCode < 500) return 'http_4xx'
  if (statusCode >= 500 && statusCode < 600) return 'http_5xx'
  return 'http_invalid'
}

/** Codes of Node and undici. */
const classByCode: Readonly<Record<string, OutcomeClass>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ENODATA: 'dns',
  ESERVFAIL: 'dns',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  ETIMEDOUT: 'timeout_connect',
  UND_ERR_CONNECT_TIMEOUT: 'timeout_connect',
  UND_ERR_HEADERS_TIMEOUT: 'timeout_response',
  UND_ERR_BODY_TIMEOUT: 'timeout_response',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_HEADERS_OVERFLOW: 'http_invalid',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'http_invalid',
  EPROTO: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  INVALID_PURPOSE: 'tls',
}

/** Families of codes: OpenSSL and Node's TLS have dozens each, and the HTTP parser too. */
const classByPrefix: readonly (readonly [string, OutcomeClass])[] = [
  ['ERR_TLS_', 'tls'],
  ['ERR_SSL_', 'tls'],
  ['ERR_OSSL_', 'tls'],
  ['CERT_', 'tls'],
  ['HPE_', 'http_invalid'],
]

/** The class of a failed request, and a text that names the error. */
export function classifyError(error: unknown): { readonly class: OutcomeClass; readonly detail: string } {
  if (error instanceof DialError) return { class: error.outcome, detail: error.message }
  const code = codeOf(error)
  const detail = error instanceof Error ? `${code ?? error.name}: ${error.message}` : String(error)
  // undici's parser has no code for some of what is not HTTP at all.
  if (error instanceof Error && error.name === 'HTTPParserError') return { class: 'http_invalid', detail }
  if (code === undefined) return { class: 'other_error', detail }
  const family = classByPrefix.find(([prefix]) => code.startsWith(prefix))?.[1]
  return { class: classByCode[code] ?? family ?? 'other_error', detail }
}

/** The code of an error. undici wraps some errors, and Node collects those of several addresses: look inside. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const inner = error instanceof AggregateError ? error.errors : [error.cause]
  const innerCode = inner.map(codeOf).find((found) => found !== undefined)
  return code === undefined || code === 'UND_ERR' ? innerCode : code
}
