/** Two instances share the work, and one of them dies with calls open: what is lost (nothing) and what repeats. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SendOutcome } from '../../ports/sender.ts'
import { endpointOf, type PipelineDriver, pipelineDriver } from './pipeline-driver.ts'
import { giveTurns, openCall, until } from './turns.ts'

const minuteMs = 60_000
const partnerIds = Array.from({ length: 12 }, (_, index) => `partner-${index}`)

describe('two instances', () => {
  let pipe: PipelineDriver
  beforeEach(async () => {
    pipe = await pipelineDriver({ instances: ['a', 'b'] })
    await pipe.configure(
      ...partnerIds.map((id) => ({
        partner_id: id,
        name: id,
        version: 1,
        notice_channels: [],
        endpoints: [endpointOf(id, pipe.seal)],
      })),
    )
  })
  afterEach(() => pipe.close())

  const orders = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) =>
      pipe.database.insert(from + index, {
        status: 'CONFIRMED',
        partner_id: partnerIds[index % partnerIds.length],
      }),
    )

  const requestsById = () => {
    const times = new Map<string, number>()
    for (const { headers } of pipe.requests) {
      const id = headers['webhook-id'] ?? ''
      times.set(id, (times.get(id) ?? 0) + 1)
    }
    return times
  }

  const attempts = async () =>
    (await pipe.history()).flatMap((record) => (record.attempt ? [{ ...record, ...record.attempt }] : []))

  it('share the tasks, and send everything once', async () => {
    const [a, b] = ['a', 'b'].map((id) => pipe.driver.application(id).taskIds())
    expect(a?.length).toBeGreaterThan(0)
    expect(b?.length).toBeGreaterThan(0)
    expect(a?.filter((id) => b?.includes(id))).toEqual([])
    await pipe.capture(orders(1000, 60))
    expect(requestsById().size).toBe(60)
    expect(pipe.requests).toHaveLength(60)
  })

  it('hand tasks over when one stops cleanly, and repeat nothing', async () => {
    await pipe.capture(orders(1000, 30))
    await pipe.driver.stop('b')
    await pipe.capture(orders(2000, 30))
    await pipe.driver.start('b')
    await pipe.driver.settle()
    await pipe.capture(orders(3000, 30))
    expect(requestsById().size).toBe(90)
    expect(pipe.requests).toHaveLength(90)
  })

  it('lose nothing when one dies with calls open; only those calls repeat, marked, under their ids', async () => {
    const hanging = openCall<Partial<SendOutcome>>()
    pipe.respond = () => hanging.outcome
    await pipe.captureUnsettled(orders(1000, 60))
    // Two calls of each of the twelve endpoints, which is what each begins with; the rest waits for credits.
    await until(() => pipe.requests.length === 24)
    const open = new Set(pipe.requests.map(({ deliveryId }) => deliveryId))
    const before = pipe.requests.length
    pipe.respond = () => ({})
    const crashed = pipe.driver.crash('b')
    await until(() => pipe.requests.length > before)
    // The survivor's own calls are still open while it takes over; they end now.
    hanging.end({})
    await crashed
    await pipe.driver.settle()

    expect(requestsById().size).toBe(60)
    const repeated = pipe.requests.slice(before).filter(({ deliveryId }) => open.has(deliveryId))
    expect(repeated.length).toBeGreaterThan(0)
    expect(pipe.requests.length - 60).toBe(repeated.length)
    const marked = (await attempts()).filter(({ again }) => again)
    expect(marked.map(({ delivery_id }) => delivery_id).sort()).toEqual(
      repeated.map(({ deliveryId }) => deliveryId).sort(),
    )
    expect((await attempts()).every(({ state }) => state === 'delivered')).toBe(true)
    for (const { deliveryId, headers, body } of repeated) {
      const first = pipe.requests.find((request) => request.deliveryId === deliveryId)
      expect(headers['webhook-id']).toBe(first?.headers['webhook-id'])
      expect(Buffer.from(body)).toEqual(Buffer.from(first?.body ?? []))
    }
  })

  it('repeat nothing of what the dead one had finished and committed', async () => {
    await pipe.capture(orders(1000, 60))
    await pipe.driver.crash('b', { unsynced: 'lose' })
    await pipe.driver.advance(minuteMs)
    expect(pipe.requests).toHaveLength(60)
    await pipe.capture(orders(2000, 12))
    expect(pipe.requests).toHaveLength(72)
  })

  it('go on with the retries of the dead one, on time', async () => {
    pipe.respond = () => (pipe.requests.length <= 12 ? { class: 'http_5xx', statusCode: 500 } : {})
    await pipe.capture(orders(1000, 12))
    await pipe.driver.crash('b')
    await pipe.driver.advance(30_000 - 1)
    expect(pipe.requests).toHaveLength(12)
    await pipe.driver.advance(1)
    expect(pipe.requests).toHaveLength(24)
    expect(new Set(requestsById().values())).toEqual(new Set([2]))
  })

  it('one that was only slow commits nothing after it was put out, and both agree in the end', async () => {
    const hanging = openCall<Partial<SendOutcome>>()
    pipe.respond = ({ endpointId }) => (endpointId === partnerIds[0] ? hanging.outcome : {})
    await pipe.captureUnsettled(orders(1000, 24))
    await until(() => pipe.requests.length === 24)
    pipe.driver.log.levers.groups.expire('waybill', 'b')
    await giveTurns(500)
    hanging.end({})
    await pipe.driver.settle()
    const settled = (await attempts()).filter(({ state }) => state === 'delivered')
    expect(new Set(settled.map(({ delivery_id }) => delivery_id)).size).toBe(24)
    expect(settled).toHaveLength(24)
  })
})
