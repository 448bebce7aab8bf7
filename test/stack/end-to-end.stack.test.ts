/** Everything real: a change in MariaDB becomes a webhook, by Debezium, Kafka, the registry and PostgreSQL. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Receiver, startReceiver } from '../embedded/receiver.ts'
import { type OrderSql, openOrderSql } from './order-sql.ts'
import { type OwnService, ownService, serviceBeside } from './services.ts'
import { eventually, type StackFolder, type StackInstance, stackFolder } from './stack-instance.ts'

const partner = 'acme-retail'

interface Webhook {
  readonly id: string
  readonly event: string
  readonly order: string
  readonly previous: string | null
  readonly otp: string | null
  readonly rider: string | null
}

let worker: OwnService<'connect'>
let orders: OrderSql
let receiver: Receiver
let folder: StackFolder
let instance: StackInstance
let nextOrder = 1001

beforeAll(async () => {
  worker = await ownService('connect')
  const [kafka, mariadb, postgres, registry] = await Promise.all([
    serviceBeside(worker, 'kafka'),
    serviceBeside(worker, 'mariadb'),
    serviceBeside(worker, 'postgres'),
    serviceBeside(worker, 'registry'),
  ])
  receiver = await startReceiver(() => ({ status: 200, afterMs: 0 }))
  orders = await openOrderSql(mariadb)
  folder = await stackFolder({
    brokers: kafka.brokers,
    databaseUrl: postgres.url,
    registryUrl: registry.url,
    receiverUrl: receiver.url,
    partners: [partner],
  })
  const planned = await folder.waybill('topology', 'apply', '--config', 'waybill.yaml')
  expect(planned).toMatchObject({ code: 0 })
  const captured = await folder.waybill(
    'connectors',
    'apply',
    '--database',
    'mariadb',
    '--connect',
    worker.url,
  )
  expect(captured).toMatchObject({ code: 0 })
  instance = folder.run('first')
  await instance.url()
}, 300_000)

afterAll(async () => {
  await folder?.close()
  await orders?.close()
  await receiver?.close()
  await worker?.release()
}, 60_000)

/** The webhooks of an order so far, in the order in which they came. */
function webhooksOf(order: number): Webhook[] {
  return receiver.received
    .map(({ webhookId, body }) => {
      const payload = JSON.parse(body) as {
        event: string
        order_id: string
        previous_status: string | null
        delivery: { otp: string | null }
        rider: { name: string | null }
      }
      return {
        id: webhookId,
        event: payload.event,
        order: payload.order_id,
        previous: payload.previous_status,
        otp: payload.delivery.otp,
        rider: payload.rider.name,
      }
    })
    .filter((webhook) => webhook.order === String(order))
}

const came = (order: number, count: number) =>
  eventually(() => webhooksOf(order).length >= count, `${count} webhooks of order ${order}`)

async function newOrder(): Promise<number> {
  const order = nextOrder++
  await orders.insert(order, partner)
  return order
}

describe('the whole of it', () => {
  it('turns an UPDATE into a webhook', async () => {
    const order = await newOrder()
    await orders.move(order, { status: 'CONFIRMED' })
    await came(order, 1)
    expect(webhooksOf(order)).toMatchObject([{ event: 'order_confirmed', previous: 'NEW' }])
  })

  it('joins the rider of the dispatch database, one-time password in clear for the partner alone', async () => {
    const order = await newOrder()
    await orders.move(order, { rider: 'Rajesh Kumar', otp: '004213', attempt: 1 })
    await orders.move(order, { status: 'OUT_FOR_DELIVERY', attempt: 1 })
    await came(order, 1)
    expect(webhooksOf(order)).toMatchObject([
      { event: 'out_for_delivery', rider: 'Rajesh Kumar', otp: '004213' },
    ])
  })

  it('sends three webhooks, in order, for a row that is changed three times in one transaction', async () => {
    const order = await newOrder()
    await orders.move(
      order,
      { status: 'CONFIRMED' },
      { rider: 'Asha Rao', otp: '117711', attempt: 1 },
      { status: 'OUT_FOR_DELIVERY', attempt: 1 },
      { status: 'DELIVERED' },
    )
    await came(order, 3)
    expect(webhooksOf(order).map(({ event, previous }) => `${previous} → ${event}`)).toEqual([
      'NEW → order_confirmed',
      'CONFIRMED → out_for_delivery',
      'OUT_FOR_DELIVERY → delivered',
    ])
  })

  it('goes on over an ALTER TABLE', async () => {
    const before = await newOrder()
    await orders.move(before, { status: 'CONFIRMED' })
    await orders.query('ALTER TABLE oms.orders ADD COLUMN gift_note VARCHAR(80) NULL')
    await orders.query("ALTER TABLE oms.orders MODIFY city VARCHAR(80) NULL DEFAULT 'Pune'")
    const after = await newOrder()
    await orders.query(
      `UPDATE oms.orders SET gift_note = 'for you', status = 'CONFIRMED' WHERE id = ${after}`,
    )
    await orders.move(before, { status: 'DELIVERED' })
    await Promise.all([came(before, 2), came(after, 1)])
    expect(webhooksOf(before).map(({ event }) => event)).toEqual(['order_confirmed', 'delivered'])
    expect(webhooksOf(after).map(({ event }) => event)).toEqual(['order_confirmed'])
  })

  it('sends nothing twice and loses nothing when Connect is killed in mid-stream', async () => {
    const many: number[] = []
    for (let nth = 0; nth < 30; nth++) {
      const order = await newOrder()
      many.push(order)
      await orders.move(order, { status: 'CONFIRMED' })
      if (nth === 12) await worker.kill()
      if (nth === 20) await worker.start()
    }
    await eventually(
      () => many.every((order) => webhooksOf(order).length > 0),
      'a webhook of each order',
      120_000,
    )
    for (const order of many) await orders.move(order, { status: 'DELIVERED' })
    await eventually(() => many.every((order) => webhooksOf(order).length > 1), 'two webhooks of each order')
    const ids = many.flatMap((order) => webhooksOf(order).map(({ id }) => id))
    expect(new Set(ids).size).toBe(2 * many.length)
    expect(ids).toHaveLength(2 * many.length)
  })

  it('knows all of it in the delivery log', async () => {
    const sent = new Set(receiver.received.map(({ webhookId }) => webhookId)).size
    const url = await instance.url()
    const delivered = async () => {
      const answer = await fetch(`${url}/v1/events?limit=100`)
      const { events = [] } = (await answer.json()) as { events?: { deliveries: { delivered: number } }[] }
      return events.reduce((sum, { deliveries }) => sum + deliveries.delivered, 0)
    }
    await eventually(async () => (await delivered()) === sent, `${sent} deliveries in the log`)
  })

  it('shares the steps among instances by their roles, and says when nobody runs one', async () => {
    await instance.stop()
    instance = folder.run('first', '--roles', 'normalize,enrich,route,log,api')
    const url = await instance.url()
    const findings = async () => {
      const { degraded = [] } = (await (await fetch(`${url}/readyz`)).json()) as {
        degraded?: readonly { what: string }[]
      }
      return degraded.map(({ what }) => what).join()
    }
    await eventually(async () => /no live instance runs deliver, watch/.test(await findings()), 'the finding')
    const order = await newOrder()
    await orders.move(order, { status: 'CONFIRMED' })
    const callers = folder.run('callers', '--roles', 'deliver,watch')
    await came(order, 1)
    await eventually(async () => !(await findings()).includes('no live instance'), 'the finding to go')
    expect(await callers.stop()).toBe(0)
  })

  it('has nothing left to change, and refuses another partition count with the mend', async () => {
    const plan = await folder.waybill('topology', 'plan', '--config', 'waybill.yaml')
    expect(plan).toMatchObject({ code: 0, out: '[]\n' })
    const more = join(folder.folder, 'more.yaml')
    const yaml = readFileSync(join(folder.folder, 'waybill.yaml'), 'utf8')
    writeFileSync(more, yaml.replace('endpoint_partitions: 4', 'endpoint_partitions: 8'))
    const refused = await folder.waybill('topology', 'plan', '--config', more, '--format', 'text')
    expect(refused.code).toBe(2)
    expect(refused.out).toContain('deliveries\n             has 4 partitions and needs 8')
    const second = await folder.waybill(
      'run',
      '--config',
      more,
      '--key-file',
      'keys.json',
      '--data-dir',
      'second',
    )
    expect(second).toMatchObject({ code: 2, err: expect.stringContaining('has 4 partitions and needs 8') })
  })
})
