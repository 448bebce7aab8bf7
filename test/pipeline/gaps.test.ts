/** Missed transitions: listed, and sent only when a person asks for it, once. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type GapFilter, listedGaps, sendGap } from '../../app/gaps/gaps.ts'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { partnerId } from './order-database.ts'
import { type PipelineDriver, partnerOf, pipelineDriver } from './pipeline-driver.ts'

const dayMs = 24 * 3600 * 1000

describe('a transition that only a snapshot showed', () => {
  let pipe: PipelineDriver
  beforeEach(async () => {
    pipe = await pipelineDriver()
    await pipe.configure(partnerOf(partnerId, pipe.seal))
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.capture(pipe.database.snapshot(1101, { status: 'DELIVERED' }))
  })
  afterEach(() => pipe.close())

  const list = async (filter?: GapFilter) => {
    const orders = new Map(
      (await readTopic(pipe.driver.log, pipe.topics.orderGaps)).map(({ key, value }) => [key, value]),
    )
    return listedGaps(
      [...orders.values()].filter((order) => order !== null),
      filter,
    )
  }

  let asked = 0
  const send = async (eventId: string, orderId = '1101') => {
    const { log, clock } = pipe.driver
    asked += 1
    await sendGap(log, log.writer({ transactionalId: 'api' }), pipe.topics, {
      ...{ orderId, eventId, commandId: `ask-${asked}`, requestedBy: 'api', now: clock.now() },
    })
    await pipe.driver.settle()
  }

  it('is listed, with the event that would be sent', async () => {
    expect(await list()).toMatchObject([
      {
        ...{ order_id: '1101', partner_id: partnerId, event: 'delivered', state: 'PENDING' },
        ...{ from_status: 'CONFIRMED', to_status: 'DELIVERED' },
      },
    ])
    expect(await list({ orderId: '1102' })).toEqual([])
    expect(await list({ state: 'SENT' })).toEqual([])
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })

  it('is sent when asked for, once, however often and over a crash', async () => {
    const eventId = (await list())[0]?.event_id ?? ''
    await send(eventId)
    await pipe.outage('crash', 1000)
    await send(eventId)
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 delivered'])
    expect(pipe.requests.at(-1)?.headers['webhook-id']).toBe(eventId)
    expect(await list()).toMatchObject([{ state: 'SENT' }])
  })

  it('is sent also when it is older than anything that goes out by itself', async () => {
    const eventId = (await list())[0]?.event_id ?? ''
    await pipe.pass(10 * dayMs)
    await send(eventId)
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 delivered'])
    expect(pipe.requests.at(-1)?.payload).toMatchObject({ previous_status: 'CONFIRMED' })
  })

  it('is not sent under another id, or for another order', async () => {
    const eventId = (await list())[0]?.event_id ?? ''
    await send('5a4f6ad3-5d5e-5c3b-8f6c-000000000001')
    await send(eventId, '1102')
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
    expect(pipe.counted('enrich_gap_commands{outcome="unknown_gap"}')).toBe(2)
  })
})
