/**
 * Runs captured records through NORMALIZE and ENRICH in this process: a small, pure stand-in for the pipeline.
 * Records are merged by timestamp, then by file and line; what falls due between two records fires between them.
 */
import { readFileSync } from 'node:fs'
import { enrichHarness } from '../../processors/enrich/testing/harness.ts'
import { normalizeRecord } from '../../processors/normalize/normalize-record.ts'
import type { SourceMapping } from '../../processors/normalize/source-blocks.ts'
import { testDecoder, testMapping, testSealer } from '../../processors/normalize/testing/captured-message.ts'
import {
  type Codec,
  makeCodecs,
  type OrderEvent,
  type OrderPayload,
  openFolderRegistry,
} from '../../schemas/index.ts'

/** A line of a captured file. */
export interface CapturedLine {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** What came out of a run. */
export interface CapturedRun {
  readonly events: readonly { readonly event: OrderEvent; readonly timestamp: number }[]
  /** Records that were put aside or refused, by word, e.g. `undecodable unknown_status`. */
  readonly asides: ReadonlyMap<string, number>
  readonly enrich: ReturnType<typeof enrichHarness>
}

const codecs = makeCodecs(openFolderRegistry())
const fixtures = new URL('../fixtures/cdc/', import.meta.url)

/** The default mapping. */
export const defaultMapping = (): SourceMapping => testMapping()

/** Reads captured files, by their paths under test/fixtures/cdc. */
export function readCaptured(paths: readonly string[]): CapturedLine[] {
  const lines = paths.flatMap((path) =>
    readFileSync(new URL(path, fixtures), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): CapturedLine => JSON.parse(line)),
  )
  // The sort is stable: equal timestamps keep the order of files and lines.
  return lines.sort((left, right) => left.timestamp - right.timestamp)
}

/** Runs the records, then lets every hold run out. Dispatch is never reached. */
export function runCaptured(lines: readonly CapturedLine[], mapping: SourceMapping): CapturedRun {
  const enrich = enrichHarness(lines[0]?.timestamp ?? 0)
  const asides = new Map<string, number>()
  const aside = (word: string) => asides.set(word, (asides.get(word) ?? 0) + 1)
  for (const line of lines) {
    const result = normalizeRecord(
      {
        topic: line.topic,
        key: bytesOf(line.key),
        value: bytesOf(line.value),
        headers: Object.entries(line.headers).map(([key, value]) => ({ key, value: bytesOf(value) })),
        timestamp: line.timestamp,
      },
      { mapping, seal: testSealer, decodeAvro: testDecoder },
    )
    if (result.kind === 'order') enrich.change(through(codecs.orderChange, result.change), line.timestamp)
    else if (result.kind === 'assignments') {
      for (const change of result.changes) {
        enrich.assignment(through(codecs.assignmentChange, change), line.timestamp)
      }
    } else if (result.kind === 'ignored') aside(`ignored ${result.why}`)
    else if (result.kind === 'undecodable') aside(`undecodable ${result.reason}`)
    else aside(result.kind)
    for (const id of enrich.open.keys()) {
      enrich.answer(id, { kind: 'done', result: { kind: 'not_yet' }, again: false, starts: 1 })
    }
  }
  enrich.advance(60_000)
  return { events: enrich.emitted, asides, enrich }
}

/** As a topic would give it back: what the schema does not take shows here. */
const through = <T>(codec: Codec<T>, value: T): T => codec.deserialize(codec.serialize(value))

const bytesOf = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text, 'utf8'))

/** The payloads of one order, in the order in which they left. */
export const payloadsOf = (run: CapturedRun, orderId: string): OrderPayload[] =>
  run.events.filter(({ event }) => event.payload.order_id === orderId).map(({ event }) => event.payload)

/** One line per event: what, for out_for_delivery who and how complete, for a failure which attempt and why. */
export const storyOf = (run: CapturedRun, orderId: string): string[] =>
  payloadsOf(run, orderId).map((payload) => {
    const { event, rider, delivery, failure, enrichment_status } = payload
    if (event === 'out_for_delivery') {
      return `out_for_delivery ${delivery.attempt_no} ${rider.name ?? '-'} ${enrichment_status}`
    }
    return event === 'delivery_failed' ? `${event} ${failure.attempt_no} ${failure.reason_code}` : event
  })

/** The run's events as JSON lines, times readable and passwords opened: what people compare. */
export const linesOf = (run: CapturedRun): string =>
  run.events
    .map(({ event: { payload, internal }, timestamp }) => {
      const { otp } = payload.delivery
      const readable = {
        left_at: iso(timestamp),
        ...payload,
        occurred_at: iso(payload.occurred_at),
        delivery: { ...payload.delivery, otp: otp === null ? null : testSealer.open(otp) },
        internal: {
          city: internal.city,
          phone_last_digits: internal.phone_last_digits,
          customer_name: internal.customer_name === null ? null : 'sealed',
          customer_phone: internal.customer_phone === null ? null : 'sealed',
        },
      }
      return `${JSON.stringify(readable)}\n`
    })
    .join('')

/** A time as people read it. */
export const iso = (timeMs: number) => new Date(timeMs).toISOString()
