/**
 * Takes changes over HTTP, as Debezium Server's HTTP sink sends them: one POST per change, its JSON as the body, no
 * key and no topic, headers as `X-DEBEZIUM-…` in base64. Also takes several at once, as a JSON array or JSON lines, and
 * records that name their topic. Knows no web framework: whoever has one hands the request in and the answer out.
 *
 * 2xx means durable. Everything of a request is taken, or nothing: a batch with one unreadable message is refused
 * whole. Requests are taken one after the other, so what was sent in order is appended in order.
 */
import type { Clock } from '../../engine/index.ts'
import type { Ingest } from './append.ts'
import type { CapturedRecord } from './captured-record.ts'
import { bodyRefusal, type IngestResponse, refusal, unauthorized } from './ingest-answers.ts'
import { type IngestAuthOptions, ingestAuth } from './ingest-auth.ts'
import { messagesOf } from './ingest-body.ts'
import {
  headerOf,
  type IngestRequest,
  keyHeadersOf,
  type ReadRequest,
  readMessages,
} from './ingest-request.ts'
import { seenPositions } from './seen-positions.ts'

export type { IngestAnswer, IngestRefusal, IngestResponse } from './ingest-answers.ts'
export type { IngestRequest } from './ingest-request.ts'

export interface HttpIngestOptions {
  readonly ingest: Pick<Ingest, 'append'>
  readonly auth: Omit<IngestAuthOptions, 'clock'>
  /** Real time. */
  readonly clock: Clock
  /** Whether a mapping names the topic. */
  isMapped(topic: string): boolean
  /** The place of a change in its source; null where it has none. */
  positionOf(topic: string, value: string): string | null
  /** When the pipeline is too far behind to take more: for how many seconds to hold back. */
  overloaded?(): number | undefined
  /** Told about what cannot be written; the request is answered 503 and comes again. */
  readonly report: (message: string, cause: unknown) => void
  /** Of a body, unzipped. */
  readonly bodyBytesMax?: number
  /** Requests that may wait for their turn. */
  readonly waitingMax?: number
}

/** The handler of requests that bring changes. */
export interface HttpIngest {
  handle(request: IngestRequest): Promise<IngestResponse>
  /** For metrics: sums since the start, by outcome. */
  counts(): IngestCountsByOutcome
}

/** What became of messages and requests since the start. */
export interface IngestCountsByOutcome {
  readonly accepted: number
  readonly repeated: number
  readonly ignored: number
  /** Requests that were refused, by status. */
  readonly refused: Readonly<Record<string, number>>
}

/** Of a body as it is read and unzipped. A change weighs some kilobytes. */
const defaultBodyBytesMax = 16 * 1024 * 1024
const defaultWaitingMax = 64
const retryAfterS = 1

/** Makes the handler. Throws when nobody could be let in. */
export function createHttpIngest(options: HttpIngestOptions): HttpIngest {
  const isAllowed = ingestAuth({ ...options.auth, clock: options.clock })
  const bodyBytesMax = options.bodyBytesMax ?? defaultBodyBytesMax
  const waitingMax = options.waitingMax ?? defaultWaitingMax
  const seen = seenPositions()
  const sums = { accepted: 0, repeated: 0, ignored: 0 }
  const refused: Record<string, number> = {}
  let waiting = 0
  let turn: Promise<unknown> = Promise.resolve()

  async function answer(request: IngestRequest): Promise<IngestResponse> {
    const header = headerOf(request)
    if (!isAllowed({ header, body: request.body })) return unauthorized
    const holdS = options.overloaded?.()
    if (holdS !== undefined) {
      return refusal(
        503,
        'pipeline_behind',
        'changes are taken in slower than they come',
        'send again later',
        holdS,
      )
    }
    if (waiting >= waitingMax) {
      return refusal(
        429,
        'too_many_requests',
        `${waiting} requests wait already`,
        'send one after the other',
        retryAfterS,
      )
    }
    waiting += 1
    try {
      // The place in the line is taken before the body is read: unzipping must not let a later request go first.
      const before = turn
      const taken = Promise.all([readRequest(request, header), before]).then(([read]) =>
        'status' in read ? read : take(read),
      )
      turn = Promise.allSettled([before, taken])
      return await taken
    } finally {
      waiting -= 1
    }
  }

  async function readRequest(
    request: IngestRequest,
    header: (name: string) => string | undefined,
  ): Promise<IngestResponse | ReadRequest> {
    const texts = await messagesOf(
      {
        body: request.body,
        contentType: header('content-type'),
        contentEncoding: header('content-encoding'),
      },
      bodyBytesMax,
    )
    if ('status' in texts) return bodyRefusal(texts)
    return readMessages(texts, {
      topic: request.query.topic ?? header('x-waybill-topic'),
      keyHeaders: texts.length === 1 ? keyHeadersOf(request) : {},
      now: options.clock.now(),
    })
  }

  /** Runs alone: what is seen here was appended. */
  async function take({ records, ignored }: ReadRequest): Promise<IngestResponse> {
    const fresh: CapturedRecord[] = []
    const positions = new Set<string>()
    let repeated = 0
    for (const record of records) {
      if (!options.isMapped(record.topic)) {
        ignored.other_topic = (ignored.other_topic ?? 0) + 1
        continue
      }
      const position =
        typeof record.value === 'string' ? options.positionOf(record.topic, record.value) : null
      if (position !== null && (seen.has(position) || positions.has(position))) {
        repeated += 1
        continue
      }
      if (position !== null) positions.add(position)
      fresh.push(record)
    }
    try {
      if (fresh.length > 0) await options.ingest.append(fresh)
    } catch (cause) {
      options.report('changes that came over HTTP could not be written; they were refused', cause)
      return refusal(
        503,
        'not_written',
        'the changes could not be written',
        'send again later; see the log',
        retryAfterS,
      )
    }
    seen.add([...positions])
    sums.accepted += fresh.length
    sums.repeated += repeated
    for (const count of Object.values(ignored)) sums.ignored += count
    return { status: 200, headers: {}, body: { accepted: fresh.length, repeated, ignored } }
  }

  return {
    async handle(request) {
      const response = await answer(request)
      if (response.status !== 200) refused[response.status] = (refused[response.status] ?? 0) + 1
      return response
    },
    counts: () => ({ ...sums, refused: { ...refused } }),
  }
}
