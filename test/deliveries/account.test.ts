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
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { systemClock } from '../../engine/index.ts'
import { type Behaviour, type HostileOptions, startHostileReceiver } from '../webhook/hostile-receiver.ts'
import { testAuthority } from '../webhook/test-certificates.ts'
import { type Account, readAccounts } from './accounts.ts'
import { eventIdOf, fastClock, makeDelivery, openProduct, type Product, waitFor } from './product.ts'

const deliveries = 10_000
const healthyCount = 5
const erraticCount = 5
/** For each endpoint that always misbehaves: it is called one at a time, until its deadline, and its breaker opens. */
const perHostile = 4
const speed = 60
/** Long enough that only who really hangs misses it, on a busy machine too. */
const timeoutMs = 1000
const gigabyte = 2 ** 30

interface Case {
  readonly receiver: HostileOptions
  readonly endpoint?: { readonly state?: 'paused'; readonly host?: string; readonly timeoutMs?: number }
  /** Where all of its deliveries must be in the end; without, only that none is gone. */
  readonly ends?: 'delivered' | 'dead' | 'skipped' | 'waiting'
  /** Whether no request can come in whole. */
  readonly unread?: true
}

const always = (behaviour: Behaviour): HostileOptions => ({ behave: () => behaviour })

/** Misbehaves once for each event, then answers. */
function atFirst(behaviour: Behaviour): HostileOptions {
  const seen = new Set<string | undefined>()
  return {
    behave({ headers }) {
      const id = headers['webhook-id']
      if (seen.has(id)) return { kind: 'answer', status: 200 }
      seen.add(id)
      return behaviour
    },
  }
}

/** What an erratic endpoint does to one event in forty, at first. */
const mishaps: readonly Behaviour[] = [
  { kind: 'hang', at: 'headers' },
  { kind: 'hang', at: 'body' },
  { kind: 'reset', at: 'headers' },
  { kind: 'reset', at: 'body' },
  { kind: 'redirect', status: 307, to: 'http://127.0.0.1:1/' },
  { kind: 'drip', everyMs: 1000, bytes: 60 },
  { kind: 'lie', says: 900, sends: 3 },
  { kind: 'late', afterMs: timeoutMs * 3, status: 200 },
  { kind: 'garbage', text: 'hello\r\n\r\n' },
  { kind: 'answer', status: 503 },
]
const mishapEvery = 40

/** Which mishap an event meets, by its id. */
function mishapOf(eventId: string): Behaviour | undefined {
  const hash = Number.parseInt(eventId.slice(0, 8), 16)
  return hash % mishapEvery === 0 ? mishaps[Math.floor(hash / mishapEvery) % mishaps.length] : undefined
}

function erratic(): HostileOptions {
  const seen = new Set<string>()
  return {
    behave({ headers: { 'webhook-id': id = '' } }) {
      const isFirst = !seen.has(id)
      seen.add(id)
      return (isFirst ? mishapOf(id) : undefined) ?? { kind: 'answer', status: 200 }
    },
  }
}

let addressAnswers = 0
const hostile: Readonly<Record<string, Case>> = {
  'hangs after the connection': { receiver: { connect: () => 'hang' }, ends: 'dead', unread: true },
  'hangs in TLS': { receiver: { tls: true, connect: () => 'hang_tls' }, ends: 'dead', unread: true },
  'never answers': { receiver: always({ kind: 'hang', at: 'headers' }), ends: 'dead' },
  'never ends its answer': { receiver: always({ kind: 'hang', at: 'body' }), ends: 'dead' },
  'resets connections': { receiver: { connect: () => 'reset' }, ends: 'dead', unread: true },
  'resets before the answer': {
    receiver: always({ kind: 'reset', at: 'headers' }),
    ends: 'dead',
  },
  'resets within the answer': { receiver: always({ kind: 'reset', at: 'body' }), ends: 'dead' },
  redirects: {
    receiver: always({ kind: 'redirect', status: 301, to: 'http://127.0.0.1:1/' }),
    ends: 'dead',
  },
  drips: { receiver: always({ kind: 'drip', everyMs: 1000, bytes: 60 }), ends: 'dead' },
  'sends a gigabyte': { receiver: always({ kind: 'flood', bytes: gigabyte }) },
  'lies about the length': {
    receiver: always({ kind: 'lie', says: 900, sends: 3 }),
    ends: 'dead',
  },
  'answers after the deadline': {
    receiver: always({ kind: 'late', afterMs: timeoutMs * 3, status: 200 }),
    ends: 'dead',
  },
  'speaks no HTTP': {
    receiver: always({ kind: 'garbage', text: 'hello\r\n\r\n' }),
    ends: 'dead',
  },
  'fails always': { receiver: always({ kind: 'answer', status: 500 }), ends: 'dead' },
  'fails at first': { receiver: atFirst({ kind: 'answer', status: 503 }), ends: 'delivered' },
  'is silent at first': {
    receiver: atFirst({ kind: 'hang', at: 'headers' }),
    ends: 'delivered',
  },
  'is gone': { receiver: always({ kind: 'answer', status: 410 }), ends: 'skipped' },
  'is paused': { receiver: {}, endpoint: { state: 'paused' }, ends: 'waiting', unread: true },
  'flips to a private address': {
    // Each connection is closed behind its answer, so that each call looks the name up.
    receiver: always({ kind: 'answer', status: 200, headers: { connection: 'close' } }),
    endpoint: { host: 'flips.test', timeoutMs: 15_000 },
  },
}

describe('10,000 deliveries through everything that a receiver can do wrong', () => {
  let directory: string
  let product: Product
  const receivers = new Map<string, Awaited<ReturnType<typeof startHostileReceiver>>>()
  const healthy = Array.from({ length: healthyCount }, (_, at) => `healthy ${at}`)
  const sometimes = Array.from({ length: erraticCount }, (_, at) => `erratic ${at}`)
  const numbersOf = new Map<string, number[]>()
  let accounts: ReadonlyMap<string, Account>
  let deadWhenHealthyWereDone = 0
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
    for (const id of healthy) receivers.set(id, await startHostileReceiver())
    for (const id of sometimes) receivers.set(id, await startHostileReceiver(erratic()))
    for (const [id, { receiver }] of Object.entries(hostile))
      receivers.set(id, await startHostileReceiver(receiver))
    const clock = fastClock(speed, systemClock.now())
    product = await openProduct({
      directory,
      pipelineClock: clock,
      egress: loopbackEgress,
      trusted: testAuthority,
      resolve: async () => (addressAnswers++ % 3 === 2 ? ['127.0.0.1', '10.0.0.7'] : ['127.0.0.1']),
      endpoints: [...receivers].map(([id, { url, port }]) => ({
        id,
        url: hostile[id]?.endpoint?.host === undefined ? url : `http://${hostile[id].endpoint.host}:${port}/`,
        ...(hostile[id]?.endpoint?.state && { state: hostile[id].endpoint.state }),
        // Healthy ones get time enough on a machine that is busy with other things.
        timeoutMs: hostile[id]?.endpoint?.timeoutMs ?? (healthy.includes(id) ? 15_000 : timeoutMs),
        maxConcurrent: 16,
      })),
    })
    let number = 0
    const add = (id: string) => {
      const numbers = numbersOf.get(id) ?? []
      numbersOf.set(id, numbers)
      numbers.push(number)
      return makeDelivery(number++, id, clock.now())
    }
    const toHostile = Object.keys(hostile).flatMap((id) => Array.from({ length: perHostile }, () => add(id)))
    // The hostile ones first, so that they are in the way if anything can be.
    await product.append(toHostile)
    const others = [...sometimes, ...healthy]
    const toOthers = Array.from({ length: deliveries - toHostile.length }, (_, at) =>
      add(others[at % others.length] ?? ''),
    )
    for (let at = 0; at < toOthers.length; at += 1000) await product.append(toOthers.slice(at, at + 1000))

    const missing = () =>
      healthy.some((id) => (receivers.get(id)?.requests.length ?? 0) < (numbersOf.get(id)?.length ?? 0))
    await waitFor(() => !missing(), 60_000, 'the healthy endpoints got theirs')
    deadWhenHealthyWereDone = counter('deliver_dead')
    const settled = () => counter('deliver_delivered') + counter('deliver_dead') + counter('deliver_skipped')
    // All but those of the paused endpoint.
    await waitFor(() => settled() >= deliveries - perHostile, 60_000, 'the others came to an end')
    await product.pipeline.application.settled({ running: 'ignored' })
    accounts = (await readAccounts(product.pipeline.log, product.pipeline.topics)).accounts
  }, 150_000)

  afterAll(async () => {
    for (const receiver of receivers.values()) await receiver.close()
    await product?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  it('are all accounted for, endpoint by endpoint', () => {
    let routed = 0
    for (const id of receivers.keys()) {
      const account = accountOf(id)
      expect(account.routed, id).toBe(numbersOf.get(id)?.length)
      expect(account.delivered + account.waiting + account.dead + account.skipped, id).toBe(account.routed)
      routed += account.routed
    }
    expect(routed).toBe(deliveries)
    expect(counter('deliver_accepted')).toBe(deliveries)
    expect(counter('deliver_repeats')).toBe(0)
  })

  it('reach the healthy endpoints, each once and acknowledged at the first attempt, before the others are done', () => {
    for (const id of healthy) {
      const { routed, ...rest } = accountOf(id)
      const once = { delivered: routed, waiting: 0, dead: 0, skipped: 0 }
      expect(rest, id).toEqual({ ...once, attempts: routed, acknowledged: routed, again: 0 })
      const got = receivers.get(id)?.requests.map(({ headers }) => headers['webhook-id'])
      expect(got?.toSorted(), id).toEqual(numbersOf.get(id)?.map(eventIdOf).toSorted())
    }
    expect(deadWhenHealthyWereDone).toBeLessThan(counter('deliver_dead'))
  })

  it('reach the erratic endpoints in the end, every one of them', () => {
    let mishapCount = 0
    for (const id of sometimes) {
      const account = accountOf(id)
      expect(account, id).toMatchObject({
        delivered: account.routed,
        waiting: 0,
        dead: 0,
        skipped: 0,
        again: 0,
      })
      mishapCount += (numbersOf.get(id) ?? []).filter((number) => mishapOf(eventIdOf(number))).length
      expect(account.attempts, id).toBeGreaterThan(account.routed)
    }
    expect(mishapCount).toBeGreaterThan(mishaps.length * 5)
  })

  it.each(Object.entries(hostile))('end as they must at an endpoint that %s', (id, { ends, unread }) => {
    const account = accountOf(id)
    if (ends) expect(account[ends]).toBe(account.routed)
    const got = receivers.get(id)?.requests.length ?? 0
    // What came in whole is recorded as a request, whatever became of it.
    expect(account.attempts).toBeGreaterThanOrEqual(got)
    if (unread) expect(got).toBe(0)
  })

  it('count as dead after exactly four requests, and none is made at a private address', () => {
    for (const [id, { ends }] of Object.entries(hostile)) {
      if (ends === 'dead') expect(accountOf(id).attempts, id).toBe(4 * perHostile)
    }
    const flips = accountOf('flips to a private address')
    expect(flips.delivered).toBe(receivers.get('flips to a private address')?.requests.length)
    expect(flips.dead).toBe(flips.routed - flips.delivered)
    expect(flips.dead).toBeGreaterThan(0)
  })

  it('need no more than a few bytes of a gigabyte', () => {
    const sent = receivers.get('sends a gigabyte')?.bytesWritten() ?? Number.NaN
    expect(sent).toBeLessThan(gigabyte / 10)
  })
})
