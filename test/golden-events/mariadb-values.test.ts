/**
 * How values of the MariaDB recording are read: phones, passwords, times, and what is absent. The expectations were
 * derived from the SQL statements (test/fixtures/cdc/mariadb/statements.sql), not from the code.
 */
import { describe, expect, it } from 'vitest'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { testMapping } from '../../processors/normalize/testing/captured-message.ts'
import { iso, payloadsOf, readCaptured, runCaptured } from './captured-run.ts'
import { mariadbRun } from './recordings.ts'

const mariadb = mariadbRun()

describe('values', () => {
  const riderOf = (orderId: string) =>
    payloadsOf(mariadb, orderId).find(({ event }) => event === 'out_for_delivery')

  it('masks phones, and hides what is none', () => {
    const masked = ['1202', '1203', '1204', '1205', '1206', '1207', '1208', '1209'].map(
      (id) => riderOf(id)?.rider.phone_masked,
    )
    expect(masked).toEqual([
      '+91 98xxx xx210', // full-width digits
      '+91 98xxx xx210', // 98765-43210, no country code: the default region's
      '+1 21x xxx x100', // with an extension, which goes
      'xxx', // N/A
      '+91 98xxx xx210', // spaced
      null, // NULL
      null, // empty
      'xxxxx', // five digits
    ])
  })

  it('counts blank passwords and names as none', () => {
    // 1204: no name, blank password; 1209: blank password; 1203: a short one is one.
    expect(riderOf('1204')?.enrichment_status).toBe('PARTIAL')
    expect(riderOf('1209')?.enrichment_status).toBe('PARTIAL')
    expect(riderOf('1209')?.delivery.otp).toBeNull()
    expect(riderOf('1203')?.enrichment_status).toBe('COMPLETE')
  })

  it('1212: a local column is read in the zone of the mapping, a true instant is not', () => {
    // Written from a session in +05:30 as 18:30:00.500: DATETIME (sla_due_at) keeps the wall clock, TIMESTAMP
    // (delivered_at) the instant. The default mapping says UTC; the owner of such a source says Asia/Kolkata.
    const utc = payloadsOf(mariadb, '1212')[0]
    expect(iso(utc?.sla_due_at ?? 0)).toBe('2026-11-24T18:30:00.500Z')
    expect(iso(utc?.delivery.delivered_at ?? 0)).toBe('2026-11-24T13:00:00.500Z')

    const india = testMapping({
      ...defaultSource,
      sources: defaultSource.sources.map((source) => ({ ...source, zone: 'Asia/Kolkata' })),
    })
    const run = runCaptured(readCaptured(['mariadb/05-values.jsonl']), india)
    const local = payloadsOf(run, '1212')[0]
    expect(iso(local?.sla_due_at ?? 0)).toBe('2026-11-24T13:00:00.500Z')
    expect(iso(local?.delivery.delivered_at ?? 0)).toBe('2026-11-24T13:00:00.500Z')
  })

  it('1211 and 1213: zero dates and absent values hydrate without harm', () => {
    const row = mariadb.enrich.order('1211')?.row
    expect(row?.rescheduled_for).toBeNull()
    expect(iso(row?.sla_due_at ?? 0)).toBe('9999-12-31T23:59:59.999Z')
    expect(iso(row?.return_pickup_eta ?? 0)).toBe('1000-01-01T00:00:00.000Z')
    expect(mariadb.enrich.order('1213')?.row).toMatchObject({
      customer_id: null,
      sla_due_at: null,
      city: null,
    })
  })
})
