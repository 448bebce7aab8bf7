/** The questions that requests answer, and how an answer is judged: what each is, what it expects, what mends it. */
import { isAcknowledged, type SendOutcome } from '../../ports/sender.ts'
import type { Finding } from './finding.ts'

/** What is asked of the receiver. */
export interface RequestCheck {
  readonly check: string
  readonly tried: string
  /** Whether the receiver should take it. */
  readonly expects: 'taken' | 'refused'
  /** How the request differs from a good one. */
  readonly with: {
    readonly signature: 'right' | 'wrong' | 'none' | 'rotating'
    /** Seconds that the signature is old. */
    readonly ageSeconds?: number
    /** Whether another body is sent than was signed. */
    readonly changedBody?: boolean
    /** Whether it repeats the first request, id and all. */
    readonly repeats?: boolean
  }
  /** What is to change when the receiver does otherwise. */
  readonly mend: string
  /** Default `fail`. */
  readonly else?: 'warn'
}

const verify = 'verify webhook-signature over the bytes as they came, and answer 401 where it does not fit'

/** In this order: the second repeats the first. */
export const requestChecks: readonly RequestCheck[] = [
  {
    check: 'signed_event',
    tried: 'sent an event, signed',
    expects: 'taken',
    with: { signature: 'right' },
    mend: 'answer 2xx; check the secret, and that the signature is verified over the bytes as they came, before parsing',
  },
  {
    check: 'duplicate',
    tried: 'sent the same event again',
    expects: 'taken',
    with: { signature: 'right', repeats: true },
    mend: 'answer 2xx to a webhook-id that you have had before: it is not sent again then',
  },
  {
    check: 'rotation',
    tried: 'sent an event with two signatures, the second one fitting',
    expects: 'taken',
    with: { signature: 'rotating' },
    mend: 'try every signature in webhook-signature (separated by blanks): while a secret is replaced there are two',
  },
  {
    check: 'wrong_signature',
    tried: 'sent an event signed with another secret',
    expects: 'refused',
    with: { signature: 'wrong' },
    mend: `anybody can send you events: ${verify}`,
  },
  {
    check: 'no_signature',
    tried: 'sent an event without signature',
    expects: 'refused',
    with: { signature: 'none' },
    mend: `anybody can send you events: ${verify}`,
  },
  {
    check: 'changed_body',
    tried: 'sent another body than was signed',
    expects: 'refused',
    with: { signature: 'right', changedBody: true },
    mend: `what was changed on the way is taken: ${verify}`,
  },
  {
    check: 'old_timestamp',
    tried: 'sent an event signed ten minutes ago',
    expects: 'refused',
    with: { signature: 'right', ageSeconds: 600 },
    mend: 'refuse a webhook-timestamp more than five minutes off: whoever recorded a request can send it again',
    else: 'warn',
  },
]

/** Whether the check needs the endpoint's own secret. */
export const needsSecret = ({ with: { signature } }: RequestCheck): boolean =>
  signature === 'right' || signature === 'rotating'

export function requestFinding(asked: RequestCheck, outcome: SendOutcome): Finding {
  const { check, tried, expects, mend } = asked
  const taken = isAcknowledged(outcome.class)
  const said = (status: Finding['status'], what: string | null): Finding => ({
    check,
    status,
    tried,
    came: outcomeText(outcome),
    mend: what,
  })
  if (expects === 'taken') return taken ? said('ok', null) : said('fail', mendOf(outcome) ?? mend)
  if (taken) return said(asked.else ?? 'fail', mend)
  // A refusal is a 4xx. A 5xx or a hung request keeps the event out, but counts as an outage of the receiver.
  const isRefusal = outcome.class === 'http_4xx'
  return isRefusal
    ? said('ok', null)
    : said('warn', mendOf(outcome) ?? 'answer 401 to what is not signed rightly')
}

/** What mends the answer, whatever was asked; `undefined` where that depends on the question. */
function mendOf({ class: outcome }: SendOutcome): string | undefined {
  switch (outcome) {
    case 'http_3xx':
      return 'register the URL that it redirects to: redirects are never followed, because a POST would lose its body'
    case 'timeout_connect':
    case 'timeout_response':
      return 'answer first and work afterwards'
    case 'http_410':
      return '410 switches the endpoint off for good: answer 401 instead'
    case 'http_429':
      return 'let more requests through, or ask for a rate_per_second'
    case 'not_200':
      return 'answer exactly 200, as this endpoint is set up (acknowledge_on), or have that changed'
    case 'http_invalid':
      return 'answer with HTTP/1.1'
    case 'reset':
      return 'answer before the connection is closed'
    default:
      return undefined
  }
}

const detailCharactersMax = 60

/** E.g. `204 in 31 ms`, or `401 in 4 ms: {"error":"bad signature"}`. */
export function outcomeText({ class: outcome, statusCode, detail, durationMs }: SendOutcome): string {
  const what = statusCode === null ? outcome : String(statusCode)
  const line = (detail ?? '').replace(/\s+/g, ' ').trim()
  const cut = line.length > detailCharactersMax ? `${line.slice(0, detailCharactersMax)}…` : line
  return `${what} in ${durationMs} ms${isAcknowledged(outcome) || cut === '' ? '' : `: ${cut}`}`
}

/** Whether what was taken was taken quickly enough to have something in hand. */
export function timeFinding(outcomes: readonly SendOutcome[], timeoutMs: number): Finding {
  const slowest = Math.max(...outcomes.map(({ durationMs }) => durationMs))
  const isSlow = slowest > timeoutMs / 2
  return {
    check: 'in_time',
    status: isSlow ? 'warn' : 'ok',
    tried: `measured the answers to ${outcomes.length} requests`,
    came: `the slowest took ${slowest} ms of ${timeoutMs} ms`,
    mend: isSlow ? 'answer first and work afterwards: under load it will be too late' : null,
  }
}
