/** Several `waybill run` processes on one real broker, with orders appended as the connector would and a receiver. */
import { fileURLToPath } from 'node:url'
import { type KafkaLog, openKafkaLog, partitionFor } from '../../engine/index.ts'
import { makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { type InstanceProcess, pause, startInstance, until } from '../../test/several/processes.ts'
import { stackFolder } from '../../test/stack/stack-instance.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { orderChanges } from '../support/order-changes.ts'
import { preciseNow } from './order-writer.ts'
import { openRealStack } from './real-stack.ts'
import { receiveWebhooks, type Webhooks } from './webhooks.ts'

const program = fileURLToPath(new URL('../../../bin/waybill.js', import.meta.url))
/** One endpoint each; with 24 of them every partition has some. */
const partners = Array.from({ length: 24 }, (_, nth) => `partner-${nth}`)

/** A change that was appended. */
export interface Fed {
  readonly order: number
  readonly partner: string
  readonly at: number
}

export interface Fleet {
  readonly directory: string
  readonly log: KafkaLog
  /** `order event` of each change. */
  readonly fed: ReadonlyMap<string, Fed>
  readonly webhooks: Webhooks
  /** The topics that a change passes, and the key by which each places it. */
  readonly path: readonly { readonly topic: string; readonly keyOf: (fed: Fed) => string }[]
  /** Appends one order after the other; the answer stops it. */
  feed(perSecond: number): () => Promise<void>
  start(name: string): void
  stop(name: string): Promise<void>
  /** SIGKILL; answers when. */
  kill(name: string): Promise<number>
  membersAre(count: number): Promise<void>
  close(): Promise<void>
}

export interface FleetOptions {
  readonly names: readonly string[]
  readonly standbys: number
  readonly partitions: number
}

/** Starts them and waits until all are in the group. */
export async function openFleet({ names, standbys, partitions }: FleetOptions): Promise<Fleet> {
  const stack = await openRealStack(['kafka'])
  const brokers = [stack.fact('kafka', 'brokers')]
  const webhooks = await receiveWebhooks()
  const folder = await stackFolder({ brokers, receiverUrl: webhooks.url, partners })
  folder.write(
    'fleet.yaml',
    `partners: partners.yaml
format: json
kafka: { brokers: ["${brokers[0]}"], partitions: ${partitions}, endpoint_partitions: ${partitions}, standbys: ${standbys} }
api: { enabled: false }
egress: { allow_http: true, allowed_networks: [127.0.0.0/8] }
`,
  )
  const applied = await folder.waybill('topology', 'apply', '--config', 'fleet.yaml')
  if (applied.code !== 0) throw new Error(applied.err)
  const log = openKafkaLog({ brokers, clientId: 'fleet' })
  await log.connected()
  const topics = makeTopics(makeCodecs(openFolderRegistry()))
  const writer = log.writer({ transactionalId: 'fleet-feeder' })
  const running = new Map<string, InstanceProcess>()
  const fed = new Map<string, Fed>()
  const changes = orderChanges()
  let nextOrder = 1

  function start(name: string) {
    const flags = ['--config', 'fleet.yaml', '--data-dir', name, '--key-file', 'keys.json']
    running.set(
      name,
      startInstance({
        ...{ args: [program, 'run', ...flags], cwd: folder.folder },
        env: { MALLOC_ARENA_MAX: '2' },
      }),
    )
  }

  const membersAre = (count: number) =>
    until(async () => (await log.admin.describeGroups([pipelineName]))[0]?.members.length === count, {
      ...{ what: `${count} members`, withinMs: 60_000 },
      about: () => [...running.values()].map(({ text }) => text().slice(-1000)).join('\n'),
    })

  async function append() {
    const order = nextOrder++
    const partner = partners[order % partners.length] ?? ''
    const record = changes.confirmed(order, partner, Math.round(preciseNow()))
    const key = Buffer.from(String(record.key))
    const at = preciseNow()
    fed.set(`${order} order_confirmed`, { order, partner, at })
    await writer.append([
      {
        topic: topics.cdcOrders.name,
        partition: partitionFor(key, partitions),
        records: [
          { key, value: Buffer.from(String(record.value)), headers: [], timestamp: record.timestamp },
        ],
      },
    ])
  }

  for (const name of names) start(name)
  await membersAre(names.length)

  return {
    directory: folder.folder,
    log,
    fed,
    webhooks,
    path: [
      { topic: topics.cdcOrders.name, keyOf: ({ order }) => `{"id":${order}}` },
      { topic: topics.orderChanges.name, keyOf: ({ order }) => String(order) },
      { topic: topics.orderEvents.name, keyOf: ({ order }) => String(order) },
      { topic: topics.deliveries.name, keyOf: ({ partner }) => `${partner}-1` },
    ],
    feed(perSecond) {
      let stopped = false
      const feeding = (async () => {
        const startedAt = preciseNow()
        for (let nth = 0; !stopped; nth++) {
          await append()
          await pause(Math.max(0, startedAt + ((nth + 1) * 1000) / perSecond - preciseNow()))
        }
      })()
      return () => {
        stopped = true
        return feeding
      }
    },
    start,
    stop: async (name) => running.get(name)?.stop(),
    async kill(name) {
      const instance = running.get(name)
      if (!instance) throw new Error(`there is no instance ${name}`)
      return instance.kill()
    },
    membersAre,
    async close() {
      await Promise.all([...running.values()].filter((each) => each.isRunning()).map((each) => each.kill()))
      await writer.close()
      await log.close()
      await webhooks.close()
      await folder.close()
      await stack.close()
    },
  }
}
