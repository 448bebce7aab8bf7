/**
 * The connectors that ship for MySQL, on a real server, up to the webhook. Skipped, with the reason, where the machine
 * has no MySQL and none can be fetched.
 */
import { readFileSync } from 'node:fs'
import mysql from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { capturedTopics } from '../../topology/topics.ts'
import { asRoot, purgeBinlog, unlogged } from '../stack/binlog.ts'
import { listedGaps, snapshotOfChosen, told } from '../stack/missed.ts'
import { whyNot } from '../stack/services.ts'
import { eventually } from '../stack/stack-instance.ts'
import { type WholeStack, wholeStack } from '../stack/whole-stack.ts'
import { readUntil } from './topic-reader.ts'

const absent = await whyNot('mysql')

describe.skipIf(absent !== undefined)(
  `capturing from MySQL${absent === undefined ? '' : `: ${absent}`}`,
  () => {
    let stack: WholeStack
    let url: string

    beforeAll(async () => {
      stack = await wholeStack({ database: 'mysql' })
      url = await stack.folder.run('first').url()
    }, 300_000)
    afterAll(() => stack?.close(), 60_000)

    it('the check that ships finds everything in order, as the capturing account', async () => {
      const check = new URL('../../connectors/debezium/sql/check-mysql.sql', import.meta.url)
      const { host, port, capturer } = stack.database
      const connection = await mysql.createConnection({ host, port, ...capturer })
      const [rows] = await connection.query(readFileSync(check, 'utf8'))
      await connection.end()
      const verdicts = (rows as { setting: string; verdict: string }[]).map(({ setting, verdict }) => [
        setting,
        verdict,
      ])
      expect(verdicts).toHaveLength(9)
      expect(verdicts.filter(([, verdict]) => verdict !== 'ok')).toEqual([])
    })

    it('turns UPDATEs into webhooks, in order, also several of one transaction, with the rider', async () => {
      const order = await stack.newOrder()
      await stack.orders.move(
        order,
        { status: 'CONFIRMED' },
        { rider: 'Asha Rao', otp: '004213', attempt: 1 },
        { status: 'OUT_FOR_DELIVERY', attempt: 1 },
        { status: 'DELIVERED' },
      )
      await stack.came(order, 3)
      expect(stack.storyOf(order)).toEqual([
        'NEW → order_confirmed',
        'CONFIRMED → out_for_delivery',
        'OUT_FOR_DELIVERY → delivered',
      ])
      expect(stack.webhooksOf(order).find(({ event }) => event === 'out_for_delivery')).toMatchObject({
        rider: 'Asha Rao',
        otp: '004213',
      })
    })

    it('tells positions by GTID, leaves the address where it is, and takes a REPLACE for an update', async () => {
      const order = await stack.newOrder()
      await stack.orders.move(order, { status: 'CONFIRMED' })
      await stack.orders.query(
        `REPLACE INTO oms.orders (id, order_number, partner_id, status, status_version, address)
       VALUES (${order}, 'H-${order}', '${stack.partner}', 'DELIVERED', 2, 'Secret Street 1')`,
      )
      await stack.came(order, 2)
      expect(stack.storyOf(order)).toEqual(['NEW → order_confirmed', 'CONFIRMED → delivered'])
      const changes = await readUntil(stack.worker.brokers, capturedTopics.orders, (records) =>
        records.some(({ value }) => value?.after?.id === order && value.after.status === 'DELIVERED'),
      )
      expect(changes.at(-1)?.value?.source).toMatchObject({
        connector: 'mysql',
        gtid: expect.stringMatching(/^[0-9a-f-]{36}:\d+$/),
      })
      expect(JSON.stringify(changes)).not.toContain('Secret Street')
    })

    it('sends nothing twice and loses nothing when the worker is killed', async () => {
      const orders: number[] = []
      for (let nth = 0; nth < 10; nth++) {
        const order = await stack.newOrder()
        orders.push(order)
        await stack.orders.move(order, { status: 'CONFIRMED' })
        if (nth === 4) await stack.worker.kill()
      }
      await stack.worker.start()
      for (const order of orders) await stack.orders.move(order, { status: 'DELIVERED' })
      await eventually(
        () => orders.every((order) => stack.webhooksOf(order).length > 1),
        'both of each',
        120_000,
      )
      const ids = orders.flatMap((order) => stack.webhooksOf(order).map(({ id }) => id))
      expect([ids.length, new Set(ids).size]).toEqual([2 * orders.length, 2 * orders.length])
    })

    it('shows what was missed of chosen rows by a snapshot that the signal table asks for', async () => {
      const order = await stack.newOrder()
      await stack.orders.move(order, { status: 'CONFIRMED' })
      await stack.came(order, 1)
      await unlogged(
        stack.database,
        `UPDATE oms.orders SET status = 'DELIVERED', status_version = 2 WHERE id = ${order}`,
      )
      await stack.orders.query(snapshotOfChosen())
      const gaps = async () => told(await listedGaps(stack, url, '--order', String(order)))
      await eventually(async () => (await gaps()).length > 0, 'the gap')
      expect(await gaps()).toEqual([`${order} CONFIRMED → DELIVERED: delivered PENDING`])
      expect(stack.webhooksOf(order)).toHaveLength(1)
    })

    it('says that the log behind its position is gone, and goes on from a snapshot that sends nothing', async () => {
      const names = ['mysql-assignments', 'mysql-orders']
      const order = await stack.newOrder()
      await stack.orders.move(order, { status: 'CONFIRMED' })
      await stack.came(order, 1)
      for (const name of names) await stack.turn(name, 'stop')
      await stack.orders.move(
        order,
        { status: 'OUT_FOR_DELIVERY', attempt: 1 },
        { status: 'DELIVERY_FAILED' },
      )
      await asRoot(stack.database, purgeBinlog)
      for (const name of names) await stack.turn(name, 'resume')
      const said = async () => (await stack.connectors('status')).err
      await eventually(async () => /mysql-orders .*When the log is gone/.test(await said()), 'the words')

      expect(await stack.connectors('restart', '--from-snapshot', ...names)).toMatchObject({ code: 0 })
      await stack.orders.move(order, { status: 'DELIVERED' })
      await stack.came(order, 2)
      expect(stack.storyOf(order)).toEqual(['NEW → order_confirmed', 'DELIVERY_FAILED → delivered'])
    })
  },
)
