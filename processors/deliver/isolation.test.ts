import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../schemas/index.ts'
import { command, delivery, endpoint, partner, sent } from './testing/builders.ts'
import { type Harness, type HarnessOptions, makeHarness } from './testing/harness.ts'

const withEndpoint = (changes: Partial<Endpoint> = {}, options: HarnessOptions = {}): Harness => {
  const harness = makeHarness(options)
  harness.partners.set('p1', partner({ endpoints: [endpoint(changes)] }))
  return harness
}

const openIds = (harness: Harness): string[] => harness.calls().map((call) => call.intent.id)

const deliverMany = (harness: Harness, count: number, prefix = 'd'): void => {
  for (let index = 0; index < count; index++) harness.deliver(delivery({ delivery_id: `${prefix}${index}` }))
}

/** Fails whatever is called until the breaker lets nothing through. */
const breakDown = (harness: Harness, how: 'broken' | 'slow' = 'broken'): void => {
  for (let [id] = openIds(harness); id !== undefined; [id] = openIds(harness)) harness.done(id, sent(how))
}

describe('credits of an endpoint', () => {
  it('begin with two, grow with quick answers up to its bound, and fall with time-outs', () => {
    const harness = withEndpoint({ max_concurrent: 5 })
    deliverMany(harness, 40)
    expect(openIds(harness)).toHaveLength(2)
    for (let round = 0; round < 3; round++) for (const id of openIds(harness)) harness.done(id, sent('ok'))
    expect(openIds(harness)).toHaveLength(5)
    const [first] = openIds(harness)
    harness.done(first ?? '', sent('slow'))
    // Suspect: no new call while others are open.
    expect(openIds(harness)).toHaveLength(4)
  })

  it('a refusal for too many requests lowers them without making the endpoint suspect', () => {
    const harness = withEndpoint({ max_concurrent: 8 })
    deliverMany(harness, 40)
    for (let round = 0; round < 3; round++) for (const id of openIds(harness)) harness.done(id, sent('ok'))
    expect(openIds(harness)).toHaveLength(8)
    for (const id of openIds(harness).slice(0, 5)) harness.done(id, sent('throttled'))
    expect(openIds(harness)).toHaveLength(4)
    expect(harness.calls().at(-1)?.intent.pool).toBe('webhook')
  })

  it('an endpoint that times out has one call from the pool of its like, until it answers', () => {
    const harness = withEndpoint({ max_concurrent: 4 })
    deliverMany(harness, 6)
    harness.done('d0#1', sent('slow'))
    harness.done('d1#1', sent('slow'))
    expect(harness.calls().map(({ intent }) => [intent.id, intent.pool])).toEqual([
      ['d2#1', 'webhook.suspect'],
    ])
    harness.restart()
    harness.done('d2#1', sent('broken'))
    expect(new Set(harness.calls().map(({ intent }) => intent.pool))).toEqual(new Set(['webhook']))
  })
})

describe('a rate', () => {
  it('spaces the calls of its endpoint, and delays no attempt beyond its turn', () => {
    const harness = withEndpoint({ rate_per_second: 2, max_concurrent: 10 })
    deliverMany(harness, 3)
    expect(openIds(harness)).toEqual(['d0#1'])
    harness.advance(450)
    expect(openIds(harness)).toEqual(['d0#1'])
    harness.advance(100)
    expect(openIds(harness)).toEqual(['d0#1', 'd1#1'])
  })
})

describe('the circuit breaker of an endpoint', () => {
  it('holds everything back after ten failures in a row, and uses up no attempt of what waits', () => {
    const harness = withEndpoint()
    deliverMany(harness, 20)
    breakDown(harness)
    const attempted = harness.history().filter(({ change }) => change === 'ATTEMPTED')
    // One more was open when the tenth failed.
    expect(attempted).toHaveLength(11)
    expect(harness.history().find(({ change }) => change === 'BREAKER_OPENED')).toMatchObject({
      endpoint_id: 'e1',
      delivery_id: '',
      reason: 'http_5xx',
      next_due_at: harness.now() + 5_000,
    })
    expect(harness.state('d15')).toMatchObject({ phase: 'queued', requests: 0, attempts: 0 })
    harness.jump(4_000)
    expect(openIds(harness)).toEqual([])
  })

  it('probes with the oldest that is queued, and opens for longer when that fails too', () => {
    const harness = withEndpoint()
    deliverMany(harness, 20)
    breakDown(harness)
    harness.command(command('RETRY_NOW', { delivery_id: 'd19' }))
    harness.jump(5_000)
    expect(openIds(harness)).toEqual(['d11#1'])
    harness.done('d11#1', sent('broken'))
    harness.jump(9_000)
    expect(openIds(harness)).toEqual([])
    harness.jump(1_000)
    expect(openIds(harness)).toEqual(['d12#1'])
  })

  it('closes with the first success, also over a restart, and what waited goes out', () => {
    const harness = withEndpoint()
    deliverMany(harness, 20)
    breakDown(harness)
    harness.restart()
    expect(openIds(harness)).toEqual([])
    harness.jump(5_000)
    harness.done('d11#1', sent('ok'))
    expect(harness.history().some(({ change }) => change === 'BREAKER_CLOSED')).toBe(true)
    expect(openIds(harness).length).toBeGreaterThan(1)
  })

  it('a person may have it probed at once', () => {
    const harness = withEndpoint()
    deliverMany(harness, 20)
    breakDown(harness)
    harness.command(command('PROBE', { delivery_id: null }))
    expect(openIds(harness)).toEqual(['d11#1'])
    harness.command(command('PROBE', { delivery_id: null }))
    expect(harness.counts.get('deliver_commands{kind=PROBE,answer=nothing_to_probe}')).toBe(1)
  })

  it('our own faults neither open it nor use up a retry', () => {
    const harness = withEndpoint()
    harness.deliver(delivery())
    for (let call = 1; call <= 12; call++) {
      harness.done(`d1#${call}`, sent('proxy'))
      expect(harness.history('d1').at(-1)).toMatchObject({
        retry_count: 0,
        next_due_at: harness.now() + 30_000,
      })
      harness.jump(30_000)
      harness.releaseTickets()
    }
    expect(harness.calls()[0]?.intent.request).toMatchObject({
      trigger: 'FIRST',
      retry_count: 0,
      attempt_no: 13,
    })
    harness.done('d1#13', sent('broken'))
    expect(harness.state('d1')).toMatchObject({ phase: 'in_tier', requests: 1, tier: 1 })
  })

  it('an endpoint that fails for too long is disabled, and told why', () => {
    const harness = withEndpoint({}, { deliver: { times: { failingMaxMs: 30_000 } } })
    harness.deliver(delivery())
    harness.done('d1#1', sent('broken'))
    harness.jump(30_000)
    harness.releaseTickets()
    harness.done('d1#2', sent('broken'))
    expect(harness.history('d1').slice(-2)).toMatchObject([
      { change: 'AUTO_DISABLED', reason: 'long_failure' },
      { change: 'ATTEMPTED', state: 'skipped', reason: 'endpoint_auto_disabled' },
    ])
    harness.command(command('ENABLE', { delivery_id: null }))
    expect(harness.history().at(-1)).toMatchObject({ change: 'ENABLED' })
  })
})

describe('what the receiver asks for', () => {
  it('a wait of three minutes skips the tiers that are shorter, and those count as used', () => {
    const harness = withEndpoint()
    harness.deliver(delivery())
    harness.done('d1#1', sent('throttled'))
    expect(harness.tickets()).toMatchObject([{ dueAt: harness.now() + 480_000, ticket: { retry: 3 } }])
    expect(harness.history('d1').at(-1)).toMatchObject({
      retry_count: 2,
      next_due_at: harness.now() + 480_000,
      attempt: { retry_after_ms: 180_000 },
    })
    harness.jump(480_000)
    harness.releaseTickets()
    harness.done('d1#2', sent('broken'))
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'dead', retry_count: 3 })
  })

  it('an address that may not be called is not tried again', () => {
    const harness = withEndpoint()
    harness.deliver(delivery())
    harness.done('d1#1', sent('blocked'))
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'dead', reason: 'blocked_address' })
    expect(harness.tickets()).toEqual([])
  })
})

describe('jitter', () => {
  const jitterMs = (): number => 2_000

  it('holds a released retry until its told time, also over a restart', () => {
    const harness = withEndpoint({}, { rules: { jitterMs } })
    harness.deliver(delivery())
    harness.done('d1#1', sent('broken'))
    expect(harness.history('d1').at(-1)?.next_due_at).toBe(harness.now() + 32_000)
    harness.jump(30_000)
    harness.releaseTickets()
    expect(openIds(harness)).toEqual([])
    harness.restart()
    harness.advance(1_999)
    expect(openIds(harness)).toEqual([])
    harness.advance(1 + 50)
    expect(openIds(harness)).toEqual(['d1#2'])
  })

  it('does not hold what a person wants now', () => {
    const harness = withEndpoint({}, { rules: { jitterMs } })
    harness.deliver(delivery())
    harness.done('d1#1', sent('broken'))
    harness.jump(30_000)
    harness.releaseTickets()
    harness.command(command('RETRY_NOW'))
    expect(openIds(harness)).toEqual(['d1#2'])
    harness.done('d1#2', sent('broken'))
    harness.advance(2_100)
    expect(openIds(harness)).toEqual([])
  })
})
