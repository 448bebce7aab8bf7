import { describe, expect, it } from 'vitest'
import { command, delivery, endpoint, partner, sent, startMs } from './testing/builders.ts'
import { type Harness, makeHarness } from './testing/harness.ts'

const minuteMs = 60_000

const withPartner = (changes = {}): Harness => {
  const harness = makeHarness()
  harness.partners.set('p1', partner({ endpoints: [endpoint(changes)] }))
  return harness
}

/** Fails the open call of d1. */
const fail = (harness: Harness): void => {
  const id = harness.calls().at(-1)?.intent.id
  if (id === undefined) throw new Error('no open call')
  harness.done(id, sent('broken'))
}

describe('retries', () => {
  it('a failing delivery is called four times, at 0 s, 30 s, 2 m and 8 m, and is then dead', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    const waits = [30_000, 2 * minuteMs, 8 * minuteMs]
    for (const [index, waitMs] of waits.entries()) {
      fail(harness)
      expect(harness.history('d1').at(-1)).toMatchObject({
        state: 'waiting',
        retry_count: index,
        next_due_at: harness.now() + waitMs,
        attempt: { retry_count: index, trigger: index === 0 ? 'FIRST' : 'RETRY' },
      })
      expect(harness.tickets()).toEqual([
        {
          dueAt: harness.now() + waitMs,
          ticket: { delivery_id: 'd1', endpoint_id: 'e1', generation: 0, retry: index + 1 },
        },
      ])
      harness.jump(waitMs - 1)
      harness.releaseTickets()
      expect(harness.calls()).toEqual([])
      harness.jump(1)
      harness.releaseTickets()
      expect(harness.calls().map((call) => call.intent.request)).toMatchObject([
        { retry_count: index + 1, attempt_no: index + 2, trigger: 'RETRY', first_attempted_at: startMs },
      ])
    }
    fail(harness)
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'ATTEMPTED',
      state: 'dead',
      reason: 'http_5xx',
      retry_count: 3,
      next_due_at: null,
    })
    expect(harness.dead()).toMatchObject([
      {
        delivery_id: 'd1',
        reason: 'http_5xx',
        attempts: 4,
        last_outcome: { class: 'http_5xx', status_code: 500 },
      },
    ])
    expect(Buffer.compare(harness.dead()[0]?.body ?? new Uint8Array(), delivery().body)).toBe(0)
    expect(harness.tickets()).toEqual([])
  })

  it('a retry has the lower priority and the same deadline', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    fail(harness)
    harness.jump(30_000)
    harness.releaseTickets()
    expect(harness.calls()[0]?.intent).toMatchObject({ priority: 1, notAfter: startMs + 24 * 3600 * 1000 })
  })

  it('a ticket of another generation, or of a delivery that is settled, does nothing and is counted', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    fail(harness)
    const ticket = harness.tickets()[0]?.ticket
    if (!ticket) throw new Error('no ticket')
    harness.ticket({ ...ticket, generation: 7 })
    expect(harness.calls()).toEqual([])
    harness.command(command('RETRY_NOW'))
    harness.jump(30_000)
    harness.releaseTickets()
    expect(harness.calls().map((call) => call.intent.id)).toEqual(['d1#2'])
    harness.done('d1#2', sent('ok'))
    harness.ticket(ticket)
    expect(harness.calls()).toEqual([])
    expect(harness.counts.get('deliver_tickets_stale')).toBe(3)
  })

  it('a retry that is due while no credit is free waits, and uses up nothing', () => {
    const harness = withPartner({ max_concurrent: 1 })
    harness.deliver(delivery())
    fail(harness)
    harness.deliver(delivery({ delivery_id: 'other' }))
    harness.jump(30_000)
    harness.releaseTickets()
    expect(harness.calls().map((call) => call.intent.id)).toEqual(['other#1'])
    expect(harness.state('d1')).toMatchObject({ phase: 'queued', requests: 1 })
    harness.done('other#1', sent('ok'))
    expect(harness.calls().map((call) => call.intent.id)).toEqual(['d1#2'])
  })

  it('a retry whose event has become too old is skipped when its turn comes, not before', () => {
    const harness = withPartner({ max_age_ms: { out_for_delivery: minuteMs } })
    harness.deliver(delivery({ event: 'out_for_delivery' }))
    fail(harness)
    harness.jump(30_000)
    harness.releaseTickets()
    fail(harness)
    harness.jump(2 * minuteMs - 1)
    expect(harness.state('d1')?.phase).toBe('in_tier')
    harness.jump(1)
    harness.releaseTickets()
    expect(harness.history('d1').at(-1)).toMatchObject({
      change: 'SKIPPED',
      reason: 'too_old',
      retry_count: 1,
    })
  })
})

describe('lost tickets', () => {
  it('a ticket overdue by 5 minutes is written again, once, and the lost one is stale if it comes after all', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    fail(harness)
    const lost = harness.tickets()[0]?.ticket
    harness.loseTickets()
    harness.jump(30_000 + 5 * minuteMs - 1)
    expect(harness.tickets()).toEqual([])
    harness.jump(1)
    harness.sweep()
    expect(harness.tickets().map((held) => held.ticket)).toEqual([
      { delivery_id: 'd1', endpoint_id: 'e1', generation: 1, retry: 1 },
    ])
    expect(harness.counts.get('deliver_tickets_overdue')).toBe(1)
    if (lost) harness.ticket(lost)
    expect(harness.calls()).toEqual([])
    harness.jump(30_000)
    harness.releaseTickets()
    expect(harness.calls().map((call) => call.intent.request.retry_count)).toEqual([1])
  })

  it('nothing is written again before the tiers were read to the end seen at the start', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    fail(harness)
    harness.setCaughtUp(false)
    harness.restart()
    harness.jump(60 * minuteMs)
    expect(harness.tickets()).toHaveLength(1)
    harness.releaseTickets()
    harness.setCaughtUp(true)
    harness.sweep()
    expect(harness.counts.get('deliver_tickets_overdue')).toBeUndefined()
  })

  it('a restart does not lose sight of an expected ticket', () => {
    const harness = withPartner()
    harness.deliver(delivery())
    fail(harness)
    harness.loseTickets()
    harness.restart()
    harness.jump(30_000 + 5 * minuteMs)
    expect(harness.counts.get('deliver_tickets_overdue')).toBe(1)
  })
})
