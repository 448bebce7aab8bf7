import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeCodecs, type OrderGap, type OrderGaps, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { type ToldTopic, toldTopic } from '../pipeline/testing/told-topic.ts'
import { followGaps } from './gap-board.ts'

const topics = makeTopics(makeCodecs(openFolderRegistry()))

let told: ToldTopic<OrderGaps>
beforeEach(async () => {
  told = await toldTopic<OrderGaps>(topics.orderGaps)
})
afterEach(() => told.stop())

const gap = (noticed_at: number, changes: Partial<OrderGap> = {}): OrderGap => ({
  event_id: `event-${noticed_at}`,
  event: 'delivered',
  from_status: 'OUT_FOR_DELIVERY',
  to_status: 'DELIVERED',
  occurred_at: 1,
  noticed_at,
  state: 'PENDING',
  sent_at: null,
  ...changes,
})
const tell = (order_id: string, gaps: readonly OrderGap[] | null) =>
  told.tell(order_id, gaps && { order_id, partner_id: 'acme', gaps })
const follow = () => followGaps({ ...told.following, topics })

describe('the board of gaps', () => {
  it('lists those of all orders, oldest notice first, as the topic says last', async () => {
    await tell('1101', [gap(5), gap(9)])
    await tell('1102', [gap(7)])
    await tell('1103', [gap(1)])
    await tell('1103', null)
    await tell('1101', [gap(5, { state: 'SENT', sent_at: 20 }), gap(9)])
    const board = follow()
    expect(
      (await board.list()).map(({ order_id, noticed_at, state }) => [order_id, noticed_at, state]),
    ).toEqual([
      ['1101', 5, 'SENT'],
      ['1102', 7, 'PENDING'],
      ['1101', 9, 'PENDING'],
    ])
    expect(await board.list({ state: 'PENDING', orderId: '1101' })).toHaveLength(1)
    expect(await board.list({ partnerId: 'bharat' })).toEqual([])
  })

  it('reads the topic once, however often it is asked, and what is new when it comes', async () => {
    await tell('1101', [gap(5)])
    const board = follow()
    for (let asked = 0; asked < 5; asked++) expect(await board.list()).toHaveLength(1)
    await tell('1102', [gap(7)])
    for (let turn = 0; turn < 1000 && (await board.list()).length < 2; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await board.list()).toHaveLength(2)
    expect(told.readers()).toBe(1)
  })
})
