/** The embedded product on a log in memory, with both ways in: what a user's own data meets. */
import { endpointDefaults } from '../../app/config/partner-settings.ts'
import { openFolderIngest, openHttpIngest } from '../../app/ingest/open-ingest.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import type { IngestResponse } from '../../connectors/ingest/http-ingest.ts'
import {
  createMemoryLog,
  type ManualClock,
  manualClock,
  memoryDisks,
  seededRandom,
} from '../../engine/index.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { makeSealer } from '../../schemas/index.ts'

export interface OwnData {
  readonly pipeline: RunningPipeline
  readonly clock: ManualClock
  /** What was sent, as `order_id event`. */
  readonly sent: string[]
  /** Webhook ids, in the order of `sent`. */
  readonly ids: string[]
  post(body: unknown, headers?: Record<string, string>): Promise<IngestResponse>
  /** Looks at the folder until nothing is left to take. */
  look(): Promise<void>
  settled(): Promise<void>
  close(): Promise<void>
}

const token = 'own-data'

/** Opens it at `startMs`, for partners who all take everything. */
export async function ownData(options: {
  readonly mapping: SourceMapping
  readonly partners: readonly string[]
  readonly startMs: number
  readonly folder?: string
}): Promise<OwnData> {
  const clock = manualClock(options.startMs)
  const log = createMemoryLog({ clock })
  const sent: string[] = []
  const ids: string[] = []
  const reports: string[] = []
  const report = (message: string, cause?: unknown) => void reports.push(`${message} ${String(cause)}`)
  const pipeline = await openPipeline({
    log,
    disk: await memoryDisks().open('own-data'),
    instanceId: 'own-data',
    sealer: makeSealer({
      keys: [{ id: 'k1', key: seededRandom(1).bytes(32) }],
      active: 'k1',
      random: seededRandom(2),
    }),
    mapping: options.mapping,
    sender: {
      async send({ body, headers }) {
        const { order_id, event } = JSON.parse(Buffer.from(body).toString('utf8'))
        sent.push(`${order_id} ${event}`)
        ids.push(headers['webhook-id'] ?? '')
        return { class: 'acknowledged', statusCode: 200, detail: null, durationMs: 1, retryAfterMs: null }
      },
    },
    dispatch: noDispatch,
    pipelineClock: clock,
    realClock: clock,
    random: seededRandom(3),
    version: 'test',
    report,
    commit: { floorMs: 0, intervalMs: Number.POSITIVE_INFINITY },
  })
  await pipeline.publishPartners(options.partners.map(partner))
  const surroundings = { pipeline, mapping: options.mapping, clock, report }
  const http = openHttpIngest(surroundings, { tokens: [token], signingSecrets: [] })
  const folder =
    options.folder === undefined
      ? undefined
      : openFolderIngest(surroundings, {
          folder: options.folder,
          onBadLine: ({ line, reason }) => report(`line ${line}`, reason),
          settleMs: 0,
        })
  const signal = new AbortController().signal
  return {
    pipeline,
    clock,
    sent,
    ids,
    post: (body, headers = {}) =>
      http.handle({
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        query: {},
        body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      }),
    async look() {
      while (await folder?.look(signal)) {}
      if (reports.length > 0) throw new Error(reports.join('\n'))
    },
    settled: () => pipeline.application.settled(),
    async close() {
      await pipeline.stop()
      await log.close()
    },
  }
}

const partner = (id: string) => ({
  id,
  name: id,
  endpoints: [
    {
      ...endpointDefaults,
      id: `${id}-all`,
      url: 'https://partner.example/hook',
      state: 'active' as const,
      events: ['*'],
      version: 'v2' as const,
      secrets: [`whsec_${Buffer.alloc(24, 3).toString('base64')}`],
      timeoutMs: 10_000,
      maxConcurrent: 100,
      maxAgeMs: {},
    },
  ],
})
