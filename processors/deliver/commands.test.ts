import { describe, expect, it } from 'vitest'
import { command, delivery, endpoint, partner, sent } from './testing/builders.ts'
import { type Harness, makeHarness } from './testing/harness.ts'

const withPartner = (changes = {}): Harness => {
  const harness = makeHarness()
  harness.partners.set('p1', partner({ endpoints: [endpoint(changes)] }))
  return harness
}

/** d1 failed once and waits in the first tier. */
const inTier = (): Harness => {
  const harness = withPartner()
  harness.deliver(delivery())
  harness.done('d1#1', sent('broken'))
  return harness
}

/** d1 failed four times. */
const dead = (): Harness => {
  const harness = inTier()
  for (const waitMs of [30_000, 120_000, 480_000]) {
    harness.jump(waitMs)
    harness.releaseTickets()
    harness.done(harness.calls()[0]?.intent.id ?? '', sent('broken'))
  }
  expect(harness.state('d1')?.phase).toBe('dead')
  return harness
}

const answers = (harness: Harness): string[] =>
  [...harness.counts.keys()].filter((key) => key.startsWith('deliver_commands{'))

describe('retry now', () => {
  it('makes the next retry at once, as one attempt, and leaves the tier’s ticket stale', () => {
    const harness = inTier()
    harness.command(command('RETRY_NOW'))
    expect(harness.history('d1').at(-1)).toMatchObject({ change: 'RETRY_REQUESTED', state: 'waiting' })
    expect(harness.calls().map((call) => call.intent)).toMatchObject([
      { id: 'd1#2', priority: 0, request: { trigger: 'MANUAL', retry_count: 1, attempt_no: 2 } },
    ])
    harness.done('d1#2', sent('broken'))
    expect(harness.history('d1').at(-1)).toMatchObject({
      retry_count: 1,
      next_due_at: harness.now() + 120_000,
    })
    harness.jump(30_000)
    harness.releaseTickets()
    expect(harness.calls()).toEqual([])
    expect(harness.counts.get('deliver_tickets_stale')).toBe(1)
  })

  it('with the call in flight answers that it is being sent already, and changes nothing', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.command(command('RETRY_NOW'))
    expect(harness.calls()).toHaveLength(1)
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'RETRY_REQUESTED',
      state: 'waiting',
      reason: 'refused_already_being_sent',
    })
    harness.done('d1#1', sent('broken'))
    expect(harness.state('d1')).toMatchObject({ phase: 'in_tier', requests: 1, generation: 0 })
  })

  it('goes before everything queued, and is not subject to the maximum age', () => {
    const harness = withPartner({ max_concurrent: 1 })
    for (const id of ['a', 'b', 'd1']) {
      harness.deliver(delivery({ delivery_id: id, event: 'out_for_delivery' }))
    }
    harness.jump(29 * 60_000)
    harness.command(command('RETRY_NOW'))
    harness.jump(60 * 60_000)
    harness.done('a#1', sent('ok'))
    expect(harness.calls().map((call) => call.intent.id)).toEqual(['d1#1'])
    harness.done('d1#1', sent('broken'))
    expect(harness.state('b')).toMatchObject({ phase: 'skipped', reason: 'too_old' })
  })

  it('waits while the endpoint is paused', () => {
    const harness = inTier()
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ state: 'PAUSED' })] }))
    harness.command(command('RETRY_NOW'))
    expect(harness.calls()).toEqual([])
    harness.partners.set('p1', partner({ version: 3 }))
    harness.sweep()
    expect(harness.calls()).toHaveLength(1)
  })

  it('of a dead one answers that it does not wait', () => {
    const harness = dead()
    const before = harness.history('d1').length
    harness.command(command('RETRY_NOW'))
    expect(answers(harness)).toContain('deliver_commands{kind=RETRY_NOW,answer=not_waiting}')
    expect(harness.history('d1')).toHaveLength(before)
  })
})

describe('cancel', () => {
  it('of one that waits in a tier skips it, and it can be redriven', () => {
    const harness = inTier()
    harness.command(command('CANCEL'))
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'CANCELLED',
      state: 'skipped',
      reason: 'cancelled',
      next_due_at: null,
    })
    harness.jump(30_000)
    harness.releaseTickets()
    expect(harness.calls()).toEqual([])
    harness.command(command('REDRIVE'))
    expect(harness.calls()).toHaveLength(1)
  })

  it('of one that is queued leaves the others in order', () => {
    const harness = withPartner({ max_concurrent: 1 })
    for (const id of ['a', 'd1', 'c']) harness.deliver(delivery({ delivery_id: id }))
    harness.command(command('CANCEL'))
    harness.done('a#1', sent('ok'))
    expect(harness.calls().map((call) => call.intent.id)).toEqual(['c#1'])
  })

  it('of a call that has not started takes the intent back, and its credit', () => {
    const harness = withPartner({ max_concurrent: 1 })
    harness.deliver(delivery())
    harness.deliver(delivery({ delivery_id: 'b' }))
    harness.command(command('CANCEL'))
    expect(harness.state('d1')).toMatchObject({ phase: 'skipped', reason: 'cancelled' })
    expect(harness.calls().map((call) => call.intent.id)).toEqual(['b#1'])
  })

  it('of a call in flight acts on its outcome: a failure is not retried', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.startCalls()
    harness.command(command('CANCEL'))
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'CANCELLED',
      state: 'waiting',
      reason: 'cancel_requested',
    })
    harness.done('d1#1', sent('broken'))
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'ATTEMPTED',
      state: 'skipped',
      reason: 'cancelled',
    })
    expect(harness.tickets()).toEqual([])
  })

  it('of a call in flight that succeeds is too late: it is delivered', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.startCalls()
    harness.command(command('CANCEL'))
    harness.done('d1#1', sent('ok'))
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'delivered', reason: null })
  })

  it('of a call in flight that made no request skips it', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    harness.startCalls()
    harness.command(command('CANCEL'))
    harness.done('d1#1', { kind: 'not_sent', reason: 'endpoint_paused' })
    expect(harness.history('d1').at(-1)).toMatchObject({ change: 'CANCELLED', state: 'skipped' })
  })
})

describe('redrive', () => {
  it('of a dead one is one delivery with a new round of retries, under the same ids and bytes', () => {
    const harness = dead()
    harness.command(command('REDRIVE'))
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'REDRIVEN',
      state: 'waiting',
      retry_count: 0,
      reason: null,
    })
    expect(harness.calls().map((call) => call.intent)).toMatchObject([
      { id: 'd1#5', request: { trigger: 'REDRIVE', retry_count: 0, attempt_no: 5 } },
    ])
    harness.done('d1#5', sent('broken'))
    expect(harness.history('d1').at(-1)).toMatchObject({ next_due_at: harness.now() + 30_000 })
    harness.jump(30_000)
    harness.releaseTickets()
    harness.done('d1#6', sent('ok'))
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'delivered', retry_count: 1 })
  })

  it('is sent however old the event is, over all its retries', () => {
    const harness = withPartner()
    harness.deliver(delivery({ event: 'out_for_delivery', delivery_id: 'd1' }))
    harness.jump(30 * 60_000)
    harness.finish('d1#1', { kind: 'expired' })
    harness.command(command('REDRIVE'))
    harness.done('d1#2', sent('broken'))
    harness.jump(30_000)
    harness.releaseTickets()
    harness.done('d1#3', sent('ok'))
    expect(harness.history('d1').at(-1)).toMatchObject({ state: 'delivered', by_hand: true, retry_count: 1 })
  })

  it('of one that waits or is delivered does nothing and says so; of an unknown one answers gone', () => {
    const harness = inTier()
    harness.command(command('REDRIVE'))
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'REDRIVEN',
      state: 'waiting',
      reason: 'refused_already_waiting',
      next_due_at: harness.now() + 30_000,
    })
    expect(harness.calls()).toEqual([])
    harness.command(command('RETRY_NOW'))
    harness.done('d1#2', sent('ok'))
    harness.command(command('REDRIVE'))
    harness.command(command('REDRIVE', { delivery_id: 'never-seen' }))
    expect(answers(harness)).toEqual(
      expect.arrayContaining([
        'deliver_commands{kind=REDRIVE,answer=already_waiting}',
        'deliver_commands{kind=REDRIVE,answer=already_delivered}',
        'deliver_commands{kind=REDRIVE,answer=gone}',
      ]),
    )
    expect(harness.calls()).toEqual([])
  })

  it('to an endpoint that is still disabled is skipped again, with its reason', () => {
    const harness = dead()
    harness.partners.set('p1', partner({ version: 2, endpoints: [endpoint({ state: 'DISABLED' })] }))
    harness.command(command('REDRIVE'))
    expect(
      harness
        .history('d1')
        .slice(-2)
        .map(({ change, reason }) => [change, reason]),
    ).toEqual([
      ['REDRIVEN', null],
      ['SKIPPED', 'endpoint_disabled'],
    ])
  })
})

describe('every command', () => {
  it('is done once by its id', () => {
    const harness = dead()
    const once = command('REDRIVE')
    harness.command(once)
    harness.done('d1#5', sent('broken'))
    harness.command(command('CANCEL'))
    harness.restart()
    harness.command(once)
    expect(harness.state('d1')?.phase).toBe('skipped')
    expect(answers(harness)).toContain('deliver_commands{kind=REDRIVE,answer=repeated}')
  })

  it('is refused when its kind is unknown or its delivery is missing', () => {
    const harness = withPartner()
    harness.command(command('UNKNOWN'))
    harness.command(command('CANCEL', { delivery_id: null }))
    expect(harness.rejected).toEqual(['unknown_command', 'command_without_delivery'])
    expect(harness.keys('remembered')).toEqual([])
  })
})
