import { describe, expect, it } from 'vitest'
import { createMemoryDeliveryLog } from '../ports/memory-delivery-log.ts'
import { batch, history, idOf } from '../ports/testing/log-records.ts'
import { maskText } from '../schemas/index.ts'
import type { DeliveryPageBody } from './contract/answers.ts'
import { asking, logOf } from './testing/asking.ts'
import { sample } from './testing/sample-log.ts'

describe('deliveries', () => {
  it('are listed one by one, those that match by themselves', async () => {
    const { deliveries } = await asking()
    const states = async (query: string) =>
      (await deliveries(query)).deliveries.map(({ endpoint_id, state }) => `${endpoint_id} ${state}`)
    expect(await states('partner=acme')).toEqual([
      'acme-orders waiting',
      'acme-orders delivered',
      'acme-analytics dead',
      'acme-orders skipped',
    ])
    expect(await states('status=failed')).toEqual(['acme-analytics dead'])
    expect(await states('status=retried')).toEqual(['acme-analytics dead'])
    expect(await states('endpoint=acme-orders&status=skipped')).toEqual(['acme-orders skipped'])
  })

  it('come in pages that never overflow and lose nothing', async () => {
    const { get } = await asking({ deliveryLog: await logOf(60) })
    const pages: string[][] = []
    let url: string | null = '/v1/deliveries?limit=25'
    while (url !== null) {
      const page: DeliveryPageBody = (await get(url)).body as DeliveryPageBody
      pages.push(page.deliveries.map(({ delivery_id }) => delivery_id))
      url = page.next
    }
    expect(pages.length).toBeGreaterThan(1)
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(25)
    expect(pages.flat()).toHaveLength(60)
    expect(new Set(pages.flat()).size).toBe(60)
  })

  it('show every request, oldest first, and the body with its secrets masked', async () => {
    const { get } = await asking()
    const { body } = await get(`/v1/deliveries/${sample.dead}`)
    expect(body).toMatchObject({
      delivery: { state: 'dead', reason: 'http_5xx', retry_count: 3, next_due_at: null },
      attempts: [
        { retry_count: 0, trigger: 'FIRST', resulting_state: 'waiting', detail: 'Service Unavailable' },
        { retry_count: 1 },
        { retry_count: 2 },
        { retry_count: 3, trigger: 'RETRY', resulting_state: 'dead', started_at: '2026-11-22T08:03:00.950Z' },
      ],
      payload: { event: 'out_for_delivery', delivery: { otp: maskText } },
    })
  })

  it('show a body that was cut short as the text it is', async () => {
    const log = createMemoryDeliveryLog()
    await log.write(batch({ history: [history({ payload: '{"event":"deliv' })] }))
    const { get } = await asking({ deliveryLog: log })
    expect((await get(`/v1/deliveries/${idOf('event-1 at ep-1')}`)).body).toMatchObject({
      payload: '{"event":"deliv',
    })
  })
})
