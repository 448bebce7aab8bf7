/**
 * The same 10,000 deliveries as on the embedded log, on Kafka, with two instances, of which one is killed with -9 while
 * they are under way. The tiers take their real time here, so that some of it still waits at the end; the account is
 * exact all the same, and each repeat belongs to the kill. (One that leaves cleanly: `test/several/orders.stack.test.ts`.)
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKafkaLog, systemClock } from '../../engine/index.ts'
import type { DeliveryHistory } from '../../schemas/index.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import { type InstanceProcess, pause, startInstance, until } from '../several/processes.ts'
import { type OwnService, ownService } from '../stack/services.ts'
import { type Account, readAccounts } from './accounts.ts'
import { deliveries, hostile, type Misbehaving, perHostile, startMisbehaving } from './misbehaving.ts'
import { eventIdOf, openProduct, type Product } from './product.ts'

/** The session of the killed one, the first tier, twice, and what a busy machine needs on top. */
const patienceMs = 180_000
/** The second instance dies some way into its half. */
const callsBeforeKill = 500
/** By then the receivers have read what it had sent; the other one only gets its work when its session ends, after 10 s. */
const lastRequestsWithinMs = 1000

const child = fileURLToPath(new URL('../../dist/test/deliveries/account-child.js', import.meta.url))

describe('10,000 deliveries on Kafka, shared by two instances of which one is killed', () => {
  let kafka: OwnService<'kafka'>
  let directory: string
  let endpoints: Misbehaving
  let product: Product | undefined
  let second: InstanceProcess | undefined
  /** How many requests each receiver had, when all were in that the killed one had made. */
  let atKill: ReadonlyMap<string, number>
  let accounts: ReadonlyMap<string, Account>
  let history: readonly DeliveryHistory[]

  const idsOf = (id: string) =>
    (endpoints.receivers.get(id)?.requests ?? []).map(({ headers }) => headers['webhook-id'] ?? '')
  const about = () => second?.text().slice(-2000) ?? ''

  async function openTwo(): Promise<Product> {
    const log = openKafkaLog({ brokers: kafka.brokers, clientId: 'account-a', replicationFactor: 1 })
    await log.connected()
    const first = await openProduct({
      directory: join(directory, 'a'),
      opened: log,
      instanceId: 'a',
      pipelineClock: systemClock,
      endpoints: endpoints.endpoints,
      ...endpoints.reach,
    })
    product = first
    const asked = [join(directory, 'b'), kafka.brokers.join(), 'b', String(callsBeforeKill)]
    const { reach, endpoints: settings } = endpoints
    second = startInstance({ args: [child, ...asked, reach.trusted, JSON.stringify(settings)] })
    await until(async () => (await log.admin.describeGroups([pipelineName]))[0]?.members.length === 2, {
      ...{ what: 'two members', withinMs: 60_000, about },
    })
    return first
  }

  beforeAll(async () => {
    if (!existsSync(child)) throw new Error(`${child} is not there: run "npm run build" first`)
    kafka = await ownService('kafka')
    directory = await mkdtemp(join(tmpdir(), 'waybill-account-'))
    endpoints = await startMisbehaving()
    const { pipeline, append } = await openTwo()
    for (const piece of endpoints.pieces(() => systemClock.now())) await append(piece)

    await second?.says(`made ${callsBeforeKill} calls`)
    await second?.kill()
    await pause(lastRequestsWithinMs)
    atKill = new Map([...endpoints.receivers.keys()].map((id) => [id, idsOf(id).length]))

    const read = () => readAccounts(pipeline.log, pipeline.topics)
    const isDone = (id: string, { accounts: told }: Awaited<ReturnType<typeof read>>) =>
      told.get(id)?.delivered === endpoints.numbersOf(id).length
    await until(
      async () => {
        const told = await read()
        return [...endpoints.healthy, ...endpoints.erratic].every((id) => isDone(id, told))
      },
      { what: 'what can be delivered is', withinMs: patienceMs, lookEveryMs: 500, about },
    )
    await pipeline.application.settled({ running: 'ignored' })
    const told = await read()
    accounts = told.accounts
    history = told.history
  }, 2 * patienceMs)

  afterAll(async () => {
    if (second?.isRunning()) await second.kill()
    await product?.stop()
    await endpoints?.close()
    await kafka?.release()
    if (directory) await rm(directory, { recursive: true, force: true })
  })

  it('are all accounted for, endpoint by endpoint, each accepted once', () => {
    let routed = 0
    for (const id of endpoints.receivers.keys()) {
      const account = accounts.get(id)
      if (!account) throw new Error(`nothing is told of ${id}`)
      expect(account.routed, id).toBe(endpoints.numbersOf(id).length)
      expect(account.delivered + account.waiting + account.dead + account.skipped, id).toBe(account.routed)
      routed += account.routed
    }
    expect(routed).toBe(deliveries)
    const accepted = history.flatMap(({ change, delivery_id }) =>
      change === 'ACCEPTED' ? [delivery_id] : [],
    )
    expect(new Set(accepted).size).toBe(accepted.length)
  })

  it('reach every endpoint that answers in the end, acknowledged once', () => {
    for (const id of endpoints.healthy) {
      const routed = endpoints.numbersOf(id).length
      // Two acknowledged attempts would be a call that was made again although its outcome was committed.
      const once = { delivered: routed, acknowledged: routed, attempts: routed, waiting: 0, dead: 0 }
      expect(accounts.get(id), id).toMatchObject(once)
      const expected = endpoints.numbersOf(id).map(eventIdOf).toSorted()
      expect([...new Set(idsOf(id))].toSorted(), id).toEqual(expected)
    }
  })

  it('repeat only what was under way at the kill, once, after it, and marked', () => {
    const marked = new Set(history.flatMap(({ event_id, attempt }) => (attempt?.again ? [event_id] : [])))
    for (const id of endpoints.healthy) {
      const ids = idsOf(id)
      const before = new Set(ids.slice(0, atKill.get(id)))
      expect(before.size, `${id}: none came twice before the kill`).toBe(atKill.get(id))
      const after = ids.slice(atKill.get(id))
      expect(new Set(after).size, `${id}: none came twice after it`).toBe(after.length)
      const repeated = after.filter((eventId) => before.has(eventId))
      expect(
        repeated.filter((eventId) => !marked.has(eventId)),
        `${id}: not marked`,
      ).toEqual([])
      // A call holds its endpoint's credit until its outcome is committed.
      expect(repeated.length, id).toBeLessThanOrEqual(callsAtOnce(id))
    }
  })

  const callsAtOnce = (id: string) =>
    endpoints.endpoints.find((endpoint) => endpoint.id === id)?.maxConcurrent ?? 0

  it('leave those of endpoints that never answer waiting for their retries, none gone', () => {
    for (const [id, { ends }] of Object.entries(hostile)) {
      if (ends !== 'dead') continue
      expect(accounts.get(id), id).toMatchObject({ delivered: 0, skipped: 0, routed: perHostile })
    }
    expect(accounts.get('is gone')).toMatchObject({ skipped: perHostile })
    expect(accounts.get('is paused')).toMatchObject({ waiting: perHostile, attempts: 0 })
  })
})
