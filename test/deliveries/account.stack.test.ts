/**
 * The same 10,000 deliveries as on the embedded log, on Kafka, with two instances, of which one leaves while they are
 * under way. The tiers take their real time here, so that some of it still waits at the end; the account is exact all the same.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKafkaLog, type RecordLog, systemClock } from '../../engine/index.ts'
import { type OwnService, ownService } from '../stack/services.ts'
import { type Account, readAccounts } from './accounts.ts'
import { deliveries, hostile, type Misbehaving, perHostile, startMisbehaving } from './misbehaving.ts'
import { eventIdOf, openProduct, type Product } from './product.ts'

/** The first tier, twice, and what a busy machine needs on top. */
const patienceMs = 150_000

describe('10,000 deliveries on Kafka, shared by two instances of which one leaves', () => {
  let kafka: OwnService<'kafka'>
  let directory: string
  let endpoints: Misbehaving
  const logs: RecordLog[] = []
  const products: Product[] = []
  let accounts: ReadonlyMap<string, Account>
  let acceptedTwice: readonly string[]

  const open = async (instanceId: string): Promise<Product> => {
    const log = openKafkaLog({
      brokers: kafka.brokers,
      clientId: `account-${instanceId}`,
      replicationFactor: 1,
    })
    await log.connected()
    logs.push(log)
    const product = await openProduct({
      directory: join(directory, instanceId),
      opened: log,
      instanceId,
      publishes: products.length === 0,
      pipelineClock: systemClock,
      endpoints: endpoints.endpoints,
      ...endpoints.reach,
    })
    products.push(product)
    return product
  }
  const requestsOf = (id: string) => endpoints.receivers.get(id)?.requests ?? []
  const read = async () => {
    const [{ pipeline } = { pipeline: undefined }] = products
    if (!pipeline) throw new Error('nothing runs')
    return readAccounts(pipeline.log, pipeline.topics)
  }

  beforeAll(async () => {
    kafka = await ownService('kafka')
    directory = await mkdtemp(join(tmpdir(), 'waybill-account-'))
    endpoints = await startMisbehaving()
    const first = await open('a')
    const second = await open('b')
    for (const piece of endpoints.pieces(() => systemClock.now())) await first.append(piece)
    const got = () => endpoints.healthy.reduce((sum, id) => sum + requestsOf(id).length, 0)
    const until = async (isSo: () => boolean | Promise<boolean>, what: string) => {
      for (const end = systemClock.now() + patienceMs; !(await isSo()); ) {
        if (systemClock.now() > end) throw new Error(`${what}: not within ${patienceMs} ms`)
        await new Promise<void>((resolve) => systemClock.at(systemClock.now() + 500, resolve))
      }
    }
    await until(() => got() > deliveries / 10, 'the first thousand')
    await second.stop()
    products.pop()
    const done = (id: string, { accounts: told }: Awaited<ReturnType<typeof read>>) =>
      told.get(id)?.delivered === endpoints.numbersOf(id).length
    await until(async () => {
      const told = await read()
      return [...endpoints.healthy, ...endpoints.erratic].every((id) => done(id, told))
    }, 'what can be delivered is')
    await first.pipeline.application.settled({ running: 'ignored' })
    const told = await read()
    accounts = told.accounts
    const accepted = told.history
      .filter(({ change }) => change === 'ACCEPTED')
      .map((record) => record.delivery_id)
    acceptedTwice = accepted.filter((id, at) => accepted.indexOf(id) !== at)
  }, 2 * patienceMs)

  afterAll(async () => {
    for (const product of products) await product.stop()
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
    expect(acceptedTwice).toEqual([])
  })

  it('reach every endpoint that answers in the end, and repeat nothing that is not marked', () => {
    for (const id of endpoints.healthy) {
      const account = accounts.get(id)
      expect(account, id).toMatchObject({ delivered: endpoints.numbersOf(id).length, waiting: 0, dead: 0 })
      const ids = requestsOf(id).map(({ headers }) => headers['webhook-id'])
      expect([...new Set(ids)].toSorted(), id).toEqual(endpoints.numbersOf(id).map(eventIdOf).toSorted())
      expect(ids.length - new Set(ids).size, id).toBeLessThanOrEqual(account?.again ?? 0)
    }
  })

  it('leave those of endpoints that never answer waiting for their retries, none gone', () => {
    for (const [id, { ends }] of Object.entries(hostile)) {
      if (ends !== 'dead') continue
      expect(accounts.get(id), id).toMatchObject({ delivered: 0, skipped: 0, routed: perHostile })
    }
    expect(accounts.get('is gone')).toMatchObject({ skipped: perHostile })
    expect(accounts.get('is paused')).toMatchObject({ waiting: perHostile, attempts: 0 })
  })
})
