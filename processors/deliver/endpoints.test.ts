import { describe, expect, it } from 'vitest'
import { command, delivery, endpoint, partner, sent } from './testing/builders.ts'
import { type Harness, makeHarness } from './testing/harness.ts'

const withPartner = (changes = {}): Harness => {
  const harness = makeHarness()
  harness.partners.set('p1', partner({ endpoints: [endpoint(changes)] }))
  return harness
}

const openIds = (harness: Harness): string[] => harness.calls().map((call) => call.intent.id)

describe('a paused endpoint', () => {
  it('keeps its deliveries waiting, and a sweep finds them when it is active again', () => {
    const harness = withPartner({ state: 'PAUSED' })
    harness.deliver(delivery({ delivery_id: 'a' }))
    harness.deliver(delivery({ delivery_id: 'b' }))
    harness.jump(3600_000)
    expect(openIds(harness)).toEqual([])
    expect([...harness.states().values()].map((status) => status.phase)).toEqual(['queued', 'queued'])
    harness.partners.set('p1', partner({ version: 2 }))
    harness.sweep()
    expect(openIds(harness)).toEqual(['a#1', 'b#1'])
  })

  it('lets the call in flight end; a failure goes into its tier', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ state: 'PAUSED' })] }))
    harness.done('d1#1', sent('broken'))
    expect(harness.state('d1')?.phase).toBe('in_tier')
    harness.jump(30_000)
    harness.releaseTickets()
    expect(harness.state('d1')).toMatchObject({ phase: 'queued', requests: 1 })
  })

  it('skips what is too old when it is active again', () => {
    const harness = withPartner({ state: 'PAUSED' })
    harness.deliver(delivery({ event: 'out_for_delivery' }))
    harness.jump(3600_000)
    harness.partners.set('p1', partner({ version: 2 }))
    harness.sweep()
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'skipped', reason: 'too_old' })
  })
})

describe('a delivery that a person asked for', () => {
  it('is called however old its event is, and says that it was asked for', () => {
    const harness = withPartner()
    harness.jump(30 * 24 * 3600_000)
    harness.deliver(delivery({ event: 'out_for_delivery', by_hand: true }))
    harness.deliver(delivery({ delivery_id: 'd2', event: 'out_for_delivery' }))
    expect(harness.calls().map(({ intent: { request } }) => [request.delivery_id, request.trigger])).toEqual([
      ['d1', 'MANUAL'],
    ])
    expect(harness.history('d2').at(-1)).toMatchObject({ state: 'skipped', reason: 'too_old' })
  })
})

describe('a disabled or missing endpoint', () => {
  it('has its deliveries skipped and kept, redrivable once it is back', () => {
    const harness = withPartner({ state: 'DISABLED' })
    harness.deliver(delivery())
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'SKIPPED',
      state: 'skipped',
      reason: 'endpoint_disabled',
    })
    expect(harness.keys('bodies')).toEqual(['d1'])
    harness.partners.set('p1', partner({ version: 2 }))
    harness.sweep()
    expect(openIds(harness)).toEqual([])
    harness.command(command('REDRIVE'))
    expect(openIds(harness)).toEqual(['d1#1'])
  })

  it('gets no ticket after a failure of the call in flight', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.partners.set('p1', partner({ version: 2, endpoints: [] }))
    harness.done('d1#1', sent('broken'))
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'skipped', reason: 'endpoint_gone' })
    expect(harness.tickets()).toEqual([])
  })

  it('is gone when its partner has a config without it', () => {
    const harness = makeHarness()
    harness.partners.set('p1', partner({ endpoints: [endpoint({ endpoint_id: 'other' })] }))
    harness.deliver(delivery())
    expect(harness.history('d1').at(-1)).toMatchObject({ reason: 'endpoint_gone' })
  })

  it('is gone when its partner is unknown for a minute, not earlier', () => {
    const harness = makeHarness()
    harness.deliver(delivery())
    harness.jump(59_999)
    expect(harness.state('d1')?.phase).toBe('queued')
    harness.jump(1)
    expect(harness.history('d1').at(-1)).toMatchObject({ reason: 'endpoint_gone' })
  })
})

describe('the config version', () => {
  it('a delivery is not sent, and not skipped either, under an older config than the one that routed it', () => {
    const harness = withPartner({ state: 'DISABLED' })
    harness.deliver(delivery({ config_version: 2 }))
    harness.jump(60_000)
    expect(harness.state('d1')?.phase).toBe('queued')
    harness.partners.set('p1', partner({ version: 2 }))
    harness.sweep()
    expect(openIds(harness)).toEqual(['d1#1'])
  })

  it('a config that never comes does not hold it for ever', () => {
    const harness = withPartner()
    harness.deliver(delivery({ config_version: 2 }))
    harness.jump(24 * 3600_000)
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'skipped', reason: 'too_old' })
  })
})

describe('an endpoint that answers 410', () => {
  const gone = (): Harness => {
    const harness = withPartner({ max_concurrent: 1 })
    harness.deliver(delivery())
    harness.deliver(delivery({ delivery_id: 'queued' }))
    harness.done('d1#1', sent('gone'))
    return harness
  }

  it('is disabled by the system: what is queued and what comes is skipped and kept', () => {
    const harness = gone()
    harness.deliver(delivery({ delivery_id: 'later' }))
    expect(
      harness
        .history()
        .filter(({ change }) => change !== 'ACCEPTED')
        .map(({ delivery_id, change, state, reason }) => [delivery_id, change, state, reason]),
    ).toEqual([
      ['d1', 'AUTO_DISABLED', 'waiting', 'http_410'],
      ['d1', 'ATTEMPTED', 'skipped', 'endpoint_auto_disabled'],
      ['queued', 'SKIPPED', 'skipped', 'endpoint_auto_disabled'],
      ['later', 'SKIPPED', 'skipped', 'endpoint_auto_disabled'],
    ])
    expect(harness.history('d1').map(({ version }) => version)).toEqual([1, 2, 3])
    expect(harness.counts.get('deliver_auto_disabled')).toBe(1)
  })

  it('stays so over a restart and a new config, until the command enable', () => {
    const harness = gone()
    harness.restart()
    harness.partners.set('p1', partner({ version: 2 }))
    harness.deliver(delivery({ delivery_id: 'still' }))
    expect(harness.state('still')).toMatchObject({ reason: 'endpoint_auto_disabled' })
    harness.command(command('ENABLE', { delivery_id: null }))
    expect(harness.history().at(-1)).toMatchObject({
      change: 'ENABLED',
      endpoint_id: 'e1',
      partner_id: 'p1',
      delivery_id: '',
      version: 2,
    })
    harness.deliver(delivery({ delivery_id: 'again' }))
    expect(openIds(harness)).toEqual(['again#1'])
    expect(harness.state('still')?.phase).toBe('skipped')
    harness.command(command('ENABLE', { delivery_id: null }))
    expect(harness.counts.get('deliver_commands{kind=ENABLE,answer=nothing_to_enable}')).toBe(1)
  })

  it('is not enabled against the partner’s own word', () => {
    const harness = gone()
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ state: 'DISABLED' })] }))
    harness.command(command('ENABLE', { delivery_id: null }))
    harness.deliver(delivery({ delivery_id: 'again' }))
    expect(harness.state('again')).toMatchObject({ reason: 'endpoint_disabled' })
  })
})
