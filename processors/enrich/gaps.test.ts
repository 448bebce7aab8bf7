import { describe, expect, it } from 'vitest'
import { enrichCounters } from './counters.ts'
import { enrichHarness } from './testing/harness.ts'
import { noPosition, orderChange, position, row, startMs, update } from './testing/order-change.ts'

const dayMs = 24 * 3600 * 1000
const created = (status: string) => orderChange('CREATE', row(status, { version: 1 }), position(1))
const snapshot = (status: string, version: number) =>
  orderChange('SNAPSHOT', row(status, { version, updated_at: startMs + version }), noPosition())
const command = (eventId: string | null, id = 'c1') => ({
  command_id: id,
  kind: 'SEND_GAP' as const,
  order_id: '1',
  event_id: eventId,
  requested_at: startMs,
  requested_by: 'test',
})

/** An order that was confirmed, and of which a snapshot showed that it was delivered meanwhile. */
function withGap() {
  const harness = enrichHarness(startMs)
  harness.change(created('CONFIRMED'))
  harness.change(snapshot('DELIVERED', 4))
  const gap = harness.gaps('1')[0]
  if (!gap) throw new Error('there is no gap')
  harness.emitted.length = 0
  return { harness, gap }
}

describe('a gap', () => {
  it('is listed with what would be sent, and nothing is sent by itself', () => {
    const { harness, gap } = withGap()
    expect(gap).toMatchObject({
      event: 'delivered',
      from_status: 'CONFIRMED',
      to_status: 'DELIVERED',
      occurred_at: startMs + 4,
      noticed_at: startMs,
      state: 'PENDING',
      sent_at: null,
    })
    harness.advance(30 * dayMs)
    expect(harness.emitted).toEqual([])
  })

  it('is sent when a person asks for it, once, with the row that the snapshot showed', () => {
    const { harness, gap } = withGap()
    // What came meanwhile changes the order's row; the gap speaks of its own.
    harness.change(
      update(
        row('DELIVERED', { version: 4 }),
        row('RETURN', { version: 6, delivered_at: startMs, updated_at: startMs + 9 }),
        6,
      ),
    )
    harness.advance(1000)
    harness.command(command(gap.event_id))
    harness.command(command(gap.event_id, 'c2'))
    harness.command(command(gap.event_id))
    const [returned, sent] = harness.emitted.map(({ event }) => event)
    expect(harness.emitted).toHaveLength(2)
    expect(sent?.payload).toMatchObject({
      event: 'delivered',
      event_id: gap.event_id,
      occurred_at: startMs + 4,
      previous_status: 'CONFIRMED',
      order_sequence: 4,
    })
    // The return came later and says so, although the delivery was sent after it.
    expect(returned?.payload).toMatchObject({ event: 'return_initiated', order_sequence: 6 })
    expect([returned?.internal.by_hand, sent?.internal.by_hand]).toEqual([false, true])
    expect(harness.gaps('1')).toMatchObject([{ state: 'SENT', sent_at: startMs + 1000 }])
    expect(harness.count(enrichCounters.gapCommands, { outcome: 'sent' })).toBe(1)
    expect(harness.count(enrichCounters.gapCommands, { outcome: 'already_sent' })).toBe(2)
  })

  it('is sent once also when the task was restarted in between', () => {
    const { harness, gap } = withGap()
    harness.command(command(gap.event_id))
    harness.restart()
    harness.command(command(gap.event_id))
    expect(harness.emitted).toHaveLength(1)
  })

  it('goes from the list when its change is streamed after all, and is not sent a second time', () => {
    const { harness, gap } = withGap()
    const late = row('DELIVERED', { version: 4, updated_at: startMs + 4 })
    harness.change(update(row('OUT', { version: 3 }), late, 5))
    expect(harness.emitted.map(({ event }) => event.payload.event_id)).toEqual([gap.event_id])
    expect(harness.gaps('1')).toEqual([])
    harness.command(command(gap.event_id))
    expect(harness.emitted).toHaveLength(1)
    expect(harness.count(enrichCounters.gapCommands, { outcome: 'unknown_gap' })).toBe(1)
  })

  it('to a status without an event is listed, and there is nothing to send', () => {
    const harness = enrichHarness(startMs)
    harness.change(created('CONFIRMED'))
    harness.change(snapshot('CANCELLED', 2))
    expect(harness.gaps('1')).toMatchObject([{ event: null, event_id: '', state: 'NOTHING_TO_SEND' }])
    harness.command(command(''))
    harness.command(command(null))
    expect(harness.emitted).toHaveLength(1)
    expect(harness.count(enrichCounters.gapCommands, { outcome: 'unknown_gap' })).toBe(2)
  })

  it('of going out waits for its rider, and cuts nobody else short', () => {
    const harness = enrichHarness(startMs)
    harness.change(created('CONFIRMED'))
    harness.change(snapshot('OUT', 3))
    harness.change(update(row('OUT', { version: 3 }), row('OUT', { version: 4, attempt_no: 2 }), 4))
    const gap = harness.gaps('1')[0]
    harness.command(command(gap?.event_id ?? ''))
    // Attempt 2 is held in front of it: asked for by hand, it supersedes nothing.
    harness.advance(1500)
    expect(harness.emitted.map(({ event }) => event.payload.event)).toEqual(['order_confirmed'])
    harness.advance(30_000)
    expect(
      harness.emitted.map(({ event: { payload } }) => `${payload.event} ${payload.delivery.attempt_no}`),
    ).toEqual(['order_confirmed null', 'out_for_delivery 2', 'out_for_delivery 1'])
  })

  it('of an order that is not known, or a command of another kind or key, does nothing', () => {
    const { harness, gap } = withGap()
    harness.command({ ...command(gap.event_id), order_id: '2' })
    expect(harness.count(enrichCounters.gapCommands, { outcome: 'unknown_gap' })).toBe(1)
    expect(() => harness.command({ ...command(gap.event_id), kind: 'UNKNOWN' })).toThrow('unknown_command')
    expect(harness.emitted).toEqual([])
  })
})
