/** All of the stack at once, and private: a database captured into Kafka, Waybill on it by its commands, and a receiver. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { shippedConnectorPaths } from '../../connectors/debezium/connector-files.ts'
import { type Receiver, startReceiver } from '../embedded/receiver.ts'
import { type OrderSql, openOrderSql } from './order-sql.ts'
import { type OwnService, ownService, type SqlFacts, serviceBeside } from './services.ts'
import { eventually, type StackFolder, stackFolder } from './stack-instance.ts'

/** A webhook that came, as far as tests look into it. */
export interface Webhook {
  readonly id: string
  readonly event: string
  readonly order: string
  readonly previous: string | null
  /** Of the order, from 1. */
  readonly sequence: number
  readonly otp: string | null
  readonly rider: string | null
  readonly enrichment: string
}

export interface WholeStack {
  readonly partner: string
  /** The Connect worker, to be stopped and killed. */
  readonly worker: OwnService<'connect'>
  readonly database: SqlFacts
  readonly orders: OrderSql
  readonly receiver: Receiver
  readonly folder: StackFolder
  /** A new order, in the state NEW. */
  newOrder(): Promise<number>
  /** The webhooks of an order so far, in the order in which they came. */
  webhooksOf(order: number): Webhook[]
  /** The same as it happened: `PREVIOUS → event`. Arrival may differ, since an endpoint is called twice at once. */
  storyOf(order: number): string[]
  /** Waits for that many of an order. */
  came(order: number, count: number): Promise<void>
  /** `waybill connectors …` on the worker. */
  connectors(...args: string[]): Promise<{ code: number; out: string; err: string }>
  /** Stops or resumes a connector, and waits until the worker says that it has. */
  turn(connector: string, way: 'stop' | 'resume'): Promise<void>
  close(): Promise<void>
}

export interface WholeStackOptions {
  /** Whose orders are captured. */
  readonly database?: 'mariadb' | 'mysql'
  /** Whether riders are asked for over gRPC. */
  readonly asksDispatch?: boolean
  /** Further groups of the configuration, as YAML. */
  readonly yaml?: string
}

/** Starts the services, makes the topics and the connectors; no instance runs yet. */
export async function wholeStack({
  database: kind = 'mariadb',
  asksDispatch = false,
  yaml = '',
}: WholeStackOptions = {}): Promise<WholeStack> {
  const partner = 'acme-retail'
  const worker = await ownService('connect')
  const [kafka, database, postgres, registry] = await Promise.all([
    serviceBeside(worker, 'kafka'),
    serviceBeside(worker, kind),
    serviceBeside(worker, 'postgres'),
    serviceBeside(worker, 'registry'),
  ])
  const dispatch = asksDispatch ? await serviceBeside(worker, 'dispatch') : undefined
  const receiver = await startReceiver(() => ({ status: 200, afterMs: 0 }))
  const orders = await openOrderSql(database)
  const folder = await stackFolder({
    brokers: kafka.brokers,
    databaseUrl: postgres.url,
    registryUrl: registry.url,
    receiverUrl: receiver.url,
    partners: [partner],
    yaml: dispatch ? `${yaml}\ndispatch: { address: "${dispatch.address}" }\n` : yaml,
  })
  const connectors = (...args: string[]) => folder.waybill('connectors', ...args, '--connect', worker.url)
  await done(folder.waybill('topology', 'apply', '--config', 'waybill.yaml'))
  await done(connectors('apply', ...connectorFiles(kind, folder)))

  async function turn(connector: string, way: 'stop' | 'resume') {
    await fetch(`${worker.url}/connectors/${connector}/${way}`, { method: 'PUT' })
    const isStopped = async () => /stopped/.test((await connectors('status', connector)).err)
    await eventually(async () => (await isStopped()) === (way === 'stop'), `${connector} to ${way}`)
  }

  let nextOrder = 1001
  const webhooksOf = (order: number) =>
    receiver.received.map(webhookOf).filter((webhook) => webhook.order === String(order))
  return {
    ...{ partner, worker, database, orders, receiver, folder, webhooksOf, connectors, turn },
    storyOf: (order) =>
      webhooksOf(order)
        .sort((one, other) => one.sequence - other.sequence)
        .map(({ previous, event }) => `${previous} → ${event}`),
    async newOrder() {
      const order = nextOrder++
      await orders.insert(order, partner)
      return order
    },
    came: (order, count) =>
      eventually(() => webhooksOf(order).length >= count, `${count} webhooks of order ${order}`),
    async close() {
      await folder.close()
      await orders.close()
      await receiver.close()
      await worker.release()
    },
  }
}

/** What names the connectors that ship. The worker's own variables lead to MariaDB, so those of MySQL are made theirs. */
function connectorFiles(kind: 'mariadb' | 'mysql', folder: StackFolder): readonly string[] {
  if (kind === 'mariadb') return ['--database', kind]
  return shippedConnectorPaths(kind).map((path) => {
    folder.write(
      basename(path),
      readFileSync(path, 'utf8').replaceAll(/env:(OMS|DISPATCH)_DB_/g, 'env:OMS_MYSQL_'),
    )
    return basename(path)
  })
}

async function done(command: Promise<{ code: number; err: string }>): Promise<void> {
  const { code, err } = await command
  if (code !== 0) throw new Error(`it ended with ${code}: ${err}`)
}

function webhookOf({ webhookId, body }: { webhookId: string; body: string }): Webhook {
  const payload = JSON.parse(body) as {
    event: string
    order_id: string
    previous_status: string | null
    order_sequence: number
    enrichment_status: string
    delivery: { otp: string | null }
    rider: { name: string | null }
  }
  return {
    id: webhookId,
    event: payload.event,
    order: payload.order_id,
    previous: payload.previous_status,
    sequence: payload.order_sequence,
    otp: payload.delivery.otp,
    rider: payload.rider.name,
    enrichment: payload.enrichment_status,
  }
}
