/**
 * Whatever happens, in whatever order: what was routed is delivered, waiting, dead or skipped, each exactly once.
 * Random runs mix orders, failing receivers, changing settings, commands, crashes and time; the seed is printed.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../engine/index.ts'
import type { OutcomeClass, SendOutcome } from '../../ports/sender.ts'
import type { DeliveryHistory, Endpoint, EndpointState } from '../../schemas/index.ts'
import { endpointOf, type PipelineDriver, pipelineDriver } from './pipeline-driver.ts'

const minuteMs = 60_000
const partnerIds = ['acme-retail', 'bluebird', 'corner-shop']
const endpointIds = partnerIds.flatMap((id) => [`${id}-1`, `${id}-2`])

const pick = <T>(random: Random, list: readonly T[]): T => {
  const found = list[Math.floor(random.next() * list.length)]
  if (found === undefined) throw new Error('nothing to pick from')
  return found
}

const failures: readonly OutcomeClass[] = ['http_5xx', 'http_4xx', 'timeout_response', 'refused']

/** Of the failures; each disables its endpoint until somebody enables it. */
const goneShare = 0.03

/** What the receivers acknowledged, by delivery. */
type Acknowledged = Map<string, number>

interface Run {
  readonly pipe: PipelineDriver
  readonly random: Random
  readonly orders: Map<number, number>
  readonly states: Map<string, EndpointState>
  version: number
}

const life = [
  'NEW',
  'CONFIRMED',
  'PACKED',
  'OUT_FOR_DELIVERY',
  'DELIVERED',
  'RETURN_INITIATED',
  'RETURN_PICKED_UP',
]

async function newOrder({ pipe, random, orders }: Run) {
  const id = 1000 + orders.size
  orders.set(id, 1)
  await pipe.capture(
    pipe.database.insert(id, { status: 'CONFIRMED', partner_id: pick(random, [...partnerIds, 'nobody']) }),
    random.next() < 0.7 ? pipe.database.assign(id) : [],
  )
}

async function moveOrder({ pipe, random, orders }: Run) {
  if (orders.size === 0) return
  const id = pick(random, [...orders.keys()])
  const next = Math.min(life.length - 1, (orders.get(id) ?? 0) + 1)
  orders.set(id, next)
  const status = life[next] ?? 'NEW'
  const change = pipe.database.update(id, { status, ...(status === 'OUT_FOR_DELIVERY' && { attempt_no: 1 }) })
  // Connectors repeat themselves.
  await pipe.capture(change, random.next() < 0.2 ? change : [])
}

async function changeSettings(run: Run) {
  const { random, states } = run
  states.set(pick(random, endpointIds), pick(random, ['ACTIVE', 'ACTIVE', 'PAUSED', 'DISABLED']))
  await publish(run)
}

async function publish(run: Run) {
  const { pipe, states } = run
  run.version++
  const endpoint = (id: string, index: number): Endpoint =>
    endpointOf(id, pipe.seal, {
      state: states.get(id) ?? 'ACTIVE',
      payload_version: index === 0 ? 'v1' : 'v2',
      max_concurrent: index + 1,
      ...(index === 1 && { events: ['delivered', 'out_for_delivery', 'return_picked_up'] }),
    })
  await pipe.configure(
    ...partnerIds.map((id) => ({
      partner_id: id,
      name: id,
      version: run.version,
      notice_channels: [],
      endpoints: [`${id}-1`, `${id}-2`].map(endpoint),
    })),
  )
}

async function command({ pipe, random }: Run) {
  const kind = pick(random, ['RETRY_NOW', 'CANCEL', 'REDRIVE', 'ENABLE'] as const)
  if (kind === 'ENABLE') return pipe.command(kind, { endpointId: pick(random, endpointIds) })
  const history = await pipe.history()
  if (history.length === 0) return
  const { endpoint_id: endpointId, delivery_id: deliveryId } = pick(random, history)
  if (deliveryId !== '') await pipe.command(kind, { endpointId, deliveryId })
}

const letTimePass = ({ pipe, random }: Run) =>
  pipe.pass(pick(random, [500, 25_000, 3 * minuteMs, 9 * minuteMs]))

const crash = ({ pipe, random }: Run) => pipe.outage('crash', pick(random, [0, 40_000]))

/** What may happen next; what is listed more often happens more often. */
const steps: readonly ((run: Run) => Promise<void>)[] = [
  ...Array<typeof newOrder>(12).fill(newOrder),
  ...Array<typeof moveOrder>(10).fill(moveOrder),
  ...Array<typeof changeSettings>(3).fill(changeSettings),
  ...Array<typeof command>(4).fill(command),
  ...Array<typeof letTimePass>(6).fill(letTimePass),
  crash,
]

async function randomRun(seed: number, stepCount: number) {
  const random = seededRandom(seed)
  const run: Run = {
    pipe: await pipelineDriver(),
    random,
    orders: new Map(),
    states: new Map(),
    version: 0,
  }
  const acknowledged: Acknowledged = new Map()
  let failing = 0.6
  run.pipe.respond = ({ deliveryId }): Partial<SendOutcome> => {
    if (random.next() < failing) {
      return { class: random.next() < goneShare ? 'http_410' : pick(random, failures), statusCode: null }
    }
    acknowledged.set(deliveryId, (acknowledged.get(deliveryId) ?? 0) + 1)
    return {}
  }
  await publish(run)
  for (let count = 0; count < stepCount; count++) await pick(random, steps)(run)
  await check(run, acknowledged)
  // Everything heals: nothing may wait for ever.
  failing = 0
  for (const id of endpointIds) run.states.set(id, 'ACTIVE')
  await publish(run)
  for (const endpointId of endpointIds) await run.pipe.command('ENABLE', { endpointId })
  await run.pipe.pass(20 * minuteMs)
  await run.pipe.driver.advance(2000)
  const counts = await check(run, acknowledged)
  expect(counts.get('waiting') ?? 0).toBe(0)
  await run.pipe.close()
  return counts
}

/** The state of each delivery by its last record, counted; and all that must agree with it. */
async function check({ pipe }: Run, acknowledged: Acknowledged) {
  const history = await pipe.history()
  const last = new Map<string, DeliveryHistory>()
  for (const record of history) {
    if (record.delivery_id === '') continue
    expect(record.version).toBe((last.get(record.delivery_id)?.version ?? 0) + 1)
    last.set(record.delivery_id, record)
  }
  const counts = new Map<string, number>()
  for (const { state } of last.values()) counts.set(state, (counts.get(state) ?? 0) + 1)

  const routed = new Set(
    (await pipe.verdicts()).flatMap(({ verdict, delivery_id }) =>
      verdict === 'ROUTED' && delivery_id !== null ? [delivery_id] : [],
    ),
  )
  expect([...last.keys()].sort()).toEqual([...routed].sort())
  const settled = [...counts.values()].reduce((sum, count) => sum + count, 0)
  expect(settled).toBe(routed.size)

  const delivered = [...last.values()].filter(({ state }) => state === 'delivered')
  expect(delivered.map(({ delivery_id }) => delivery_id).sort()).toEqual([...acknowledged.keys()].sort())
  // Every crash here happens with no call open, so nothing has an excuse to repeat.
  expect([...acknowledged.values()].every((times) => times === 1)).toBe(true)

  const attempted = history.filter(({ change }) => change === 'ATTEMPTED').length
  expect(attempted).toBe(pipe.requests.length)
  const died = history.filter(({ change, state }) => change === 'ATTEMPTED' && state === 'dead').length
  expect(await pipe.driver.read(pipe.topics.deadDeliveries)).toHaveLength(died)
  return counts
}

describe('after any mixed run', () => {
  it('routed = delivered + waiting + dead + skipped, and nothing was sent twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        await randomRun(seed, 60)
      }),
      { numRuns: 4, endOnFailure: true },
    )
  })

  it('meets every state: the runs are mixed enough', async () => {
    const counts = await randomRun(4, 120)
    expect([...counts.keys()].sort()).toEqual(['dead', 'delivered', 'skipped'])
  })
})
