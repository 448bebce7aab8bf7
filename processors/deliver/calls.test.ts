import { describe, expect, it } from 'vitest'
import { command, delivery, endpoint, otp, partner, sent, startMs } from './testing/builders.ts'
import { type Harness, makeHarness } from './testing/harness.ts'

const withPartner = (changes = {}): Harness => {
  const harness = makeHarness()
  harness.partners.set('p1', partner({ endpoints: [endpoint(changes)] }))
  return harness
}

const openIds = (harness: Harness): string[] => harness.calls().map((call) => call.intent.id)

describe('calls of an endpoint', () => {
  it('an accepted delivery is called at once, and an acknowledgement settles it', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    expect(harness.calls().map((call) => call.intent)).toEqual([
      {
        id: 'd1#1',
        key: 'e1',
        pool: 'webhook',
        priority: 0,
        notAfter: startMs + 24 * 3600 * 1000,
        request: {
          delivery_id: 'd1',
          endpoint_id: 'e1',
          partner_id: 'p1',
          attempt_no: 1,
          retry_count: 0,
          trigger: 'FIRST',
          first_attempted_at: null,
        },
      },
    ])
    harness.done('d1#1', sent('ok'))
    expect(harness.history('d1').map(({ change, state, version }) => [change, state, version])).toEqual([
      ['ACCEPTED', 'waiting', 1],
      ['ATTEMPTED', 'delivered', 2],
    ])
    expect(harness.state('d1')).toBeUndefined()
    expect(harness.keys('bodies')).toEqual([])
  })

  it('only as many calls are open as the endpoint has credits, and each outcome makes room for one', () => {
    const harness = withPartner({ max_concurrent: 2 })
    for (const id of ['a', 'b', 'c', 'd']) harness.deliver(delivery({ delivery_id: id }))
    expect(openIds(harness)).toEqual(['a#1', 'b#1'])
    harness.done('b#1', sent('ok'))
    expect(openIds(harness)).toEqual(['a#1', 'c#1'])
    harness.done('a#1', sent('broken'))
    expect(openIds(harness)).toEqual(['c#1', 'd#1'])
  })

  it('a lowered number of credits lets open calls end and starts no new ones until they have', () => {
    const harness = withPartner({ max_concurrent: 2 })
    for (const id of ['a', 'b', 'c']) harness.deliver(delivery({ delivery_id: id }))
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ max_concurrent: 1 })] }))
    harness.done('a#1', sent('ok'))
    expect(openIds(harness)).toEqual(['b#1'])
    harness.done('b#1', sent('ok'))
    expect(openIds(harness)).toEqual(['c#1'])
  })

  it('endpoints do not take credits from each other', () => {
    const harness = makeHarness()
    harness.partners.set(
      'p1',
      partner({
        endpoints: [endpoint({ max_concurrent: 1 }), endpoint({ endpoint_id: 'e2', max_concurrent: 1 })],
      }),
    )
    harness.deliver(delivery({ delivery_id: 'a' }))
    harness.deliver(delivery({ delivery_id: 'b' }))
    harness.deliver(delivery({ delivery_id: 'c', endpoint_id: 'e2' }))
    expect(openIds(harness)).toEqual(['a#1', 'c#1'])
  })

  it('fresh ones go before retries, but every eighth place is a retry’s', () => {
    const harness = withPartner({ max_concurrent: 1 })
    harness.deliver(delivery({ delivery_id: 'failed' }))
    harness.done('failed#1', sent('broken'))
    harness.deliver(delivery({ delivery_id: 'f0' }))
    for (let i = 1; i < 20; i++) harness.deliver(delivery({ delivery_id: `f${i}` }))
    harness.jump(30_000)
    harness.releaseTickets()
    const order: string[] = []
    while (order.length < 12) {
      const [id] = openIds(harness)
      if (id === undefined) break
      order.push(id)
      harness.done(id, sent('ok'))
    }
    // f0 was in flight before the retry came due.
    expect(order.indexOf('failed#2')).toBe(8)
  })

  it('a call that made no request uses up no attempt and keeps its place', () => {
    const harness = withPartner({ max_concurrent: 1 })
    harness.deliver(delivery({ delivery_id: 'a' }))
    harness.deliver(delivery({ delivery_id: 'b' }))
    harness.done('a#1', { kind: 'not_sent', reason: 'endpoint_paused' })
    expect(openIds(harness)).toEqual([])
    expect(harness.state('a')).toMatchObject({ phase: 'queued', requests: 0, attempts: 0 })
    harness.restart()
    expect(openIds(harness)).toEqual(['a#2'])
    harness.done('a#2', sent('broken'))
    expect(harness.history('a').at(-1)).toMatchObject({ change: 'ATTEMPTED', retry_count: 0 })
  })

  it('a call that expired is skipped as too old, because its turn is decided anew', () => {
    const harness = withPartner()
    harness.deliver(delivery({ event: 'out_for_delivery' }))
    harness.jump(30 * 60_000)
    harness.finish('d1#1', { kind: 'expired' })
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'SKIPPED',
      state: 'skipped',
      reason: 'too_old',
      retry_count: 0,
    })
  })

  it('a call that expired is called again when the endpoint allows more age by now', () => {
    const harness = withPartner()
    harness.deliver(delivery({ event: 'out_for_delivery' }))
    const patient = endpoint({ max_age_ms: { out_for_delivery: 3600_000 } })
    harness.partners.set('p1', partner({ version: 2, endpoints: [patient] }))
    harness.jump(30 * 60_000)
    harness.finish('d1#1', { kind: 'expired' })
    expect(harness.calls().map(({ intent }) => [intent.id, intent.notAfter])).toEqual([
      ['d1#2', startMs + 3600_000],
    ])
  })

  it('a handler that failed counts as a failed request with an id of its own', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.finish('d1#1', { kind: 'handler_failed', message: 'key k2 is missing', starts: 2 })
    expect(harness.history('d1').at(-1)).toMatchObject({
      state: 'waiting',
      attempt: {
        outcome: { class: 'handler_failed', detail: 'key k2 is missing', status_code: null },
        again: true,
      },
    })
    expect(harness.history('d1').at(-1)?.attempt?.attempt_id).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('a result for a delivery that does not wait for it is a bug and says so', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    const [call] = harness.calls()
    harness.done('d1#1', sent('ok'))
    if (!call) throw new Error('no call')
    expect(() => harness.result(call.intent, { kind: 'expired' })).toThrow(
      'call d1#1 came back for a delivery that does not wait for it',
    )
  })

  it('a record under a key of another endpoint is refused', () => {
    const harness = withPartner()
    harness.deliver(delivery(), 'e2')
    harness.command(command('ENABLE'), 'e2')
    harness.ticket({ delivery_id: 'd1', endpoint_id: 'e1', generation: 0, retry: 1 }, 'e2')
    expect(harness.rejected).toEqual(['key_mismatch', 'key_mismatch', 'key_mismatch'])
    expect(harness.history()).toEqual([])
  })

  it('no store and no history holds the one-time password in clear', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.done('d1#1', sent('broken'))
    const text = Buffer.concat(harness.bytes()).toString('latin1') + JSON.stringify(harness.history())
    expect(harness.history('d1')[0]?.payload).toContain('"order_id":"1101"')
    expect(text).not.toContain(otp)
  })

  it('a long queue of a disabled endpoint is skipped in slices, all of it', () => {
    const harness = withPartner({ state: 'PAUSED' })
    for (let i = 0; i < 600; i++) harness.deliver(delivery({ delivery_id: `d${i}` }))
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ state: 'DISABLED' })] }))
    harness.sweep()
    const skipped = harness.history().filter((entry) => entry.change === 'SKIPPED')
    expect(skipped).toHaveLength(600)
    expect([...harness.states().values()].every((status) => status.phase === 'skipped')).toBe(true)
  })
})
