import { describe, expect, it } from 'vitest'
import { command, delivery, endpoint, partner, sent } from './testing/builders.ts'
import { type Harness, makeHarness } from './testing/harness.ts'

const strict = (): Harness => {
  const harness = makeHarness()
  harness.partners.set('p1', partner({ endpoints: [endpoint({ strict_order: true, max_concurrent: 4 })] }))
  return harness
}

const openIds = (harness: Harness): string[] => harness.calls().map((call) => call.intent.id)

const event = (id: string, order_id: string, order_sequence: number) =>
  delivery({ delivery_id: id, order_id, order_sequence })

describe('strict order', () => {
  it('a later event waits until the earlier one is delivered; another order flows', () => {
    const harness = strict()
    harness.deliver(event('a1', 'A', 1))
    harness.deliver(event('a2', 'A', 2))
    harness.deliver(event('b1', 'B', 1))
    expect(openIds(harness)).toEqual(['a1#1', 'b1#1'])
    harness.jump(3_000)
    harness.done('a1#1', sent('ok'))
    expect(openIds(harness)).toEqual(['b1#1', 'a2#1'])
    harness.done('a2#1', sent('ok'))
    expect(harness.history('a2').at(-1)).toMatchObject({ waited_for_order_ms: 3_000, queued_ms: 3_000 })
  })

  it('it waits through the tiers of the earlier one, and where the task opens anew', () => {
    const harness = strict()
    harness.deliver(event('a1', 'A', 1))
    harness.deliver(event('a2', 'A', 2))
    harness.done('a1#1', sent('broken'))
    harness.restart()
    harness.jump(29_000)
    expect(openIds(harness)).toEqual([])
    harness.jump(1_000)
    harness.releaseTickets()
    expect(openIds(harness)).toEqual(['a1#2'])
    harness.done('a1#2', sent('ok'))
    expect(openIds(harness)).toEqual(['a2#1'])
  })

  it('one that is dead, skipped or cancelled lets its order go on', () => {
    const harness = strict()
    harness.deliver(event('a1', 'A', 1))
    harness.deliver(event('a2', 'A', 2))
    harness.deliver(event('a3', 'A', 3))
    harness.command(command('CANCEL', { delivery_id: 'a1' }))
    expect(openIds(harness)).toEqual(['a2#1'])
    harness.done('a2#1', sent('blocked'))
    expect(openIds(harness)).toEqual(['a3#1'])
  })

  it('a retry by hand of a later one waits its turn too', () => {
    const harness = strict()
    harness.deliver(event('a1', 'A', 1))
    harness.deliver(event('a2', 'A', 2))
    harness.command(command('RETRY_NOW', { delivery_id: 'a2' }))
    expect(openIds(harness)).toEqual(['a1#1'])
    harness.done('a1#1', sent('ok'))
    expect(harness.calls()[0]?.intent.request).toMatchObject({ delivery_id: 'a2', trigger: 'MANUAL' })
  })

  it('what waits goes out when the endpoint asks for order no more', () => {
    const harness = strict()
    harness.deliver(event('a1', 'A', 1))
    harness.deliver(event('a2', 'A', 2))
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ max_concurrent: 4 })] }))
    harness.sweep()
    expect(openIds(harness)).toEqual(['a1#1', 'a2#1'])
  })

  it('is kept for what came before the settings that ask for it', () => {
    const harness = makeHarness()
    harness.deliver({ ...event('a1', 'A', 1), config_version: 2 })
    harness.deliver({ ...event('a2', 'A', 2), config_version: 2 })
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ strict_order: true })] }))
    harness.sweep()
    expect(openIds(harness)).toEqual(['a1#1'])
  })

  describe('a redrive of an older event after a newer one was delivered', () => {
    const late = (): Harness => {
      const harness = strict()
      harness.deliver(event('a1', 'A', 1))
      harness.deliver(event('a2', 'A', 2))
      harness.command(command('CANCEL', { delivery_id: 'a1' }))
      harness.done('a2#1', sent('ok'))
      return harness
    }

    it('is refused, with the reason', () => {
      const harness = late()
      harness.restart()
      harness.command(command('REDRIVE', { delivery_id: 'a1' }))
      expect(openIds(harness)).toEqual([])
      expect(harness.history('a1').at(-1)).toMatchObject({
        change: 'REDRIVEN',
        state: 'skipped',
        reason: 'refused_out_of_order',
      })
    })

    it('is done when it is confirmed, and marked', () => {
      const harness = late()
      harness.command(command('REDRIVE', { delivery_id: 'a1', confirm_out_of_order: true }))
      harness.done('a1#2', sent('ok'))
      expect(harness.history('a1').slice(-2)).toMatchObject([
        { change: 'REDRIVEN', out_of_order: true },
        { change: 'ATTEMPTED', state: 'delivered', out_of_order: true },
      ])
    })

    it('goes first, and is in order, where the newer one still waits', () => {
      const harness = strict()
      harness.deliver(event('a1', 'A', 1))
      harness.command(command('CANCEL', { delivery_id: 'a1' }))
      harness.deliver(event('a2', 'A', 2))
      harness.done('a2#1', sent('broken'))
      harness.command(command('REDRIVE', { delivery_id: 'a1' }))
      expect(openIds(harness)).toEqual(['a1#2'])
      expect(harness.history('a1').at(-1)).toMatchObject({ change: 'REDRIVEN', out_of_order: false })
    })
  })
})
