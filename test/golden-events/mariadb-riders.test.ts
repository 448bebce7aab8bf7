/**
 * Orders of the MariaDB recording whose riders come before, after or never. The expectations were derived from the
 * SQL statements (test/fixtures/cdc/mariadb/statements.sql), not from the code.
 */
import { describe, expect, it } from 'vitest'
import { enrichCounters } from '../../processors/enrich/counters.ts'
import { iso } from './captured-run.ts'
import { mariadbRun } from './recordings.ts'

const mariadb = mariadbRun()

describe('an order and its rider do not come in order', () => {
  const outOf = (orderId: string) =>
    mariadb.events.find(
      ({ event }) => event.payload.order_id === orderId && event.payload.event === 'out_for_delivery',
    )

  it.each<[string, string | undefined, string, string]>([
    ['1301', 'Ravi Kumar', 'COMPLETE', 'assigned 30 ms before it went out'],
    ['1302', 'Ravi Kumar', 'COMPLETE', 'assigned 30 ms after, but read first'],
    ['1303', 'Ravi Kumar', 'COMPLETE', 'assigned 1.5 s after: the row releases it before dispatch is asked'],
    ['1304', 'Ravi Kumar', 'COMPLETE', 'assigned 5 s after: dispatch knew nothing yet, the row releases it'],
    ['1305', undefined, 'TIMED_OUT', 'never assigned'],
    [
      '1306',
      'Ravi Kumar',
      'COMPLETE',
      'replaced half a second later: the event had left, nothing is sent again',
    ],
    ['1307', undefined, 'TIMED_OUT', 'only attempt 2 has a rider, and attempt 1 went out'],
    ['1308', 'Ravi Kumar', 'COMPLETE', 'delivered at once; the rider came within the grace of 1 s'],
    ['1309', undefined, 'TIMED_OUT', 'its assignment was deleted before: a stale rider is worse than none'],
  ])('%s: %s %s (%s)', (orderId, rider, status) => {
    const payload = outOf(orderId)?.event.payload
    expect(payload?.rider.name ?? undefined).toBe(rider)
    expect(payload?.enrichment_status).toBe(status)
  })

  it('leaves when it is released: at once, with the row, or 20 s after it was taken', () => {
    // Taken at …85.030, 85.124 and 85.124 (record time); the rows of 1303 and 1304 came at 86.518 and 90.064.
    expect(iso(outOf('1301')?.timestamp ?? 0)).toBe('2026-11-22T04:39:45.030Z')
    expect(iso(outOf('1303')?.timestamp ?? 0)).toBe('2026-11-22T04:39:46.518Z')
    expect(iso(outOf('1304')?.timestamp ?? 0)).toBe('2026-11-22T04:39:50.064Z')
    expect(iso(outOf('1305')?.timestamp ?? 0)).toBe('2026-11-22T04:40:05.124Z')
  })

  it('counts the rider of 1306 who changed too late', () => {
    expect(mariadb.enrich.count(enrichCounters.lateRiders, { case: 'changed_late' })).toBe(1)
  })
})
