/** The API over a sample log, with everything else in memory, for tests. */
import { Readable } from 'node:stream'
import { manualClock, seededRandom } from '../../engine/index.ts'
import type { DeliveryCommand } from '../../schemas/index.ts'
import { buildApi } from '../app.ts'
import { type ApiAuth, tokenHash } from '../auth.ts'
import type { ApiOptions, HealthFinding } from '../options.ts'
import type { Api } from '../requests.ts'
import { sampleEndpointDesk } from './sample-endpoints.ts'
import { sampleAsOf, sampleGaps, sampleLog, sampleRedrives } from './sample-log.ts'
import { sampleSecrets } from './sample-secrets.ts'
import { sampleTests } from './sample-tests.ts'

export const tokens = {
  operator: 'operator-token-3f0e8c0a57a1',
  acme: 'acme-token-5e0b9a3c1f2d',
  bharat: 'bharat-token-6a1b7c550b8f',
} as const

/** An operator and two partners. */
export const threeTokens: ApiAuth = {
  tokens: [
    { name: 'ops', sha256: tokenHash(tokens.operator), scope: 'operator' },
    { name: 'acme', sha256: tokenHash(tokens.acme), scope: { partnerId: 'acme' } },
    { name: 'bharat', sha256: tokenHash(tokens.bharat), scope: { partnerId: 'bharat' } },
  ],
}

/** The header that shows a token. */
export const showing = (who: keyof typeof tokens): { authorization: string } => ({
  authorization: `Bearer ${tokens[who]}`,
})

export interface TestApi {
  readonly app: Api
  /** What was sent to DELIVER. */
  readonly sent: DeliveryCommand[]
  readonly reported: string[]
  /** What came to the door for changes. */
  readonly taken: { readonly text: string; readonly topic: string | undefined }[]
  /** Command, order and event of the gaps that were to be sent. */
  readonly gapsSent: string[][]
  /** Every route that was added, as `GET /v1/events`, and what it asks of a caller. */
  readonly routes: { readonly name: string; readonly access: string | undefined }[]
  /** What the process says of itself. */
  readonly state: { findings: readonly HealthFinding[] }
}

/** Everything that the API needs, in memory, and what it is told. */
export async function testSurroundings() {
  const sent: DeliveryCommand[] = []
  const reported: string[] = []
  const taken: TestApi['taken'] = []
  const gapsSent: TestApi['gapsSent'] = []
  const state: { findings: readonly HealthFinding[] } = { findings: [] }
  const options: ApiOptions = {
    deliveryLog: await sampleLog(),
    commands: {
      async send(command) {
        sent.push(command)
      },
    },
    health: { findings: async () => state.findings },
    metrics: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      text: async () => '# HELP waybill_up 1 while it runs.\nwaybill_up 1\n',
    },
    auth: threeTokens,
    ingest: {
      async handle({ body, query }) {
        taken.push({ text: Buffer.from(body).toString('utf8'), topic: query.topic })
        return { status: 200, headers: {}, body: { accepted: 1, repeated: 0, ignored: {} } }
      },
    },
    gaps: {
      list: async () => sampleGaps,
      async send({ commandId, orderId, eventId }) {
        gapsSent.push([commandId, orderId, eventId])
      },
    },
    redrives: { list: async () => sampleRedrives },
    tests: sampleTests,
    secrets: sampleSecrets,
    endpoints: sampleEndpointDesk,
    backups: { start: () => ({ createdAt: sampleAsOf, stream: Readable.from([Buffer.from('a backup')]) }) },
    version: '0.0.0-test',
    clock: manualClock(sampleAsOf),
    random: seededRandom(1),
    report: (message, cause) => reported.push(cause === undefined ? message : `${message}: ${String(cause)}`),
  }
  return { options, sent, reported, taken, gapsSent, state }
}

/** Builds it; without `auth`, with three tokens. */
export async function testApi(changes: Partial<ApiOptions> = {}): Promise<TestApi> {
  const { options, ...seen } = await testSurroundings()
  const routes: { name: string; access: string | undefined }[] = []
  const app = buildApi({ ...options, ...changes })
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat()) routes.push({ name: `${each} ${url}`, access: config?.access })
  })
  // Nothing may be answered that the documentation of its route leaves out.
  app.addHook('onSend', async (request, reply) => {
    const documented = request.routeOptions.schema?.response as Record<string, unknown> | undefined
    if (!request.is404 && !documented?.[reply.statusCode]) {
      throw new Error(`${request.routeOptions.url} does not document ${reply.statusCode}`)
    }
  })
  await app.ready()
  return { app, routes, ...seen }
}
