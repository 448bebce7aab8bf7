/** Everything real: a change in MariaDB becomes a webhook, by Debezium, Kafka, the registry and PostgreSQL. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type StackInstance } from './stack-instance.ts'
import { type WholeStack, wholeStack } from './whole-stack.ts'

let stack: WholeStack
let instance: StackInstance

beforeAll(async () => {
  stack = await wholeStack({ asksDispatch: true })
  instance = stack.folder.run('first')
  await instance.url()
}, 300_000)

afterAll(() => stack?.close(), 60_000)

describe('the whole of it', () => {
  it('turns an UPDATE into a webhook', async () => {
    const order = await stack.newOrder()
    await stack.orders.move(order, { status: 'CONFIRMED' })
    await stack.came(order, 1)
    expect(stack.webhooksOf(order)).toMatchObject([{ event: 'order_confirmed', previous: 'NEW' }])
  })

  it('joins the rider of the dispatch database, one-time password in clear for the partner alone', async () => {
    const order = await stack.newOrder()
    await stack.orders.move(order, { rider: 'Rajesh Kumar', otp: '004213', attempt: 1 })
    await stack.orders.move(order, { status: 'OUT_FOR_DELIVERY', attempt: 1 })
    await stack.came(order, 1)
    expect(stack.webhooksOf(order)).toMatchObject([
      { event: 'out_for_delivery', rider: 'Rajesh Kumar', otp: '004213' },
    ])
  })

  it('asks the dispatch system over gRPC for a rider whose row does not come', async () => {
    await stack.turn('mariadb-assignments', 'stop')
    const order = await stack.newOrder()
    await stack.orders.move(
      order,
      { rider: 'Asha Rao', otp: '000217', attempt: 1 },
      { status: 'OUT_FOR_DELIVERY', attempt: 1 },
    )
    await stack.came(order, 1)
    expect(stack.webhooksOf(order)).toMatchObject([
      { event: 'out_for_delivery', rider: 'Asha Rao', otp: '000217', enrichment: 'COMPLETE' },
    ])
    // The row comes late, and changes nothing.
    await stack.turn('mariadb-assignments', 'resume')
    await stack.orders.move(order, { status: 'DELIVERED' })
    await stack.came(order, 2)
    expect(stack.webhooksOf(order).map(({ event }) => event)).toEqual(['out_for_delivery', 'delivered'])
  })

  it('sends three webhooks, in order, for a row that is changed three times in one transaction', async () => {
    const order = await stack.newOrder()
    await stack.orders.move(
      order,
      { status: 'CONFIRMED' },
      { rider: 'Asha Rao', otp: '117711', attempt: 1 },
      { status: 'OUT_FOR_DELIVERY', attempt: 1 },
      { status: 'DELIVERED' },
    )
    await stack.came(order, 3)
    expect(stack.storyOf(order)).toEqual([
      'NEW → order_confirmed',
      'CONFIRMED → out_for_delivery',
      'OUT_FOR_DELIVERY → delivered',
    ])
  })

  it('goes on over an ALTER TABLE', async () => {
    const before = await stack.newOrder()
    await stack.orders.move(before, { status: 'CONFIRMED' })
    await stack.orders.query('ALTER TABLE oms.orders ADD COLUMN gift_note VARCHAR(80) NULL')
    await stack.orders.query("ALTER TABLE oms.orders MODIFY city VARCHAR(80) NULL DEFAULT 'Pune'")
    const after = await stack.newOrder()
    await stack.orders.query(
      `UPDATE oms.orders SET gift_note = 'for you', status = 'CONFIRMED' WHERE id = ${after}`,
    )
    await stack.orders.move(before, { status: 'DELIVERED' })
    await Promise.all([stack.came(before, 2), stack.came(after, 1)])
    expect(stack.webhooksOf(before).map(({ event }) => event)).toEqual(['order_confirmed', 'delivered'])
    expect(stack.webhooksOf(after).map(({ event }) => event)).toEqual(['order_confirmed'])
  })

  it('sends nothing twice and loses nothing when Connect is killed in mid-stream', async () => {
    const many: number[] = []
    for (let nth = 0; nth < 30; nth++) {
      const order = await stack.newOrder()
      many.push(order)
      await stack.orders.move(order, { status: 'CONFIRMED' })
      if (nth === 12) await stack.worker.kill()
      if (nth === 20) await stack.worker.start()
    }
    await eventually(
      () => many.every((order) => stack.webhooksOf(order).length > 0),
      'a webhook of each order',
      120_000,
    )
    for (const order of many) await stack.orders.move(order, { status: 'DELIVERED' })
    await eventually(
      () => many.every((order) => stack.webhooksOf(order).length > 1),
      'two webhooks of each order',
    )
    const ids = many.flatMap((order) => stack.webhooksOf(order).map(({ id }) => id))
    expect(new Set(ids).size).toBe(2 * many.length)
    expect(ids).toHaveLength(2 * many.length)
  })

  it('knows all of it in the delivery log', async () => {
    const sent = new Set(stack.receiver.received.map(({ webhookId }) => webhookId)).size
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
    instance = stack.folder.run('first', '--roles', 'normalize,enrich,route,log,api')
    const url = await instance.url()
    const findings = async () => {
      const { degraded = [] } = (await (await fetch(`${url}/readyz`)).json()) as {
        degraded?: readonly { what: string }[]
      }
      return degraded.map(({ what }) => what).join()
    }
    await eventually(async () => /no live instance runs deliver, watch/.test(await findings()), 'the finding')
    const order = await stack.newOrder()
    await stack.orders.move(order, { status: 'CONFIRMED' })
    const callers = stack.folder.run('callers', '--roles', 'deliver,watch')
    await stack.came(order, 1)
    await eventually(async () => !(await findings()).includes('no live instance'), 'the finding to go')
    expect(await callers.stop()).toBe(0)
  })

  it('has nothing left to change, and refuses another partition count with the mend', async () => {
    const plan = await stack.folder.waybill('topology', 'plan', '--config', 'waybill.yaml')
    expect(plan).toMatchObject({ code: 0, out: '[]\n' })
    const more = join(stack.folder.folder, 'more.yaml')
    const yaml = readFileSync(join(stack.folder.folder, 'waybill.yaml'), 'utf8')
    writeFileSync(more, yaml.replace('endpoint_partitions: 4', 'endpoint_partitions: 8'))
    const refused = await stack.folder.waybill('topology', 'plan', '--config', more, '--format', 'text')
    expect(refused.code).toBe(2)
    expect(refused.out).toContain('deliveries\n             has 4 partitions and needs 8')
    const second = await stack.folder.waybill(
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
