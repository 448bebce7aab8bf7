/** An ingest request, and what its messages are: records to append, or what is wrong with them. */
import type { CapturedRecord } from './captured-record.ts'
import { readMessage } from './change-message.ts'
import { type IngestResponse, refusal } from './ingest-answers.ts'

/** A request, as far as an ingest looks at it. */
export interface IngestRequest {
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** `?topic=`: the captured topic, for messages that do not tell theirs. */
  readonly query: { readonly topic?: string | undefined }
  /** As it was sent, unparsed and still zipped: a signature is about these bytes. */
  readonly body: Uint8Array
}

/** The messages of a request, read. */
export interface ReadRequest {
  readonly records: readonly CapturedRecord[]
  readonly ignored: Record<string, number>
}

/** What the request says about all of its messages. */
export interface ReadingContext {
  readonly topic: string | undefined
  readonly keyHeaders: CapturedRecord['headers']
  readonly now: number
}

/** Unreadable messages named in an answer; a batch of the wrong kind has as many as it has messages. */
const problemsShown = 5

/** Reads the messages; one that is unreadable refuses all of them. */
export function readMessages(
  texts: readonly string[],
  context: ReadingContext,
): IngestResponse | ReadRequest {
  const records: CapturedRecord[] = []
  const ignored: Record<string, number> = {}
  const problems: string[] = []
  for (const [index, text] of texts.entries()) {
    const read = readMessage(text, {
      ...(context.topic !== undefined && { topic: context.topic }),
      now: context.now,
    })
    if (read.kind === 'aside') ignored[read.why] = (ignored[read.why] ?? 0) + 1
    else if (read.kind === 'unreadable') problems.push(`message ${index + 1}: ${read.reason}`)
    else records.push({ ...read.record, headers: { ...read.record.headers, ...context.keyHeaders } })
  }
  if (problems.length === 0) return { records, ignored }
  const shown = problems.slice(0, problemsShown).join('; ')
  const more = problems.length > problemsShown ? `; and ${problems.length - problemsShown} more` : ''
  return refusal(
    400,
    'unreadable',
    `${shown}${more}`,
    'nothing of the request was taken: mend these and send it again',
  )
}

/** Debezium's names of the two headers that decide what fires. Others are of no use here. */
const keyHeaders = ['__debezium.newkey', '__debezium.oldkey']
const sinkHeaderPrefix = 'x-debezium-'

/**
 * The sink writes names in capitals, Node gives them in lower case, and both names are lower case by nature. Values
 * are base64 unless `headers.encode.base64=false`: then they start with the brace of their JSON, as no base64 does.
 */
export function keyHeadersOf(request: IngestRequest): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of keyHeaders) {
    const value = headerOf(request)(sinkHeaderPrefix + name)
    if (value === undefined) continue
    found[name] = value.startsWith('{') ? value : Buffer.from(value, 'base64').toString('utf8')
  }
  return found
}

/** A header of the request by its lower-case name; of several the first. */
export const headerOf =
  ({ headers }: IngestRequest) =>
  (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' ? value : value?.[0]
  }
