/** The delivery log and the API in processes of their own, beside the steps: one writes, one answers, PostgreSQL between. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeliveryBody } from '../../api/contract/rows.ts'
import { type OwnService, ownService, serviceBeside } from '../stack/services.ts'
import { type OrderStory, openOrderStory } from './order-story.ts'
import { type InstanceProcess, until } from './processes.ts'

const steps = 'normalize,enrich,route,deliver,watch'

let kafka: OwnService<'kafka'>
let story: OrderStory
let writer: InstanceProcess
let url: string
/** So many more webhooks are refused at first. */
let refusals = 0

beforeAll(async () => {
  kafka = await ownService('kafka')
  const postgres = await serviceBeside(kafka, 'postgres')
  story = await openOrderStory({
    ...{ brokers: kafka.brokers, databaseUrl: postgres.url, orders: 40, standbys: 0 },
    answer: (_, earlier) => ({ status: earlier === 0 && refusals-- > 0 ? 503 : 200, afterMs: 0 }),
  })
  story.start('steps', '--roles', steps)
  writer = story.start('log', '--roles', 'log')
  url = await story.start('api', '--roles', 'api').apiUrl()
  await story.membersAre(1, 40_000)
}, 300_000)
afterAll(async () => {
  await story?.stopAll()
  await story?.close()
  await kafka?.release()
}, 60_000)

interface Page {
  readonly as_of: string | null
  readonly deliveries: readonly DeliveryBody[]
}

async function deliveries(status: string): Promise<Page> {
  const answer = await fetch(`${url}/v1/deliveries?limit=100&status=${status}`)
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as Page
}

const holds = (status: string, count: number, withinMs = 40_000) =>
  until(async () => (await deliveries(status)).deliveries.length === count, {
    ...{ what: `${count} deliveries in ${status}`, withinMs },
  })

async function command(wish: 'retry' | 'cancel', ids: readonly string[]) {
  const { code, err } = await story.folder.waybill('deliveries', wish, ...ids, '--url', url)
  expect([code, err]).toEqual([0, expect.any(String)])
}

async function findings(): Promise<string> {
  const answer = await fetch(`${url}/readyz`)
  const { degraded = [] } = (await answer.json()) as { degraded?: readonly { part: string; what: string }[] }
  return degraded.map(({ part, what }) => `${part}: ${what}`).join('\n')
}

describe('an instance that answers, beside one that writes', () => {
  it('serves what the other has written', async () => {
    await story.feedSome(10)
    await story.allCame(40_000)
    await holds('delivered', 30)
    expect(await findings()).toBe('')
  })

  it('takes commands: what waits is given up, or sent at once', async () => {
    refusals = 2
    await story.feedSome(10)
    await holds('waiting', 2)
    await holds('delivered', 58)
    const [given = '', sent = ''] = (await deliveries('waiting')).deliveries.map(
      ({ delivery_id }) => delivery_id,
    )
    await command('cancel', [given])
    await holds('skipped', 1)
    await command('retry', [sent])
    // Long before its retry falls due.
    await holds('delivered', 59, 15_000)
    await command('retry', [given])
    await holds('delivered', 60)
    await story.allCame(1000)
  })

  it('says how old its news is when nobody writes, and has everything when somebody does again', {
    timeout: 240_000,
  }, async () => {
    const killedAt = await writer.kill()
    await story.feedSome(10)
    await story.allCame(40_000)
    const { as_of, deliveries: known } = await deliveries('delivered')
    expect(known).toHaveLength(60)
    expect(Date.parse(as_of ?? '')).toBeLessThanOrEqual(killedAt)
    await until(async () => /delivery_log: .* is not in it yet/.test(await findings()), {
      ...{ what: 'the finding', withinMs: 120_000 },
    })

    writer = story.start('log', '--roles', 'log')
    await holds('delivered', 90)
    await until(async () => (await findings()) === '', { what: 'the finding to go', withinMs: 40_000 })
    expect(Date.parse((await deliveries('delivered')).as_of ?? '')).toBeGreaterThan(killedAt)
  })
})
