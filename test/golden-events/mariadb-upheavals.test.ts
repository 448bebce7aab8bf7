/**
 * What happens to the tables and the connector of the MariaDB recording: schema changes, restarts, crashes, truncates
 * and an incremental snapshot. The expectations were derived from the SQL statements
 * (test/fixtures/cdc/mariadb/statements.sql), not from the code.
 */
import { describe, expect, it } from 'vitest'
import { enrichCounters } from '../../processors/enrich/counters.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { testMapping } from '../../processors/normalize/testing/captured-message.ts'
import { defaultMapping, readCaptured, runCaptured, storyOf } from './captured-run.ts'
import { mariadbRun } from './recordings.ts'

const mariadb = mariadbRun()

describe('schema changes, restarts, crashes, truncates', () => {
  it('1402: ON_HOLD is not mapped: that record is refused, the order goes on from its last known status', () => {
    expect(mariadb.asides.get('undecodable unknown_status')).toBe(1)
    expect(storyOf(mariadb, '1402')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivered',
    ])
  })

  it('1402: with ON_HOLD mapped to no event nothing is refused, and the story is the same', () => {
    const mapped = testMapping({
      ...defaultSource,
      sources: defaultSource.sources.map((source) =>
        'no_event' in source ? { ...source, no_event: [...source.no_event, 'ON_HOLD'] } : source,
      ),
    })
    const run = runCaptured(readCaptured(['mariadb/07-schema-change.jsonl']), mapped)
    expect(run.asides.size).toBe(0)
    expect(storyOf(run, '1402')).toEqual(storyOf(mariadb, '1402'))
  })

  it('1401: columns that come, are renamed and go do not matter while they are not mapped', () => {
    // Nobody was assigned; DELIVERED came 52 ms after it went out.
    expect(storyOf(mariadb, '1401')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 - SUPERSEDED',
      'delivered',
    ])
  })

  it('1501: two restarts lose and repeat nothing', () => {
    expect(storyOf(mariadb, '1501')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivered',
    ])
  })

  it('1601 to 1640: the connector was killed twice and repeated records; every order has each event once', () => {
    for (let id = 1601; id <= 1640; id += 1) {
      expect(storyOf(mariadb, String(id)), String(id)).toEqual([
        'order_confirmed',
        'out_for_delivery 1 Ravi Kumar COMPLETE',
        'delivered',
      ])
    }
    // That it was put to the test: eight order records and three assignment records of these came twice.
    expect(mariadb.enrich.count(enrichCounters.stale, { by: 'position' })).toBe(8)
    expect(mariadb.enrich.count(enrichCounters.staleAssignments)).toBe(3)
  })

  it('counts the two truncates, and takes what is inserted afterwards as new', () => {
    expect(mariadb.asides.get('truncated')).toBe(2)
    expect(storyOf(mariadb, '1701')).toEqual(['order_confirmed'])
  })

  it('ignores all other topics of the recording', () => {
    expect([...mariadb.asides.keys()].sort()).toEqual([
      'ignored tombstone',
      'truncated',
      'undecodable unknown_status',
    ])
  })
})

describe('an incremental snapshot', () => {
  it('08: an incremental snapshot fires nothing by itself, and misses nothing that was streamed beside it', () => {
    const lines = readCaptured(['mariadb/08-incremental-snapshot.jsonl'])
    const run = runCaptured(lines, defaultMapping())
    expect(lines.filter(({ value }) => value?.includes('"snapshot":"incremental"'))).toHaveLength(12)
    expect(run.events.map(({ event: { payload } }) => `${payload.order_id} ${payload.event}`)).toEqual([
      '1104 return_initiated',
      '1104 return_picked_up',
    ])
    expect(run.enrich.count(enrichCounters.missed)).toBe(0)
    // In the whole recording every row that it shows was known before, as it was.
    expect(mariadb.enrich.count(enrichCounters.missed)).toBe(0)
  })

  it('08: what was not captured before it is a gap, listed and not sent', () => {
    // Nobody streamed the changes between the first snapshot and this one.
    const run = runCaptured(
      readCaptured(['mariadb/01-snapshot.jsonl', 'mariadb/08-incremental-snapshot.jsonl']),
      defaultMapping(),
    )
    const gaps = ['1001', '1002', '1003', '1004', '1005', '1006', '1007'].flatMap((id) =>
      run.enrich
        .gaps(id)
        .map(({ event, from_status, to_status }) => `${id} ${from_status} → ${to_status}: ${event}`),
    )
    expect(gaps).toEqual([
      '1002 CONFIRMED → PACKED: null',
      '1003 OUT_FOR_DELIVERY → DELIVERED: delivered',
      '1006 RETURN_INITIATED → RETURN_PICKED_UP: return_picked_up',
    ])
    expect(run.events.map(({ event }) => event.payload.order_id)).toEqual(['1104', '1104'])
  })
})
