/** Questions to the API, for tests of what it answers about events and deliveries. */
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import { createMemoryDeliveryLog } from '../../ports/memory-delivery-log.ts'
import { batch, history, testStartMs } from '../../ports/testing/log-records.ts'
import type { DeliveryPageBody, EventPageBody } from '../contract/answers.ts'
import { showing, testApi } from './test-api.ts'

/** One API for all tests that only look. */
const looking = testApi()

/** Asks an API as an operator: one that all tests of a file share, or one with options of its own. */
export async function asking(options?: Parameters<typeof testApi>[0]) {
  const api = await (options === undefined ? looking : testApi(options))
  const get = async (url: string) => {
    const answer = await api.app.inject({ url, headers: showing('operator') })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<unknown>() }
  }
  const events = async (query: string) => (await get(`/v1/events?${query}`)).body as EventPageBody
  const deliveries = async (query: string) => (await get(`/v1/deliveries?${query}`)).body as DeliveryPageBody
  return { api, get, events, deliveries }
}

/** A log with this many events, a second apart, each for one endpoint. */
export async function logOf(events: number): Promise<DeliveryLog> {
  const log = createMemoryDeliveryLog()
  const records = Array.from({ length: events }, (_, index) =>
    history({ of: `event ${index}`, occurred_at: testStartMs + index * 1000, partner_id: 'acme' }),
  )
  await log.write(batch({ history: records }))
  return log
}
