import { describe, expect, it } from 'vitest'
import { command, delivery, endpoint, partner, sent } from './testing/builders.ts'
import { type Harness, type HarnessOptions, makeHarness } from './testing/harness.ts'

const dayMs = 24 * 3600 * 1000

const withPartner = (options: HarnessOptions = {}, changes = {}): Harness => {
  const harness = makeHarness(options)
  harness.partners.set('p1', partner({ endpoints: [endpoint(changes)] }))
  return harness
}

describe('repeats', () => {
  it('a delivery that is waiting, delivered, dead or skipped is dropped when it comes again, and counted', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.deliver(delivery())
    harness.done('d1#1', sent('ok'))
    harness.deliver(delivery())
    harness.restart()
    harness.deliver(delivery())
    harness.deliver(delivery({ delivery_id: 'cancelled' }))
    harness.command(command('CANCEL', { delivery_id: 'cancelled' }))
    harness.deliver(delivery({ delivery_id: 'cancelled' }))
    expect(harness.counts.get('deliver_repeats')).toBe(4)
    expect(harness.counts.get('deliver_accepted')).toBe(2)
    expect(harness.calls()).toEqual([])
  })
})

describe('forgetting', () => {
  it('a delivered pair is remembered for 7 days after it settled, and then leaves nothing behind', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.jump(3600_000)
    harness.done('d1#1', sent('ok'))
    harness.jump(7 * dayMs - 1)
    harness.deliver(delivery())
    expect(harness.counts.get('deliver_repeats')).toBe(1)
    harness.jump(1)
    for (const name of ['bodies', 'states', 'remembered', 'expiries'] as const) {
      expect(harness.keys(name)).toEqual([])
    }
  })

  it('a dead or skipped one can be redriven for 7 days; then it is gone', () => {
    const harness = withPartner({}, { state: 'DISABLED' })
    harness.deliver(delivery())
    harness.deliver(delivery({ delivery_id: 'other' }))
    harness.jump(7 * dayMs - 1)
    expect(harness.keys('bodies')).toEqual(['d1', 'other'])
    harness.command(command('REDRIVE', { delivery_id: 'other' }))
    harness.jump(1)
    // Skipped anew by its redrive, and so kept for 7 days more.
    expect(harness.keys('bodies')).toEqual(['other'])
    expect(harness.counts.get('deliver_forgotten')).toBe(1)
    harness.command(command('REDRIVE'))
    expect(harness.counts.get('deliver_commands{kind=REDRIVE,answer=gone}')).toBe(1)
    expect(harness.history('d1')).toHaveLength(2)
  })

  it('with a shorter time for redrives the pair is still remembered', () => {
    const harness = withPartner({ deliver: { times: { redrivableMs: dayMs } } }, { state: 'DISABLED' })
    harness.deliver(delivery())
    harness.jump(dayMs)
    expect(harness.keys('bodies')).toEqual([])
    harness.jump(6 * dayMs)
    harness.deliver(delivery())
    expect(harness.counts.get('deliver_repeats')).toBe(1)
    expect(harness.history('d1')).toHaveLength(2)
  })

  it('a delivery redriven in time is not removed by the entry of its first death', () => {
    const harness = withPartner({}, { state: 'DISABLED' })
    harness.deliver(delivery())
    harness.jump(6 * dayMs)
    harness.partners.set('p1', partner({ version: 2 }))
    harness.command(command('REDRIVE'))
    harness.jump(dayMs)
    expect(harness.state('d1')?.phase).toBe('in_flight')
    harness.done('d1#1', sent('ok'))
  })

  it('entries are forgotten in slices and across restarts, all of them', () => {
    const harness = withPartner({}, { max_concurrent: 10_000 })
    for (let i = 0; i < 2500; i++) harness.deliver(delivery({ delivery_id: `d${i}` }))
    for (let i = 0; i < 2500; i++) harness.done(`d${i}#1`, sent('ok'))
    harness.jump(7 * dayMs)
    expect(harness.keys('remembered')).toHaveLength(500)
    harness.restart()
    harness.sweep()
    expect(harness.keys('remembered')).toEqual([])
    expect(harness.keys('expiries')).toEqual([])
  })
})
