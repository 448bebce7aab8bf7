/**
 * What happened to single orders of the MariaDB recording, event by event: attempts, returns and odd statements.
 * The expectations were derived from the SQL statements (test/fixtures/cdc/mariadb/statements.sql), not from the code.
 */
import { describe, expect, it } from 'vitest'
import { enrichCounters } from '../../processors/enrich/counters.ts'
import { testSealer } from '../../processors/normalize/testing/captured-message.ts'
import { iso, payloadsOf, storyOf } from './captured-run.ts'
import { mariadbRun } from './recordings.ts'

const mariadb = mariadbRun()

describe('attempts and returns', () => {
  it('1101: NEW and PACKED say nothing, the rest one event each', () => {
    expect(storyOf(mariadb, '1101')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivered',
    ])
    // status_version counts NEW 0, CONFIRMED 1, PACKED 2, OUT 3, DELIVERED 4: max(last + 1, version).
    expect(payloadsOf(mariadb, '1101').map((payload) => payload.order_sequence)).toEqual([1, 3, 4])
    expect(payloadsOf(mariadb, '1101').map((payload) => payload.previous_status)).toEqual([
      'NEW',
      'PACKED',
      'OUT_FOR_DELIVERY',
    ])
  })

  it('1102: the second attempt has its own rider and a one-time password with leading zeros', () => {
    const [, , , second] = payloadsOf(mariadb, '1102')
    expect(second?.rider.name).toBe('Fatima Sheikh')
    expect(testSealer.open(second?.delivery.otp ?? '')).toBe('004213')
    // The first attempt's failure reason was in the row until this very update; it is not part of this event.
    expect(second?.failure).toEqual({ reason_code: null, rescheduled_for: null, attempt_no: null })
    expect(storyOf(mariadb, '1102').at(-1)).toBe('return_picked_up')
  })

  it('1103: three attempts go out and fail, the last failure for the same reason; CANCELLED has no event', () => {
    // Statements: CONFIRMED; OUT 1, FAILED 1; OUT 2, FAILED 2; OUT 3, FAILED 3; CANCELLED. Every OUT follows a
    // FAILED and every FAILED an OUT, so each is a change of event; all riders were assigned before.
    expect(storyOf(mariadb, '1103')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivery_failed 1 ADDRESS_NOT_FOUND',
      'out_for_delivery 2 Ravi Kumar COMPLETE',
      'delivery_failed 2 REFUSED',
      'out_for_delivery 3 Ravi Kumar COMPLETE',
      'delivery_failed 3 REFUSED',
    ])
    const reschedules = payloadsOf(mariadb, '1103')
      .filter(({ event }) => event === 'delivery_failed')
      .map(({ failure }) => failure.rescheduled_for && iso(failure.rescheduled_for))
    expect(reschedules).toEqual(['2026-11-24T10:00:00.000Z', '2026-11-25T10:00:00.000Z', null])
  })

  it('1104: a second attempt without leaving OUT_FOR_DELIVERY is news', () => {
    // attempt_no 1 → 2 with the status unchanged. Both assignments were committed before their update but reached
    // us 50 ms after it: both events waited, and each left with its own rider, in order, before DELIVERED.
    expect(storyOf(mariadb, '1104')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      "out_for_delivery 2 Joseph D'Souza COMPLETE",
      'delivered',
      'return_initiated',
      'return_picked_up',
    ])
    // The incremental snapshot row of 1104 came after its RETURN_INITIATED: the same status, nothing missed.
    expect(mariadb.enrich.order('1104')?.missed).toEqual([])
  })

  it('1105: DELIVERY_FAILED of attempt 1 overwritten by that of attempt 2 is a second failure', () => {
    // No rider was ever assigned. OUT 1 is superseded by the failure 4 ms later; OUT 2 was never written.
    expect(storyOf(mariadb, '1105')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 - SUPERSEDED',
      'delivery_failed 1 NO_CASH',
      'delivery_failed 2 NO_CASH',
    ])
  })
})

describe('odd statements', () => {
  it('1110: writing the same values, the time stamp or the address again is no transition', () => {
    expect(storyOf(mariadb, '1110')).toEqual(['order_confirmed'])
  })

  it('1111 to 1115: one statement over five rows gives five events with five ids', () => {
    const ids = ['1111', '1112', '1113', '1114', '1115'].flatMap((id) => payloadsOf(mariadb, id))
    expect(ids.map(({ event }) => event).sort()).toEqual([
      ...Array(5).fill('order_confirmed'),
      ...Array(5).fill('out_for_delivery'),
    ])
    expect(new Set(ids.map(({ event_id }) => event_id)).size).toBe(10)
  })

  it('1118: a rolled-back DELIVERED never happened', () => {
    expect(storyOf(mariadb, '1118')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivery_failed 1 VEHICLE_BREAKDOWN',
    ])
  })

  it('1119: out, packed and out again in one transaction goes out twice', () => {
    // Both are changes of event (CONFIRMED → OUT, PACKED → OUT) with versions 2 and 4, so two ids. No rider ever
    // came: the first is superseded by the second, which waits for what is left of the attempt's one hold.
    expect(storyOf(mariadb, '1119')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 - SUPERSEDED',
      'out_for_delivery 1 - TIMED_OUT',
    ])
    expect(new Set(payloadsOf(mariadb, '1119').map(({ event_id }) => event_id)).size).toBe(3)
    expect(payloadsOf(mariadb, '1119').map(({ previous_status }) => previous_status)).toEqual([
      'NEW',
      'CONFIRMED',
      'PACKED',
    ])
  })

  it('1121: delivered by mistake, out again, delivered again: A→B→A fires each time, with an id each', () => {
    expect(storyOf(mariadb, '1121')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivered',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivered',
    ])
    const payloads = payloadsOf(mariadb, '1121')
    expect(new Set(payloads.map(({ event_id }) => event_id)).size).toBe(5)
    expect(payloads.map(({ order_sequence }) => order_sequence)).toEqual([1, 2, 3, 4, 5])
    expect(payloads.map(({ delivery }) => delivery.delivered_at && iso(delivery.delivered_at))).toEqual([
      null,
      null,
      '2026-11-22T13:11:00.000Z',
      null,
      '2026-11-22T14:20:00.000Z',
    ])
  })

  it('1122: deleted while it waited for its rider, it still says that it went out', () => {
    expect(storyOf(mariadb, '1122')).toEqual(['order_confirmed', 'out_for_delivery 1 - SUPERSEDED'])
  })

  it('1123: a new primary key is no new order', () => {
    // 1123 was confirmed; as 2123 it was CONFIRMED already and only its going out is news.
    expect(storyOf(mariadb, '1123')).toEqual(['order_confirmed'])
    expect(storyOf(mariadb, '2123')).toEqual(['out_for_delivery 1 - TIMED_OUT'])
    expect(payloadsOf(mariadb, '2123')[0]?.previous_status).toBe('CONFIRMED')
  })

  it('1124: key and status changed in one update, and the new key comes first: nothing but CONFIRMED fires', () => {
    // The `c` of 2124 (PACKED) overtakes the CONFIRMED of 1124: other key, other partition.
    expect(storyOf(mariadb, '1124')).toEqual(['order_confirmed'])
    expect(storyOf(mariadb, '2124')).toEqual([])
    expect(mariadb.enrich.order('2124')?.row?.status).toBe('PACKED')
  })

  it('1125: REPLACE INTO is an update of the row that it deleted', () => {
    // NEW, then REPLACE with CONFIRMED: delete and insert share a transaction, so the row before was NEW.
    expect(storyOf(mariadb, '1125')).toEqual(['order_confirmed'])
    expect(payloadsOf(mariadb, '1125')[0]?.previous_status).toBe('NEW')
    expect(mariadb.enrich.count(enrichCounters.replaced)).toBe(1)
  })

  it('1127: deleted and inserted again, it is confirmed twice: another incarnation, another id', () => {
    expect(storyOf(mariadb, '1127')).toEqual(['order_confirmed', 'order_confirmed'])
    const [first, second] = payloadsOf(mariadb, '1127')
    expect(first?.event_id).not.toBe(second?.event_id)
    // Kept over the delete: a receiver can tell which is the later one.
    expect([first?.order_sequence, second?.order_sequence]).toEqual([1, 2])
  })

  it('1128 and 1129: an order fires the state that it is born in, when that is recent', () => {
    expect(storyOf(mariadb, '1128')).toEqual(['order_confirmed'])
    // Imported as DELIVERED. Its delivered_at is three days old, but the row is new: occurred_at is what counts.
    expect(storyOf(mariadb, '1129')).toEqual(['delivered'])
    const [imported] = payloadsOf(mariadb, '1129')
    expect(iso(imported?.occurred_at ?? 0)).toBe('2026-11-22T04:39:37.674Z')
    expect(iso(imported?.delivery.delivered_at ?? 0)).toBe('2026-11-19T08:00:00.000Z')
    expect(imported?.previous_status).toBeNull()
    expect(imported?.order_sequence).toBe(4)
  })

  it('snapshotted orders do not fire, and go on from where they were', () => {
    // 1001 to 1007 existed before. 1002 is packed (no event), 1003 delivered, 1006 picked up; the others rest.
    expect(['1001', '1002', '1004', '1005', '1007'].flatMap((id) => storyOf(mariadb, id))).toEqual([])
    expect(storyOf(mariadb, '1003')).toEqual(['delivered'])
    expect(storyOf(mariadb, '1006')).toEqual(['return_picked_up'])
  })
})
