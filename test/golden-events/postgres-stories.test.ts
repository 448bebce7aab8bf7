/**
 * What happened to single orders of the PostgreSQL recording, with and without whole old rows. The expectations were
 * derived from the SQL statements (test/fixtures/cdc/postgres/statements.sql), not from the code.
 */
import { describe, expect, it } from 'vitest'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { testMapping, testSealer } from '../../processors/normalize/testing/captured-message.ts'
import { iso, linesOf, payloadsOf, readCaptured, runCaptured, storyOf } from './captured-run.ts'
import { postgresRun, recordedFiles } from './recordings.ts'

const postgres = postgresRun()

describe('orders', () => {
  it('3101: a whole life with a second attempt and a return', () => {
    expect(storyOf(postgres, '3101')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivery_failed 1 REFUSED',
      'out_for_delivery 2 Ravi Kumar COMPLETE',
      'delivered',
      'return_initiated',
      'return_picked_up',
    ])
    // `timestamp` without a precision comes in microseconds: return_pickup_eta '2026-11-25 14:00:00'.
    expect(iso(payloadsOf(postgres, '3101').at(-1)?.returns.pickup_eta ?? 0)).toBe('2026-11-25T14:00:00.000Z')
  })

  it('3201: without a row before (REPLICA IDENTITY DEFAULT) the last known status decides', () => {
    expect(storyOf(postgres, '3201')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivered',
    ])
    expect(payloadsOf(postgres, '3201').map(({ previous_status }) => previous_status)).toEqual([
      'NEW',
      'CONFIRMED',
      'OUT_FOR_DELIVERY',
    ])
  })

  it('3107 and 3205: the same values again write a change, but no transition', () => {
    expect(storyOf(postgres, '3107')).toEqual([])
    expect(storyOf(postgres, '3205')).toEqual([])
  })

  it('3105, 3203: a deleted order says nothing, whatever its made-up row before says', () => {
    expect(storyOf(postgres, '3105')).toEqual(['order_confirmed'])
    expect(storyOf(postgres, '3203')).toEqual([])
    // The `before` of 3203 says NEW, version 0, 1970; the marker keeps the real last row.
    expect(postgres.enrich.order('3203')).toMatchObject({ row: { status: 'NEW' } })
    expect(iso(postgres.enrich.order('3203')?.row?.updated_at ?? 0)).toBe('2026-11-22T04:41:50.924Z')
  })

  it('3106 and 3204: a new primary key is no new order', () => {
    expect(storyOf(postgres, '4106')).toEqual(['out_for_delivery 1 - TIMED_OUT'])
    expect(storyOf(postgres, '4204')).toEqual([])
  })

  it('8101: an assignment removed under the default replica identity names order 0, and is not believed', () => {
    expect(postgres.asides.get('ignored removal_without_order')).toBe(1)
    expect(postgres.enrich.riders('0')).toBeUndefined()
  })

  it('8104: a password changed without touching updated_at is newer by its position', () => {
    const [rider] = postgres.enrich.riders('3104')?.assignments ?? []
    expect(testSealer.open(rider?.otp ?? '')).toBe('777777')
  })
})

describe('without whole old rows', () => {
  it('tells the same stories when nothing but the key of `before` is believed', () => {
    // As if every table had the default replica identity: the last known row is what came before.
    const keyOnly = testMapping({
      ...defaultSource,
      sources: defaultSource.sources.map((source) => ({ ...source, before_image: 'key' })),
    })
    const run = runCaptured(readCaptured(recordedFiles('postgres')), keyOnly)
    expect(linesOf(run)).toBe(linesOf(postgres))
  })
})
