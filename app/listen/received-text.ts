/** What `waybill listen` prints of a request: one line that tells all that matters, then the body, readable. */
import type pico from 'picocolors'
import type { Received } from './listen-server.ts'

/** Enough for any event, and for the first words of what is none. */
const strangeBodyCharactersMax = 400

/** The text of one request, ending in a newline. */
export function receivedText(received: Received, paint: ReturnType<typeof pico.createColors>): string {
  const body = jsonOf(received.body)
  const event = text(body?.event) ?? text(body?.type) ?? `${received.method} ${received.path}`
  const order = text(body?.order_id)
  const words = [
    paint.dim(new Date(received.at).toISOString().slice(11, 19)),
    paint.bold(event),
    ...(order === undefined ? [] : [`order ${order}`]),
    signatureWords(received, paint),
    answerWords(received, paint),
    ...howOften(received),
  ]
  const head = `${words.join('  ')}\n${paint.dim(`          webhook-id ${received.id ?? 'missing'}`)}\n`
  return head + indented(body ? JSON.stringify(body, null, 2) : strange(received.body))
}

function signatureWords({ signature }: Received, paint: ReturnType<typeof pico.createColors>): string {
  if (signature === 'not_checked') return paint.yellow('signature not checked')
  if (!signature.valid) return paint.red(`bad signature: ${signature.why}`)
  return paint.green(signature.scheme === 'v1' ? 'signed' : 'signed (ed25519)')
}

const answerWords = ({ answered }: Received, paint: ReturnType<typeof pico.createColors>): string =>
  answered < 300 ? `answered ${answered}` : paint.red(`answered ${answered}`)

function howOften({ trigger, attempt, duplicate }: Received): string[] {
  const words = []
  if (trigger !== null) words.push(attempt === null ? trigger : `${trigger}, attempt ${attempt}`)
  if (duplicate) words.push('DUPLICATE: acknowledged before')
  return words
}

const indented = (lines: string): string =>
  lines
    .split('\n')
    .map((line) => `          ${line}\n`)
    .join('')

const strange = (body: string): string =>
  body === '' ? '(no body)' : `not JSON: ${body.slice(0, strangeBodyCharactersMax)}`

const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined

function jsonOf(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
