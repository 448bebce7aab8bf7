/**
 * The whole embedded tier, run over captured changes that are full of secrets, with receivers that echo what they get
 * and a dispatch that answers: whatever could leak has been through it when `runWorld` resolves.
 */
import { mkdtemp } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endpointDefaults, type PartnerSettings } from '../../app/config/partner-settings.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { driveReplay } from '../../app/replay/drive-replay.ts'
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import {
  type EmbeddedLog,
  levelDisks,
  manualClock,
  openEmbeddedLog,
  seededRandom,
  systemClock,
  systemRandom,
} from '../../engine/index.ts'
import type { DispatchLookup } from '../../ports/dispatch.ts'
import { makeSealer } from '../../schemas/index.ts'
import { defaultMapping } from '../golden-events/captured-run.ts'
import { type KnownSecret, madeUp, secretsIn } from './known-secrets.ts'
import { broken, brokenRecords, secretRecords } from './secret-records.ts'

/** What dispatch answers when it is asked for a rider. */
export const answered = { otp: '77190043', phone: '+919733300042' }

/** What ran, and what it left behind. */
export interface World {
  readonly directory: string
  readonly log: EmbeddedLog
  readonly pipeline: RunningPipeline
  readonly reports: readonly string[]
  readonly secrets: readonly KnownSecret[]
  /** Bodies that the receiver got. */
  readonly bodies: readonly string[]
  /** Stops everything; the directory stays. A second time does nothing. */
  stop(): Promise<void>
}

/** Runs all records through the embedded tier, in their own time. */
export async function runWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'waybill-secrets-'))
  const clock = manualClock(0)
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock, durability: 'process' })
  const bodies: string[] = []
  const receiver = await echoingReceiver(bodies)
  const sender = createHttpSender({ clock: systemClock, egress: loopbackEgress })
  const reports: string[] = []
  const records = secretRecords()
  const pipeline = await openPipeline({
    log,
    disk: await levelDisks().open(join(directory, 'state')),
    instanceId: 'secrets',
    sealer: makeSealer({
      keys: [{ id: 'k1', key: systemRandom.bytes(32) }],
      active: 'k1',
      random: systemRandom,
    }),
    mapping: defaultMapping(),
    sender,
    dispatch: answeringDispatch,
    pipelineClock: clock,
    realClock: systemClock,
    random: systemRandom,
    version: 'test',
    report: (message, cause) =>
      reports.push(`${message} ${cause instanceof Error ? cause.stack : asText(cause)}`),
    timeFrom: 'records',
    commit: { floorMs: 0, intervalMs: Number.POSITIVE_INFINITY },
  })
  const { port } = receiver.address() as AddressInfo
  await pipeline.publishPartners(partnersFor(records, `http://127.0.0.1:${port}/`))
  await driveReplay({
    pipeline: {
      append: (list) => pipeline.ingest.append(list),
      settled: () => pipeline.application.settled(),
      nextDue: () => pipeline.application.nextDue(),
    },
    clock,
    records: inBatches(records),
    signal: new AbortController().signal,
  })
  await pipeline.ingest.append(brokenRecords(clock.now()))
  await pipeline.application.settled()
  const secrets = [
    ...secretsIn(records),
    madeUp('otp', answered.otp),
    madeUp('phone', answered.phone),
    madeUp('otp', broken.otp),
    madeUp('phone', broken.phone),
    madeUp('name', broken.name),
  ]
  let stopped: Promise<void> | undefined
  const close = async () => {
    await pipeline.stop()
    await log.close()
    await sender.close()
    receiver.closeAllConnections()
    await new Promise((resolve) => receiver.close(resolve))
  }
  return {
    directory,
    log,
    pipeline,
    reports,
    secrets,
    bodies,
    stop() {
      stopped ??= close()
      return stopped
    },
  }
}

/** Answers every third request with an error that quotes the whole request. */
async function echoingReceiver(bodies: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      bodies.push(body)
      if (bodies.length % 3 === 0) response.writeHead(500).end(`cannot handle ${body}`)
      else response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const answeringDispatch: DispatchLookup = {
  lookup: async (orderId) => ({
    kind: 'found',
    rider: {
      assignmentId: `asked-${orderId}`,
      riderName: 'Meena Iyer',
      riderPhone: answered.phone,
      otp: answered.otp,
      etaStart: null,
      etaEnd: null,
      updatedAt: null,
    },
  }),
}

function partnersFor(records: readonly CapturedRecord[], url: string): PartnerSettings[] {
  const ids = new Set<string>()
  for (const { value } of records) {
    for (const [, id] of String(value).matchAll(/"partner_id":"([^"]+)"/g)) if (id) ids.add(id)
  }
  return [...ids].map((id) => ({
    id,
    name: id,
    endpoints: (id === 'acme-retail' ? (['v1', 'v2'] as const) : (['v2'] as const)).map((version) => ({
      ...endpointDefaults,
      id: `${id}-${version}`,
      url,
      version,
      secrets: [`whsec_${Buffer.from(seededRandom(1).bytes(24)).toString('base64')}`],
      maxConcurrent: 32,
      maxAgeMs: {},
    })),
  }))
}

async function* inBatches(records: readonly CapturedRecord[]) {
  for (let at = 0; at < records.length; at += 500) yield records.slice(at, at + 500)
}

/** A decoded value as text; bytes as they are. */
export const asText = (value: unknown): string => JSON.stringify(plain(value))

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}
