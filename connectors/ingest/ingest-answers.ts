/** What an ingest over HTTP answers: the shapes, and every way in which it says no. */
import type { BodyProblem } from './ingest-body.ts'

/** An answer, ready for whichever web framework there is. */
export interface IngestResponse {
  readonly status: 200 | 400 | 401 | 413 | 415 | 429 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: IngestAnswer | IngestRefusal
}

/** What became of the messages of a request that was taken. */
export interface IngestAnswer {
  /** Appended, and durable. */
  readonly accepted: number
  /** Had been appended before, by their position in the source. */
  readonly repeated: number
  /** Not for us, by why: `other_topic`, `heartbeat`, `transaction`, `schema_change`. */
  readonly ignored: Readonly<Record<string, number>>
}

/** In the shape of all errors of the API; messages quote nothing of the body. */
export interface IngestRefusal {
  readonly error: { readonly code: string; readonly message: string; readonly mend: string }
}

/** A refusal; `holdS`: seconds after which to send again. */
export function refusal(
  status: Exclude<IngestResponse['status'], 200>,
  code: string,
  message: string,
  mend: string,
  holdS?: number,
): IngestResponse {
  return {
    status,
    headers: holdS === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(holdS))) },
    body: { error: { code, message, mend } },
  }
}

/** Says nothing of why: whoever guesses learns nothing. */
export const unauthorized: IngestResponse = {
  ...refusal(
    401,
    'unauthorized',
    'the request has neither a known token nor a valid signature',
    'send Authorization: Bearer <token>, or sign it as Standard Webhooks has it, within five minutes',
  ),
  headers: { 'www-authenticate': 'Bearer' },
}

const bodyCodes = { 400: 'unreadable', 413: 'too_large', 415: 'unsupported' } as const

/** Refuses a body that cannot be read as messages. */
export const bodyRefusal = ({ status, reason }: BodyProblem): IngestResponse =>
  refusal(status, bodyCodes[status], reason, 'see docs/your-own-data.md')
