/** Strict order, redrives and the breaker on the real engine: over moves of their task, and beside live traffic. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Endpoint } from '../../schemas/index.ts'
import { endpointOf, type PipelineDriver, pipelineDriver } from './pipeline-driver.ts'

const minuteMs = 60_000
const partnerId = 'acme'
const endpointId = 'acme-main'

let pipe: PipelineDriver
let version = 0
beforeEach(async () => {
  version = 0
  pipe = await pipelineDriver({ instances: ['a', 'b'] })
})
afterEach(() => pipe.close())

const configure = (changes: Partial<Endpoint> = {}): Promise<void> =>
  pipe.configure({
    partner_id: partnerId,
    name: partnerId,
    version: ++version,
    notice_channels: [],
    endpoints: [endpointOf(endpointId, pipe.seal, changes)],
  })

const confirm = (ids: readonly number[]) =>
  pipe.capture(ids.map((id) => pipe.database.insert(id, { status: 'CONFIRMED', partner_id: partnerId })))

const deliver = (id: number) => pipe.capture([pipe.database.update(id, { status: 'DELIVERED' })])

/** The instance whose task serves the endpoint: the other one has none of its calls. */
const restartBoth = async (): Promise<void> => {
  for (const id of ['a', 'b']) {
    await pipe.driver.crash(id)
    await pipe.driver.start(id)
  }
  await pipe.driver.settle()
}

describe('an order whose earlier event waits in a tier', () => {
  it('holds its later event back, also when the task moves meanwhile; another order flows', async () => {
    await configure({ strict_order: true })
    pipe.respond = () => (pipe.requests.length === 1 ? { class: 'http_5xx', statusCode: 500 } : {})
    await confirm([1101])
    await deliver(1101)
    await confirm([1102])
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1102 order_confirmed'])
    await restartBoth()
    await pipe.driver.advance(30_000 - 1)
    expect(pipe.requests).toHaveLength(2)
    await pipe.driver.advance(1000)
    expect(pipe.sent().slice(2)).toEqual(['1101 order_confirmed', '1101 delivered'])
    const waited = (await pipe.history()).findLast(({ event, attempt }) => event === 'delivered' && attempt)
    expect(waited?.waited_for_order_ms).toBeGreaterThanOrEqual(29_000)
  })
})

describe('a redrive of many', () => {
  it('brings all that a disabled endpoint missed, over a crash, and counts it exactly', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => 2000 + index)
    await configure({ state: 'DISABLED' })
    await confirm(ids)
    expect(pipe.requests).toEqual([])
    await configure()
    await pipe.command('REDRIVE_MATCHING', { endpointId, id: 'redrive-1', more: { per_second: 10 } })
    await pipe.driver.advance(1000)
    const before = pipe.requests.length
    expect(before).toBeGreaterThan(5)
    expect(before).toBeLessThan(15)
    await restartBoth()
    for (let second = 0; second < 6; second++) await pipe.driver.advance(1000)
    expect(new Set(pipe.requests.map(({ deliveryId }) => deliveryId)).size).toBe(ids.length)
    expect(pipe.requests).toHaveLength(ids.length)
    const reports = await pipe.driver.read(pipe.topics.redrives)
    expect(reports.at(-1)?.value).toMatchObject({
      redrive_id: 'redrive-1',
      phase: 'FINISHED',
      redriven: ids.length,
      delivered: ids.length,
    })
  })
})

describe('an endpoint that fails everything', () => {
  it('is left alone by its breaker, also after a restart, and gets all of it when it answers again', async () => {
    await configure()
    const ids = Array.from({ length: 40 }, (_, index) => 3000 + index)
    pipe.respond = () => ({ class: 'http_5xx', statusCode: 500 })
    await confirm(ids)
    const tried = pipe.requests.length
    expect(tried).toBeLessThan(20)
    await restartBoth()
    await pipe.driver.advance(1000)
    expect(pipe.requests).toHaveLength(tried)
    pipe.respond = () => ({})
    for (let minute = 0; minute < 4; minute++) await pipe.driver.advance(minuteMs)
    const delivered = (await pipe.history()).filter(({ state }) => state === 'delivered')
    expect(delivered).toHaveLength(ids.length)
  })
})
