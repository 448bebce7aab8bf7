import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryLog, type MemoryLog, manualClock, type Writer } from '../../engine/index.ts'
import { makeCodecs, type OrderGap, type OrderGaps, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { appendRecord } from '../pipeline/append-record.ts'
import { followGaps } from './gap-board.ts'

const topics = makeTopics(makeCodecs(openFolderRegistry()))

let log: MemoryLog
let writer: Writer
let stopping: AbortController
beforeEach(async () => {
  log = createMemoryLog({ clock: manualClock(0) })
  stopping = new AbortController()
  writer = log.writer({ transactionalId: 'test' })
  const { name, config } = topics.orderGaps
  await log.admin.createTopics([{ name, config, partitions: 3 }])
})
afterEach(() => stopping.abort())

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
const tell = (order_id: string, gaps: readonly OrderGap[] | null) => {
  const value: OrderGaps | null = gaps && { order_id, partner_id: 'acme', gaps }
  return appendRecord(log, writer, topics.orderGaps, { key: order_id, value, timestamp: 0 })
}

describe('the board of gaps', () => {
  it('lists those of all orders, oldest notice first, as the topic says last', async () => {
    await tell('1101', [gap(5), gap(9)])
    await tell('1102', [gap(7)])
    await tell('1103', [gap(1)])
    await tell('1103', null)
    await tell('1101', [gap(5, { state: 'SENT', sent_at: 20 }), gap(9)])
    const board = followGaps({ log, topics, signal: stopping.signal })
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
    let fetchers = 0
    const counted = {
      ...log,
      fetcher() {
        fetchers++
        return log.fetcher()
      },
    }
    await tell('1101', [gap(5)])
    const board = followGaps({ log: counted, topics, signal: stopping.signal })
    for (let asked = 0; asked < 5; asked++) expect(await board.list()).toHaveLength(1)
    await tell('1102', [gap(7)])
    for (let turn = 0; turn < 1000 && (await board.list()).length < 2; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await board.list()).toHaveLength(2)
    expect(fetchers).toBe(1)
  })
})
