/**
 * One-time passwords, phones and customers' names are in clear in the captured changes and in the requests that are
 * made for them, and nowhere in between: not in any topic, store, file, report or counter.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endpointDefaults, type PartnerSettings } from '../../app/config/partner-settings.ts'
import { demoShares } from '../../app/demo/demo-partners.ts'
import { simulatedOms } from '../../app/demo/simulated-oms.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { driveReplay } from '../../app/replay/drive-replay.ts'
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender, type HttpSender } from '../../connectors/webhook/http-sender.ts'
import {
  type EmbeddedLog,
  levelDisks,
  type ManualClock,
  manualClock,
  openEmbeddedLog,
  seededRandom,
  systemClock,
  systemRandom,
  type Topic,
} from '../../engine/index.ts'
import type { DispatchLookup } from '../../ports/dispatch.ts'
import { makeSealer } from '../../schemas/index.ts'
import { defaultMapping, readCaptured } from '../golden-events/captured-run.ts'
import { base64sOf, type KnownSecret, madeUp, secretsIn } from './known-secrets.ts'
import { scanDirectory, scanner, scanTopics } from './scan.ts'

const fixtures = [
  '01-snapshot',
  '02-happy-path',
  '03-attempts-and-returns',
  '04-odd-statements',
  '05-values',
  '06-order-and-assignment-timing',
  '07-schema-change',
  '08-incremental-snapshot',
  '09-clean-restart',
  '10-crash',
  '11-truncate',
].map((name) => `mariadb/${name}.jsonl`)

/** What dispatch answers when it is asked for a rider. */
const answered = { otp: '77190043', phone: '+919733300042' }

/** Records that nobody can read: their secrets must be as safe as those of the others. */
const broken = { otp: '66180052', phone: '+919733300053', name: 'Quillon Ashbourne' }

interface World {
  readonly directory: string
  readonly clock: ManualClock
  readonly log: EmbeddedLog
  readonly pipeline: RunningPipeline
  readonly sender: HttpSender
  readonly receiver: Server
  readonly reports: string[]
  readonly secrets: readonly KnownSecret[]
  /** Bodies that the receiver got. */
  readonly bodies: string[]
}

describe('secrets', () => {
  let world: World
  beforeAll(async () => {
    world = await runWorld()
  }, 60_000)
  afterAll(async () => {
    await stop(world)
    await rm(world.directory, { recursive: true, force: true })
  })

  it('are many, and reach the receiver: else the scan would prove nothing', () => {
    const count = (kind: KnownSecret['kind']) => world.secrets.filter((secret) => secret.kind === kind).length
    expect(count('otp')).toBeGreaterThan(100)
    expect(count('phone')).toBeGreaterThan(100)
    expect(count('name')).toBeGreaterThan(5)
    expect(world.bodies.length).toBeGreaterThan(200)
    expect(world.bodies.filter((body) => /"otp":"\d{4,}"/.test(body)).length).toBeGreaterThan(50)
    expect(world.bodies.join('\n')).toContain(answered.otp)
  })

  it('stand in no record of any topic, changelogs, keys and headers included', async () => {
    const { look, findings, bytes } = scanner(world.secrets)
    const names = await scanTopics(world.log, look)
    expect(names.filter((name) => name.endsWith('-changelog')).length).toBeGreaterThan(3)
    expect(bytes()).toBeGreaterThan(1_000_000)
    expect(findings).toEqual([])
  })

  it('stand in no record as it reads once decoded', async () => {
    const { look, findings } = scanner(world.secrets)
    // The captured ones are text as they are.
    const { cdcOrders: _orders, cdcAssignments: _assignments, ...ours } = world.pipeline.topics
    for (const topic of Object.values(ours) as Topic<unknown, unknown>[]) {
      for (const record of await readTopic(world.log, topic)) {
        look(`decoded value in ${topic.name}`, asText(record.value))
      }
    }
    expect(findings).toEqual([])
  })

  it('stand in no report and no counter, although receivers echo what they get', () => {
    const { look, findings } = scanner(world.secrets)
    for (const report of world.reports) look('report', report)
    for (const [name, count] of world.pipeline.application.counters.snapshot())
      look('counter', `${name} ${count}`)
    expect(findings).toEqual([])
  })

  it('are found where somebody planted one: in a value, key, header, report, file or database, in any form', async () => {
    const phone = madeUp('phone', '+919812345678')
    const otp = madeUp('otp', '4711')
    const name = madeUp('name', 'Zéphyrine Okonkwo')
    const planted = [
      '{"customer_phone":"+919812345678"}',
      'call 98123 45678 now',
      `${Buffer.from('xx9812345678yy').toString('base64')}`,
      '{"delivery":{"otp":"4711"}}',
      '"{\\"otp\\":\\"4711\\"}"',
      `name=${name.text}`,
      Buffer.from(`{"name":"${name.text}"}`).toString('base64'),
    ]
    for (const text of planted) {
      const { look, findings } = scanner([phone, otp, name])
      look('here', text)
      expect(findings, text).not.toEqual([])
    }
    expect(base64sOf('secret text')).toHaveLength(3)
    const { look, findings } = scanner([phone, otp, name])
    look('here', '+91 98xxx xx678, otp 4712, Zoe Okafor, sealed:k1:OTgxMg==')
    expect(findings).toEqual([])
  })

  it('stand in no byte of the data directory, files and databases alike; a planted one is found there', async () => {
    const { look, findings, bytes } = scanner(world.secrets)
    const planted = madeUp('otp', '55443322')
    const disk = await levelDisks().open(join(world.directory, 'planted'))
    // So much that LevelDB compresses it.
    await disk.write([{ type: 'put', key: 'k', value: Buffer.from(`${'x'.repeat(50_000)}"otp":"55443322"`) }])
    await disk.close()
    await stop(world)
    await writeFile(join(world.directory, 'planted.txt'), 'otp=55443322')
    const second = scanner([planted])
    const databases = await scanDirectory(world.directory, (where, content) => {
      look(where, content)
      second.look(where, content)
    })
    expect(databases).toBe(3)
    expect(bytes()).toBeGreaterThan(1_000_000)
    expect(findings).toEqual([])
    expect(new Set(second.findings.map(({ where }) => where))).toEqual(
      new Set(['file planted.txt', 'value in a database', 'file 000003.log']),
    )
  })
})

/** Runs all fixtures and half a minute of the demo through the embedded tier, in the records' own time. */
async function runWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'waybill-secrets-'))
  const clock = manualClock(0)
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock, durability: 'process' })
  const bodies: string[] = []
  const receiver = await echoingReceiver(bodies)
  const sender = createHttpSender({ clock: systemClock, egress: loopbackEgress })
  const reports: string[] = []
  const captured = readCaptured(fixtures)
  const records = [...captured, ...demoStretch((captured.at(-1)?.timestamp ?? 0) + 60_000)]
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
  return { directory, clock, log, pipeline, sender, receiver, reports, secrets, bodies }
}

const stopped = new WeakSet<World>()

async function stop(world: World) {
  if (stopped.has(world)) return
  stopped.add(world)
  await world.pipeline.stop()
  await world.log.close()
  await world.sender.close()
  world.receiver.closeAllConnections()
  await new Promise((resolve) => world.receiver.close(resolve))
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

function demoStretch(startMs: number): CapturedRecord[] {
  const clock = manualClock(startMs)
  const oms = simulatedOms({
    seed: 7,
    clock,
    ratePerSecond: 4,
    partners: demoShares,
    start: { orderId: 900_001, assignmentId: 950_001, binlog: { transaction: 100_000, file: 9, pos: 4 } },
  })
  const records: CapturedRecord[] = []
  for (let second = 0; second < 30; second++) {
    clock.advance(1000)
    records.push(...oms.take())
  }
  return records.map(withLongPasswords)
}

/** Six digits stand in other numbers by chance, eleven do not; four are looked for with their name alone. */
function withLongPasswords(record: CapturedRecord): CapturedRecord {
  if (typeof record.value !== 'string') return record
  return { ...record, value: record.value.replaceAll(/"otp":"(\d{6})"/g, '"otp":"90817$1"') }
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

/** Records that hold secrets and that nobody can take apart, or whose meaning nobody knows. */
function brokenRecords(timestamp: number): CapturedRecord[] {
  const order = `"customer_name":"${broken.name}","customer_phone":"${broken.phone}"`
  const assignment = `"rider_phone":"${broken.phone}","otp":"${broken.otp}"`
  const orders = [
    `{"before":null,"after":{${order}`,
    `{${order},${assignment}}`,
    `{"op":"c","source":{"connector":"mariadb"},"after":{"id":1,${order}}}`,
    `{"op":"?","source":{"connector":"mariadb"},"after":{"id":1,${order}}}`,
  ]
  const assignments = [
    `[{${assignment}}]`,
    `{"op":"c","source":{"connector":"mariadb"},"before":{${assignment}},"after":null}`,
  ]
  const recordOf = (topic: string) => (value: string) => ({
    topic,
    partition: 0,
    timestamp,
    key: '{"id":1}',
    value,
    headers: {},
  })
  return [...orders.map(recordOf('cdc.oms.orders')), ...assignments.map(recordOf('cdc.dispatch.assignments'))]
}

async function* inBatches(records: readonly CapturedRecord[]) {
  for (let at = 0; at < records.length; at += 500) yield records.slice(at, at + 500)
}

/** A decoded value as text; bytes as they are. */
const asText = (value: unknown): string => JSON.stringify(plain(value))

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}
