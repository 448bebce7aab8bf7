/**
 * 10,000 deliveries through endpoints that do everything a receiver can do wrong, some always and some now and then,
 * beside some that do nothing wrong: the real log, the real state, the real sender, real sockets. In the end every
 * delivery is accounted for, endpoint by endpoint, and no endpoint was hurt by another. Pipeline time runs 60 times as
 * fast, so that tiers take seconds.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../engine/index.ts'
import { type Account, readAccounts } from './accounts.ts'
import {
  deliveries,
  gigabyte,
  hostile,
  type Misbehaving,
  mishapOf,
  mishaps,
  perHostile,
  startMisbehaving,
} from './misbehaving.ts'
import { eventIdOf, fastClock, openProduct, type Product, waitFor } from './product.ts'

/** Pipeline time, by real time. */
const speed = 60

describe('10,000 deliveries through everything that a receiver can do wrong', () => {
  let directory: string
  let product: Product
  let endpoints: Misbehaving
  let accounts: ReadonlyMap<string, Account>
  let deadWhenHealthyWereDone = 0
  const requestsOf = (id: string) => endpoints.receivers.get(id)?.requests ?? []
  const accountOf = (id: string): Account => {
    const account = accounts.get(id)
    if (!account) throw new Error(`nothing is told of ${id}`)
    return account
  }
  const counter = (name: string) =>
    [...product.pipeline.application.counters.snapshot()]
      .filter(([key]) => key === name || key.startsWith(`${name}{`))
      .reduce((sum, [, count]) => sum + count, 0)

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waybill-account-'))
    endpoints = await startMisbehaving()
    const clock = fastClock(speed, systemClock.now())
    product = await openProduct({
      directory,
      pipelineClock: clock,
      endpoints: endpoints.endpoints,
      ...endpoints.reach,
    })
    for (const piece of endpoints.pieces(clock.now)) await product.append(piece)

    const missing = () =>
      endpoints.healthy.some((id) => requestsOf(id).length < endpoints.numbersOf(id).length)
    await waitFor(() => !missing(), 60_000, 'the healthy endpoints got theirs')
    deadWhenHealthyWereDone = counter('deliver_dead')
    const settled = () => counter('deliver_delivered') + counter('deliver_dead') + counter('deliver_skipped')
    // All but those of the paused endpoint.
    await waitFor(() => settled() >= deliveries - perHostile, 60_000, 'the others came to an end')
    await product.pipeline.application.settled({ running: 'ignored' })
    accounts = (await readAccounts(product.pipeline.log, product.pipeline.topics)).accounts
  }, 150_000)

  afterAll(async () => {
    await product?.stop()
    await endpoints?.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('are all accounted for, endpoint by endpoint', () => {
    let routed = 0
    for (const id of endpoints.receivers.keys()) {
      const account = accountOf(id)
      expect(account.routed, id).toBe(endpoints.numbersOf(id).length)
      expect(account.delivered + account.waiting + account.dead + account.skipped, id).toBe(account.routed)
      routed += account.routed
    }
    expect(routed).toBe(deliveries)
    expect(counter('deliver_accepted')).toBe(deliveries)
    expect(counter('deliver_repeats')).toBe(0)
  })

  it('reach the healthy endpoints, each once and acknowledged at the first attempt, before the others are done', () => {
    for (const id of endpoints.healthy) {
      const { routed, ...rest } = accountOf(id)
      const once = { delivered: routed, waiting: 0, dead: 0, skipped: 0 }
      expect(rest, id).toEqual({ ...once, attempts: routed, acknowledged: routed, again: 0 })
      const got = requestsOf(id).map(({ headers }) => headers['webhook-id'])
      expect(got.toSorted(), id).toEqual(endpoints.numbersOf(id).map(eventIdOf).toSorted())
    }
    expect(deadWhenHealthyWereDone).toBeLessThan(counter('deliver_dead'))
  })

  it('reach the erratic endpoints in the end, every one of them', () => {
    let mishapCount = 0
    for (const id of endpoints.erratic) {
      const account = accountOf(id)
      expect(account, id).toMatchObject({
        delivered: account.routed,
        waiting: 0,
        dead: 0,
        skipped: 0,
        again: 0,
      })
      mishapCount += endpoints.numbersOf(id).filter((number) => mishapOf(eventIdOf(number))).length
      expect(account.attempts, id).toBeGreaterThan(account.routed)
    }
    expect(mishapCount).toBeGreaterThan(mishaps.length * 5)
  })

  it.each(Object.entries(hostile))('end as they must at an endpoint that %s', (id, { ends, unread }) => {
    const account = accountOf(id)
    if (ends) expect(account[ends]).toBe(account.routed)
    const got = requestsOf(id).length
    // What came in whole is recorded as a request, whatever became of it.
    expect(account.attempts).toBeGreaterThanOrEqual(got)
    if (unread) expect(got).toBe(0)
  })

  it('count as dead after exactly four requests, and none is made at a private address', () => {
    for (const [id, { ends }] of Object.entries(hostile)) {
      if (ends === 'dead') expect(accountOf(id).attempts, id).toBe(4 * perHostile)
    }
    const flips = accountOf('flips to a private address')
    expect(flips.delivered).toBe(requestsOf('flips to a private address').length)
    expect(flips.dead).toBe(flips.routed - flips.delivered)
    expect(flips.dead).toBeGreaterThan(0)
  })

  it('need no more than a few bytes of a gigabyte', () => {
    const sent = endpoints.receivers.get('sends a gigabyte')?.bytesWritten() ?? Number.NaN
    expect(sent).toBeLessThan(gigabyte / 10)
  })
})
