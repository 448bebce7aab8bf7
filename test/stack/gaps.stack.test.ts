/** What is missed while nothing captures: told by a snapshot, listed, and sent by a person; on the real services. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GapBody } from '../../api/contract/gaps.ts'
import { asRoot, purgeBinlog, unlogged } from './binlog.ts'
import { listedGaps, snapshotOfChosen, told } from './missed.ts'
import { eventually, type StackInstance } from './stack-instance.ts'
import { type WholeStack, wholeStack } from './whole-stack.ts'

const names = ['mariadb-assignments', 'mariadb-orders']

let stack: WholeStack
let instance: StackInstance
let url = ''

beforeAll(async () => {
  stack = await wholeStack()
  instance = stack.folder.run('first')
  url = await instance.url()
}, 300_000)

afterAll(() => stack?.close(), 60_000)

const gaps = (...args: string[]): Promise<GapBody[]> => listedGaps(stack, url, ...args)

const eventsOf = (order: number) => stack.webhooksOf(order).map(({ event }) => event)

/** Brings an order to a status of which its partner knows. */
async function known(status: string): Promise<number> {
  const order = await stack.newOrder()
  await stack.orders.move(order, { status })
  await stack.came(order, 1)
  return order
}

/** A change that is captured now has arrived: what earlier ones had wrongly sent has had its time. */
async function passed(): Promise<void> {
  await known('CONFIRMED')
}

describe('orders that changed while nothing was captured, and whose log is gone', () => {
  let delivered: number
  let failed: number
  let unchanged: number
  let unmapped: number

  beforeAll(async () => {
    delivered = await known('CONFIRMED')
    failed = await known('CONFIRMED')
    unchanged = await known('CONFIRMED')
    unmapped = await known('CONFIRMED')
    for (const name of names) await stack.turn(name, 'stop')
    await stack.orders.move(delivered, { status: 'OUT_FOR_DELIVERY', attempt: 1 }, { status: 'DELIVERED' })
    await stack.orders.move(failed, { status: 'DELIVERY_FAILED', attempt: 1 })
    await stack.orders.move(unmapped, { status: 'CANCELLED' })
    await asRoot(stack.database, purgeBinlog)
  })

  it('fail the connector, which says what to do', async () => {
    for (const name of names) await stack.turn(name, 'resume')
    const said = async () => (await stack.connectors('status')).err
    await eventually(async () => /mariadb-orders .*When the log is gone/.test(await said()), 'the words')
  })

  it('are listed after a snapshot, which sends nothing', async () => {
    expect(await stack.connectors('restart', '--from-snapshot', ...names)).toMatchObject({ code: 0 })
    await eventually(async () => (await gaps()).length >= 3, 'the gaps')
    await passed()
    expect(told(await gaps()).toSorted()).toEqual([
      `${delivered} CONFIRMED → DELIVERED: delivered PENDING`,
      `${failed} CONFIRMED → DELIVERY_FAILED: delivery_failed PENDING`,
      `${unmapped} CONFIRMED → CANCELLED: null NOTHING_TO_SEND`,
    ])
    for (const order of [delivered, failed, unchanged, unmapped])
      expect(eventsOf(order)).toEqual(['order_confirmed'])
  })

  it('are sent one by one or all together when a person says so, and never twice', async () => {
    await gaps('--order', String(failed), '--send')
    await stack.came(failed, 2)
    expect(eventsOf(delivered)).toEqual(['order_confirmed'])
    await gaps('--send')
    await stack.came(delivered, 2)
    await gaps('--send')
    expect(await gaps('--state', 'pending')).toEqual([])
    expect((await gaps('--state', 'sent')).map(({ event_id }) => event_id).toSorted()).toEqual(
      [delivered, failed].map((order) => stack.webhooksOf(order).at(-1)?.id).toSorted(),
    )
    await passed()
    expect([delivered, failed].map(eventsOf)).toEqual([
      ['order_confirmed', 'delivered'],
      ['order_confirmed', 'delivery_failed'],
    ])
  })

  it('go on as before: the next change is an event, and the setting is put back without a snapshot', async () => {
    const back = await stack.connectors('apply', '--database', 'mariadb')
    expect(back).toMatchObject({ code: 0, out: expect.stringMatching(/~ snapshot\.mode +initial → no_data/) })
    await stack.orders.move(failed, { status: 'DELIVERED' })
    await stack.came(failed, 3)
    expect(stack.webhooksOf(failed).at(-1)).toMatchObject({ event: 'delivered', previous: 'DELIVERY_FAILED' })
  })
})

describe('a snapshot of chosen rows by the signal table', () => {
  it('shows what was missed of them, sends nothing, and stops no change', async () => {
    const chosen = await known('CONFIRMED')
    const other = await known('CONFIRMED')
    await unlogged(
      stack.database,
      `UPDATE oms.orders SET status = 'DELIVERED', status_version = 2 WHERE id = ${chosen}`,
      `UPDATE oms.orders SET status = 'DELIVERED', status_version = 2, updated_at = '2020-01-01' WHERE id = ${other}`,
    )
    await stack.orders.query(snapshotOfChosen())
    const ofChosen = async () => told(await gaps('--order', String(chosen)))
    await eventually(async () => (await ofChosen()).length > 0, 'the gap')
    expect(await ofChosen()).toEqual([`${chosen} CONFIRMED → DELIVERED: delivered PENDING`])
    await passed()
    expect(eventsOf(chosen)).toEqual(['order_confirmed'])
    expect(await gaps('--order', String(other))).toEqual([])

    await gaps('--order', String(chosen), '--send')
    await stack.came(chosen, 2)
    expect(stack.webhooksOf(chosen).at(-1)).toMatchObject({ event: 'delivered', previous: 'CONFIRMED' })
  })
})
