import { describe, expect, it } from 'vitest'
import { type DeliveryCommand, type Endpoint, testOrderPrefix } from '../../schemas/index.ts'
import { command, delivery, endpoint, partner, sent, startMs } from './testing/builders.ts'
import { type Harness, makeHarness } from './testing/harness.ts'

const minuteMs = 60_000

const withEndpoint = (changes: Partial<Endpoint> = {}): Harness => {
  // What is given up for a redrive must not open the breaker.
  const harness = makeHarness({ deliver: { breaker: { opensAt: 1000 } } })
  harness.partners.set('p1', partner({ endpoints: [endpoint({ max_concurrent: 1000, ...changes })] }))
  return harness
}

const openIds = (harness: Harness): string[] => harness.calls().map((call) => call.intent.id)

/** Deliveries that nobody tries again by themselves. */
const giveUp = (harness: Harness, ids: readonly string[], changes = {}): void => {
  for (const delivery_id of ids) {
    harness.deliver(delivery({ delivery_id, occurred_at: harness.now(), ...changes }))
    harness.done(`${delivery_id}#1`, sent('blocked'))
  }
}

const redrive = (harness: Harness, changes: Partial<DeliveryCommand> = {}): string => {
  const asked = command('REDRIVE_MATCHING', { delivery_id: null, ...changes })
  harness.command(asked)
  return asked.command_id
}

/** Time passes in small steps, and what is called is acknowledged. */
const pass = (harness: Harness, ms: number): void => {
  for (let passed = 0; passed < ms; passed += 25) {
    harness.advance(25)
    for (const id of openIds(harness)) harness.done(id, sent('ok'))
  }
  harness.sweep()
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `d${index}`)

describe('a redrive of many', () => {
  it('sends again all that the endpoint missed, the same bytes, at its pace, and tells how far it is', () => {
    const harness = withEndpoint()
    giveUp(harness, ids(50))
    const id = redrive(harness, { per_second: 20 })
    pass(harness, 1000)
    const halfway = harness.redrives().get(id)
    expect(halfway).toMatchObject({ phase: 'SEARCHING', to_look_at: 50 })
    expect(halfway?.redriven).toBeGreaterThanOrEqual(18)
    expect(halfway?.redriven).toBeLessThanOrEqual(21)
    pass(harness, 2000)
    expect(harness.redrives().get(id)).toMatchObject({
      phase: 'FINISHED',
      looked_at: 50,
      redriven: 50,
      delivered: 50,
      ended_at: expect.any(Number),
    })
    expect(harness.history('d7').slice(-2)).toMatchObject([
      { change: 'REDRIVEN', redrive_id: id, by_hand: true },
      { change: 'ATTEMPTED', state: 'delivered', redrive_id: id },
    ])
  })

  it.each([0.3, 3, 3.7, 4.9, 7, 30])('keeps a pace of %s a second', (per_second) => {
    const harness = withEndpoint()
    giveUp(harness, ids(700))
    const id = redrive(harness, { per_second })
    const seconds = 20
    pass(harness, seconds * 1000)
    const redriven = harness.redrives().get(id)?.redriven
    expect(redriven).toBeGreaterThanOrEqual(Math.floor(per_second * seconds) - 1)
    expect(redriven).toBeLessThanOrEqual(per_second * seconds + 1)
  })

  // A hundred slow redrives woke their tasks 4,000 times a second, and stored each time that nothing had happened.
  it('sleeps until it may send the next', () => {
    const harness = withEndpoint()
    giveUp(harness, ids(100))
    const id = redrive(harness, { per_second: 3 })
    const until = harness.now() + 20_000
    let wakes = 0
    for (let at = harness.wakeAt(); at !== undefined && at <= until; at = harness.wakeAt()) {
      harness.advance(at - harness.now())
      wakes++
      for (const open of openIds(harness)) harness.done(open, sent('ok'))
    }
    harness.sweep()
    expect(harness.redrives().get(id)?.redriven).toBeGreaterThanOrEqual(59)
    expect(wakes).toBeLessThan(100)
  })

  it('takes what its filter says', () => {
    const harness = withEndpoint()
    giveUp(harness, ['old'])
    harness.jump(minuteMs)
    giveUp(harness, ['out'], { event: 'out_for_delivery' })
    giveUp(harness, ['new'])
    harness.deliver(delivery({ delivery_id: 'cancelled', occurred_at: harness.now() }))
    harness.command(command('CANCEL', { delivery_id: 'cancelled' }))
    const taken = (filter: Partial<NonNullable<DeliveryCommand['filter']>>): string[] => {
      redrive(harness, { filter: { event: null, since: null, until: null, outcomes: [], ...filter } })
      harness.advance(1000)
      const called = new Set<string>()
      for (let open = openIds(harness); open.length > 0; open = openIds(harness)) {
        for (const id of open) {
          called.add(id.split('#')[0] ?? '')
          harness.done(id, sent('blocked'))
        }
      }
      harness.jump(1000)
      return [...called].sort()
    }
    expect(taken({ event: 'out_for_delivery' })).toEqual(['out'])
    expect(taken({ since: startMs + minuteMs })).toEqual(['new', 'out'])
    expect(taken({ until: startMs + minuteMs })).toEqual(['old'])
    expect(taken({ outcomes: ['cancelled'] })).toEqual(['cancelled'])
    expect(taken({ outcomes: ['http_5xx'] })).toEqual([])
    expect(taken({ outcomes: ['blocked_address'], event: 'delivered' })).toEqual(['cancelled', 'new', 'old'])
  })

  it('goes on where the task opens anew, and counts nothing twice', () => {
    const harness = withEndpoint()
    giveUp(harness, ids(40))
    const id = redrive(harness, { per_second: 20 })
    harness.commit()
    pass(harness, 500)
    harness.abort()
    pass(harness, 700)
    harness.restart()
    pass(harness, 3000)
    expect(harness.redrives().get(id)).toMatchObject({ phase: 'FINISHED', redriven: 40, delivered: 40 })
  })

  it('takes each delivery once, also those that die again meanwhile', () => {
    const harness = withEndpoint()
    giveUp(harness, ids(5))
    const id = redrive(harness)
    for (let step = 0; step < 40; step++) {
      harness.advance(25)
      for (const call of openIds(harness)) harness.done(call, sent('blocked'))
    }
    harness.sweep()
    expect(harness.redrives().get(id)).toMatchObject({ phase: 'FINISHED', redriven: 5, dead: 5 })
  })

  it('can be stopped', () => {
    const harness = withEndpoint()
    giveUp(harness, ids(40))
    const id = redrive(harness, { per_second: 10 })
    pass(harness, 1000)
    harness.command(command('STOP_REDRIVE', { delivery_id: null, redrive_id: id }))
    pass(harness, 5000)
    const stopped = harness.redrives().get(id)
    expect(stopped?.phase).toBe('STOPPED')
    expect(stopped?.redriven).toBeLessThan(12)
    harness.command(command('STOP_REDRIVE', { delivery_id: null, redrive_id: id }))
    expect(harness.counts.get('deliver_commands{kind=STOP_REDRIVE,answer=nothing_to_stop}')).toBe(1)
  })

  it('leaves what is too old where it is, if it is told to', () => {
    const harness = withEndpoint()
    giveUp(harness, ['out'], { event: 'out_for_delivery' })
    giveUp(harness, ['done'])
    harness.jump(31 * minuteMs)
    const id = redrive(harness, { within_max_age: true })
    pass(harness, 1000)
    expect(harness.redrives().get(id)).toMatchObject({ redriven: 1, delivered: 1, left_too_old: 1 })
    expect(harness.state('out')).toMatchObject({ phase: 'dead' })
  })

  it('leaves what would come late under strict order, unless it is confirmed', () => {
    const harness = withEndpoint({ strict_order: true })
    giveUp(harness, ['a1'], { order_id: 'A', order_sequence: 1 })
    harness.deliver(delivery({ delivery_id: 'a2', order_id: 'A', order_sequence: 2 }))
    harness.done('a2#1', sent('ok'))
    const refused = redrive(harness)
    pass(harness, 500)
    expect(harness.redrives().get(refused)).toMatchObject({ redriven: 0, left_out_of_order: 1 })
    const confirmed = redrive(harness, { confirm_out_of_order: true })
    pass(harness, 500)
    expect(harness.redrives().get(confirmed)).toMatchObject({ delivered: 1 })
    expect(harness.history('a1').at(-1)).toMatchObject({ state: 'delivered', out_of_order: true })
  })

  it('is forgotten a week after it ended', () => {
    const harness = withEndpoint()
    const id = redrive(harness)
    pass(harness, 100)
    expect(harness.redrives().get(id)?.phase).toBe('FINISHED')
    harness.jump(7 * 24 * 60 * minuteMs)
    expect(harness.redrives().has(id)).toBe(false)
    expect(harness.keys('redrives')).toEqual([])
  })
})

describe('an endpoint that opts in', () => {
  const brokenDown = (changes: Partial<Endpoint> = {}): Harness => {
    const harness = makeHarness({ deliver: { breaker: { opensAt: 4 } } })
    harness.partners.set('p1', partner({ endpoints: [endpoint({ auto_redrive: true, ...changes })] }))
    giveUp(harness, ids(4))
    return harness
  }

  it('gets what it missed by itself when it answers again', () => {
    const harness = brokenDown()
    harness.deliver(delivery({ delivery_id: 'probe', occurred_at: harness.now() }))
    harness.jump(5000)
    harness.done('probe#1', sent('ok'))
    pass(harness, 1000)
    const [progress] = harness.redrives().values()
    expect(progress).toMatchObject({ automatic: true, phase: 'FINISHED', redriven: 4, delivered: 4 })
    expect(harness.history('d0').at(-1)).toMatchObject({ state: 'delivered', by_hand: false })
  })

  it('gets nothing that is too old: it stays dead and listed', () => {
    const harness = brokenDown()
    harness.jump(24 * 60 * minuteMs)
    harness.deliver(delivery({ delivery_id: 'probe', occurred_at: harness.now() }))
    harness.done('probe#1', sent('ok'))
    pass(harness, 1000)
    const finished = [...harness.redrives().values()].at(-1)
    expect(finished).toMatchObject({ redriven: 0, left_too_old: 4 })
    expect(harness.state('d0')?.phase).toBe('dead')
  })

  it('is probed with one of them when nothing new comes, and gets the rest when that is taken', () => {
    const harness = brokenDown()
    harness.jump(minuteMs)
    harness.advance(25)
    expect(openIds(harness)).toHaveLength(1)
    pass(harness, 2000)
    expect(ids(4).map((id) => harness.history(id).at(-1)?.state)).toEqual(Array(4).fill('delivered'))
  })

  it('one that did not opt in gets nothing by itself', () => {
    const harness = brokenDown({ auto_redrive: false })
    harness.deliver(delivery({ delivery_id: 'probe', occurred_at: harness.now() }))
    harness.jump(5000)
    harness.done('probe#1', sent('ok'))
    pass(harness, 2 * minuteMs)
    expect(harness.redrives().size).toBe(0)
  })
})

describe('a test event', () => {
  it('is sent once, as a test, and is dead when that fails', () => {
    const harness = withEndpoint()
    const { body } = delivery()
    const test = {
      delivery_id: 't1',
      event_id: 'test-event',
      partner_id: 'p1',
      order_id: `${testOrderPrefix}1`,
      event: 'delivered',
      payload_version: 'v2',
      config_version: 1,
      body,
    }
    harness.command(command('TEST', { delivery_id: null, test }))
    expect(harness.calls()[0]?.intent.request).toMatchObject({ delivery_id: 't1', trigger: 'TEST' })
    harness.done('t1#1', sent('broken'))
    expect(harness.history('t1').at(-1)).toMatchObject({ state: 'dead', reason: 'http_5xx' })
    expect(harness.dead()).toEqual([])
    redrive(harness)
    pass(harness, 500)
    expect(harness.history('t1').at(-1)).toMatchObject({ state: 'dead' })
    // By hand it is sent again; a redrive of many leaves it out even then.
    harness.command(command('REDRIVE', { delivery_id: 't1' }))
    harness.done('t1#2', sent('blocked'))
    const ended = harness.history('t1').at(-1)
    redrive(harness)
    pass(harness, 500)
    expect(harness.history('t1').at(-1)).toEqual(ended)
    harness.command(command('TEST', { delivery_id: null }))
    expect(harness.rejected).toEqual(['command_without_test'])
  })
})
