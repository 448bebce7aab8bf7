/** Orders that go out before their rider is known: what releases them, and when. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DispatchAnswer } from '../../ports/dispatch.ts'
import { partnerId } from './order-database.ts'
import { type PipelineDriver, partnerOf, pipelineDriver } from './pipeline-driver.ts'
import { giveTurns } from './turns.ts'

const secondMs = 1000

const rider: DispatchAnswer & { kind: 'found' } = {
  kind: 'found',
  rider: {
    assignmentId: '77',
    riderName: 'Meena Iyer',
    riderPhone: '+919811122255',
    otp: '553311',
    etaStart: null,
    etaEnd: null,
    updatedAt: null,
  },
}

describe('an order that goes out without a rider', () => {
  let pipe: PipelineDriver
  beforeEach(async () => {
    pipe = await pipelineDriver()
    await pipe.configure(partnerOf(partnerId, pipe.seal))
  })
  afterEach(() => pipe.close())

  /** Takes the order to OUT_FOR_DELIVERY, attempt 1. */
  async function goOut(id = 1101) {
    await pipe.capture(pipe.database.insert(id, { status: 'PACKED' }))
    await pipe.capture(pipe.database.update(id, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }))
  }

  it('is held, and released by the row of dispatch, with the rider in it', async () => {
    await goOut()
    expect(pipe.sent()).toEqual([])
    await pipe.pass(1500)
    await pipe.capture(pipe.database.assign(1101))
    expect(pipe.requests.map(({ payload }) => payload)).toMatchObject([
      {
        event: 'out_for_delivery',
        enrichment_status: 'COMPLETE',
        rider: { name: 'Ravi Kumar', phone_masked: '+91 98xxx xx233' },
        delivery: { otp: '894819', attempt_no: 1 },
      },
    ])
    expect(pipe.counted('enrich_held')).toBe(1)
  })

  it('goes out at once when the rider was there before', async () => {
    await pipe.capture(pipe.database.assign(1101))
    await goOut()
    expect(pipe.requests[0]?.payload.enrichment_status).toBe('COMPLETE')
    expect(pipe.counted('enrich_held')).toBe(0)
  })

  it('is partial when the row has no one-time password', async () => {
    await goOut()
    await pipe.capture(pipe.database.assign(1101, { otp: '' }))
    expect(pipe.requests.map(({ payload }) => payload)).toMatchObject([
      { enrichment_status: 'PARTIAL', rider: { name: 'Ravi Kumar' }, delivery: { otp: null } },
    ])
  })

  it('asks dispatch after 2 s, not before, and is released by the answer', async () => {
    const asked: number[] = []
    pipe.dispatch = () => {
      asked.push(pipe.driver.clock.now())
      return rider
    }
    const out = pipe.driver.clock.now()
    await goOut()
    await pipe.pass(2 * secondMs - 1)
    expect(asked).toEqual([])
    await pipe.pass(1)
    expect(asked).toEqual([out + 2 * secondMs])
    expect(pipe.requests.map(({ payload }) => payload)).toMatchObject([
      { enrichment_status: 'COMPLETE', rider: { name: 'Meena Iyer' }, delivery: { otp: '553311' } },
    ])
  })

  it('asks dispatch again, with growing waits, while nobody is assigned', async () => {
    const asked: number[] = []
    const out = pipe.driver.clock.now()
    pipe.dispatch = () => {
      asked.push(pipe.driver.clock.now() - out)
      return asked.length < 4 ? { kind: 'not_yet' } : rider
    }
    await goOut()
    await pipe.pass(15 * secondMs)
    expect(asked).toEqual([2, 3, 5, 9].map((seconds) => seconds * secondMs))
    expect(pipe.requests).toHaveLength(1)
  })

  it('leaves without a rider 1 s after a later event of the order, which waits behind it', async () => {
    await goOut()
    await pipe.pass(500)
    await pipe.capture(pipe.database.update(1101, { status: 'DELIVERED' }))
    await pipe.pass(secondMs - 1)
    expect(pipe.sent()).toEqual([])
    await pipe.pass(1)
    expect(pipe.sent()).toEqual(['1101 out_for_delivery', '1101 delivered'])
    expect(pipe.requests[0]?.payload).toMatchObject({
      enrichment_status: 'SUPERSEDED',
      rider: { name: null, phone_masked: null },
      delivery: { otp: null },
    })
  })

  it('still takes the rider who comes within the grace', async () => {
    await goOut()
    await pipe.capture(pipe.database.update(1101, { status: 'DELIVERED' }))
    await pipe.pass(900)
    await pipe.capture(pipe.database.assign(1101))
    expect(pipe.sent()).toEqual(['1101 out_for_delivery', '1101 delivered'])
    expect(pipe.requests[0]?.payload.enrichment_status).toBe('COMPLETE')
  })

  it('leaves 1 s after the order is deleted', async () => {
    await goOut()
    await pipe.capture(pipe.database.remove(1101))
    await pipe.pass(secondMs)
    expect(pipe.requests[0]?.payload.enrichment_status).toBe('SUPERSEDED')
  })

  it('is not superseded by a change that has no event of its own', async () => {
    await goOut()
    await pipe.capture(pipe.database.update(1101, { city: 'Nashik' }))
    await pipe.pass(2 * secondMs)
    expect(pipe.sent()).toEqual([])
  })

  it('leaves at 20 s whether or not anyone answered, and not 1 ms before', async () => {
    await goOut()
    await pipe.pass(20 * secondMs - 1)
    expect(pipe.sent()).toEqual([])
    await pipe.pass(1)
    expect(pipe.requests.map(({ payload }) => payload)).toMatchObject([
      { event: 'out_for_delivery', enrichment_status: 'TIMED_OUT', delivery: { otp: null } },
    ])
  })

  it('leaves at 20 s although dispatch never answers', async () => {
    pipe.dispatch = () => new Promise(() => {})
    await pipe.captureUnsettled(pipe.database.insert(1101, { status: 'PACKED' }))
    await pipe.captureUnsettled(pipe.database.update(1101, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }))
    await moveTo(pipe, 20 * secondMs)
    expect(pipe.requests.map(({ payload }) => payload.enrichment_status)).toEqual(['TIMED_OUT'])
  })

  it('holds nobody else up', async () => {
    await goOut(1101)
    await pipe.capture(pipe.database.insert(1102, { status: 'CONFIRMED' }))
    expect(pipe.sent()).toEqual(['1102 order_confirmed'])
  })

  it('is not released by the rider of another attempt', async () => {
    await goOut()
    await pipe.capture(pipe.database.assign(1101, { attempt_no: 2 }))
    await pipe.pass(10 * secondMs)
    expect(pipe.sent()).toEqual([])
  })

  it('is not released by an assignment that was taken back', async () => {
    await pipe.capture(pipe.database.assign(1101))
    await pipe.capture(pipe.database.unassign(1101))
    await goOut()
    expect(pipe.sent()).toEqual([])
    await pipe.pass(20 * secondMs)
    expect(pipe.requests[0]?.payload).toMatchObject({
      enrichment_status: 'TIMED_OUT',
      delivery: { otp: null },
    })
  })

  it('counts a rider who comes too late, and sends nothing more', async () => {
    await goOut()
    await pipe.pass(20 * secondMs)
    await pipe.capture(pipe.database.assign(1101))
    expect(pipe.requests).toHaveLength(1)
    expect(pipe.counted('enrich_late_riders{case="came_late"}')).toBe(1)
  })

  it('is still held after a crash, and released by the time left', async () => {
    await goOut()
    await pipe.pass(5 * secondMs)
    await pipe.outage('crash')
    await pipe.pass(15 * secondMs - 1)
    expect(pipe.sent()).toEqual([])
    await pipe.pass(1)
    expect(pipe.requests[0]?.payload.enrichment_status).toBe('TIMED_OUT')
  })

  it('does not time out after an outage before the riders that were captured meanwhile have come through', async () => {
    await goOut()
    await pipe.driver.stop('a')
    pipe.driver.clock.advance(600 * secondMs)
    // Much was captured while nobody ran, and nobody has normalized it yet: the rider comes last.
    for (let other = 0; other < 300; other++)
      await pipe.captureUnsettled(pipe.database.assign(50_000 + other))
    await pipe.captureUnsettled(pipe.database.assign(1101))
    await pipe.driver.start('a')
    await pipe.driver.settle()
    await pipe.pass(secondMs)
    expect(pipe.requests.map(({ payload }) => payload)).toMatchObject([{ enrichment_status: 'COMPLETE' }])
  })
})

/** Moves time while a call is open, when nothing ever settles: each step gives the instances some turns. */
async function moveTo(pipe: PipelineDriver, ms: number) {
  await giveTurns()
  for (let passed = 0; passed < ms; passed += 250) {
    pipe.driver.clock.advance(250)
    await giveTurns(50)
  }
}
