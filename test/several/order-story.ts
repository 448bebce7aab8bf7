/**
 * The product in several processes on one Kafka, with orders that flow in as Debezium would write them and a receiver
 * for the webhooks: who tests it kills, stops and starts instances in between, then asks what became of the orders.
 */
import { fileURLToPath } from 'node:url'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import {
  type AppendBatch,
  type KafkaLog,
  openKafkaLog,
  partitionFor,
  systemClock,
} from '../../engine/index.ts'
import { type DeliveryHistory, makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { nothingWaits } from '../deliveries/accounts.ts'
import { orderStream, partnerIds } from '../embedded/order-stream.ts'
import { type Received, type Receiver, startReceiver } from '../embedded/receiver.ts'
import { type StackFolder, stackFolder } from '../stack/stack-instance.ts'
import { type InstanceProcess, pause, startInstance, until } from './processes.ts'

const program = fileURLToPath(new URL('../../bin/waybill.js', import.meta.url))
const partitions = 4
const recordsPerOrder = 4
const eventsPerOrder = 3
/** The stream comes in groups of whole orders. */
const eventsOf = (records: number): number => Math.floor(records / recordsPerOrder) * eventsPerOrder

export interface OrderStory {
  readonly folder: StackFolder
  readonly log: KafkaLog
  readonly receiver: Receiver
  /** `order event` of every webhook that must come. */
  readonly events: readonly string[]
  /** `waybill run` on a data directory of this name. */
  start(name: string, ...args: string[]): InstanceProcess
  /** Stops it cleanly. */
  stop(name: string): Promise<void>
  membersAre(count: number, withinMs: number): Promise<void>
  /** Appends the whole stream over about so long. */
  feed(overMs: number): Promise<void>
  /** Appends the records of this many more orders at once. */
  feedSome(orders: number): Promise<void>
  /** Waits until every event fed so far was accepted by the receiver, but for those of so many lost orders. */
  allCame(withinMs: number, but?: { lost: number }): Promise<void>
  /** Waits until every delivery has come to its end; a repeat after a kill may be under way when all has come. */
  allEnded(withinMs: number): Promise<void>
  /** Stops what runs, cleanly. */
  stopAll(): Promise<void>
  history(): Promise<DeliveryHistory[]>
  close(): Promise<void>
}

export interface OrderStoryOptions {
  readonly brokers: readonly string[]
  readonly orders: number
  readonly standbys: number
  readonly registryUrl?: string
  /** Where the delivery log is; without it there is neither a log nor an API. */
  readonly databaseUrl?: string
  readonly answer: (webhookId: string, earlier: number) => { status: number; afterMs: number }
}

/** The topics are made, the instances are not started. Wants a broker of its own: topics have fixed names. */
export async function openOrderStory(options: OrderStoryOptions): Promise<OrderStory> {
  const { brokers, orders, standbys, registryUrl, databaseUrl, answer } = options
  const receiver = await startReceiver(answer)
  const folder = await stackFolder({
    ...{ brokers, receiverUrl: receiver.url, partners: partnerIds },
    ...(registryUrl !== undefined && { registryUrl }),
    ...(databaseUrl !== undefined && { databaseUrl }),
  })
  folder.write(
    'several.yaml',
    `partners: partners.yaml
format: json
kafka: { brokers: [${brokers.map((broker) => `"${broker}"`).join()}], partitions: ${partitions}, endpoint_partitions: ${partitions}, standbys: ${standbys} }
${registryUrl === undefined ? '' : `registry: { url: "${registryUrl}" }`}
api: { auth: none, port: 0, enabled: ${databaseUrl !== undefined} }
egress: { allow_http: true, allowed_networks: [127.0.0.0/8] }
`,
  )
  const applied = await folder.waybill('topology', 'apply', '--config', 'several.yaml')
  if (applied.code !== 0) throw new Error(applied.err)
  const log = openKafkaLog({ brokers, clientId: 'order-story', replicationFactor: 1 })
  await log.connected()
  const writer = log.writer({ transactionalId: 'order-story' })
  const stream = orderStream({ orders, startMs: systemClock.now() })
  const running = new Map<string, InstanceProcess>()
  /** Records of the stream that are in the log. */
  let fed = 0
  const append = async (upTo: number) => {
    const some = stream.records.slice(fed, upTo)
    if (some.length > 0) await writer.append(batchesOf(some))
    fed += some.length
  }
  const left = () => [...running.values()].filter((each) => each.isRunning())

  const topics = makeTopics(makeCodecs(openFolderRegistry()))

  return {
    folder,
    log,
    receiver,
    events: stream.events,
    start(name, ...args) {
      const flags = ['--config', 'several.yaml', '--data-dir', name, '--key-file', 'keys.json']
      const started = startInstance({
        args: [program, 'run', ...flags, ...args],
        cwd: folder.folder,
        ...(databaseUrl !== undefined && { env: { WAYBILL_DATABASE_URL: databaseUrl } }),
      })
      running.set(name, started)
      return started
    },
    stop: async (name) => running.get(name)?.stop(),
    membersAre: (count, withinMs) =>
      until(async () => (await log.admin.describeGroups([pipelineName]))[0]?.members.length === count, {
        ...{ what: `${count} members`, withinMs },
        about: () => texts(running),
      }),
    async feed(overMs) {
      const startedAt = systemClock.now()
      const { records } = stream
      while (fed < records.length) {
        const due = Math.ceil((records.length * (systemClock.now() - startedAt + 100)) / overMs)
        await append(due)
        await pause(100)
      }
    },
    feedSome: (count) => append(fed + count * recordsPerOrder),
    allCame(withinMs, { lost } = { lost: 0 }) {
      const wanted = eventsOf(fed - lost * recordsPerOrder)
      return until(() => acceptedEvents(receiver.received).size >= wanted, {
        ...{ what: `${wanted} events`, withinMs },
        about: () => `${acceptedEvents(receiver.received).size} came. ${texts(running)}`,
      })
    },
    allEnded: (withinMs) =>
      until(() => nothingWaits(log, topics), {
        ...{ what: 'the end of every delivery', withinMs, lookEveryMs: 500 },
        about: () => texts(running),
      }),
    async stopAll() {
      await Promise.all(left().map((each) => each.stop()))
    },
    async history() {
      return (await readTopic(log, topics.deliveryHistory)).map(({ value }) => value)
    },
    async close() {
      await Promise.all(left().map((each) => each.kill()))
      await writer.close()
      await log.close()
      await receiver.close()
      await folder.close()
    },
  }
}

const texts = (running: ReadonlyMap<string, InstanceProcess>) =>
  [...running].map(([name, { text }]) => `${name}: ${text().slice(-2000)}`).join('\n')

/** As the connector partitions them: by the key's bytes. */
function batchesOf(records: ReturnType<typeof orderStream>['records']): AppendBatch[] {
  const batches = new Map<
    string,
    { topic: string; partition: number; records: AppendBatch['records'][number][] }
  >()
  for (const { topic, key, value, timestamp } of records) {
    const bytes = Buffer.from(String(key))
    const partition = partitionFor(bytes, partitions)
    const at = `${topic}:${partition}`
    const batch = batches.get(at) ?? { topic, partition, records: [] }
    batch.records.push({ key: bytes, value: Buffer.from(String(value)), headers: [], timestamp })
    batches.set(at, batch)
  }
  return [...batches.values()]
}

/** `order event` of what the receiver accepted. */
export const acceptedEvents = (received: readonly Received[]): Set<string> =>
  new Set(
    received
      .filter(({ status }) => status === 200)
      .map(({ body }) => {
        const { order_id, event } = JSON.parse(body) as { order_id: string; event: string }
        return `${order_id} ${event}`
      }),
  )

/** A webhook that was accepted, and came again. */
export interface Repeat {
  readonly before: Received
  readonly again: Received
}

export function repeatsOf(received: readonly Received[]): Repeat[] {
  const last = new Map<string, Received>()
  const repeats: Repeat[] = []
  for (const request of received) {
    if (request.status !== 200) continue
    const before = last.get(request.webhookId)
    if (before) repeats.push({ before, again: request })
    last.set(request.webhookId, request)
  }
  return repeats
}

/** What must hold of a history, whatever was killed: deliveries by their last state, routed ones, attempts by event. */
export function balanceOf(history: readonly DeliveryHistory[]) {
  const lastOf = new Map(history.map((record) => [record.delivery_id, record]))
  const accepted = history.filter(({ change }) => change === 'ACCEPTED')
  const states = { waiting: 0, delivered: 0, dead: 0, skipped: 0 }
  for (const { state } of lastOf.values()) states[state]++
  const deliveredAttempts = history.filter(
    ({ change, state }) => change === 'ATTEMPTED' && state === 'delivered',
  )
  const marked = history.flatMap(({ event_id, attempt }) => (attempt?.again ? [event_id] : []))
  return {
    routed: accepted.length,
    distinct: lastOf.size,
    states,
    deliveredAttempts: deliveredAttempts.length,
    /** Events with an attempt that says that it may be a repeat. */
    marked: new Set(marked),
  }
}
