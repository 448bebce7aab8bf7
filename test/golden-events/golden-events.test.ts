/**
 * What real Debezium output has to become. The golden files beside hold every event; the expectations here were
 * derived from the SQL statements (test/fixtures/cdc/<database>/statements.sql), not from the code.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readSourceFile } from '../../app/config/source.ts'
import { enrichCounters } from '../../processors/enrich/counters.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import {
  defaultMapping,
  iso,
  linesOf,
  mappingOf,
  payloadsOf,
  readCaptured,
  runCaptured,
  storyOf,
  testSealer,
} from './captured-run.ts'

const filesOf = (folder: string) =>
  readdirSync(new URL(`../fixtures/cdc/${folder}/`, import.meta.url))
    .filter((name) => /^\d\d-.*\.jsonl$/.test(name))
    .sort()
    .map((name) => `${folder}/${name}`)

const mariadb = runCaptured(readCaptured(filesOf('mariadb')), defaultMapping())
const postgres = runCaptured(readCaptured(filesOf('postgres')), defaultMapping())

describe('the golden files', () => {
  it('hold every event of the MariaDB recording', async () => {
    await expect(linesOf(mariadb)).toMatchFileSnapshot('golden/mariadb.jsonl')
  })
  it('hold every event of the PostgreSQL recording', async () => {
    await expect(linesOf(postgres)).toMatchFileSnapshot('golden/postgres.jsonl')
  })
  it('come out the same when the recording is run again', () => {
    const again = runCaptured(readCaptured(filesOf('postgres')), defaultMapping())
    expect(linesOf(again)).toBe(linesOf(postgres))
  })
})

describe('MariaDB: attempts and returns', () => {
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

describe('MariaDB: odd statements', () => {
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

describe('MariaDB: values', () => {
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

    const india = mappingOf({
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

describe('MariaDB: an order and its rider do not come in order', () => {
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

describe('MariaDB: schema changes, restarts, crashes, truncates', () => {
  it('1402: ON_HOLD is not mapped: that record is refused, the order goes on from its last known status', () => {
    expect(mariadb.asides.get('undecodable unknown_status')).toBe(1)
    expect(storyOf(mariadb, '1402')).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Ravi Kumar COMPLETE',
      'delivered',
    ])
  })

  it('1402: with ON_HOLD mapped to no event nothing is refused, and the story is the same', () => {
    const mapped = mappingOf({
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

describe('PostgreSQL', () => {
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

describe('PostgreSQL without whole old rows', () => {
  it('tells the same stories when nothing but the key of `before` is believed', () => {
    // As if every table had the default replica identity: the last known row is what came before.
    const keyOnly = mappingOf({
      ...defaultSource,
      sources: defaultSource.sources.map((source) => ({ ...source, before_image: 'key' })),
    })
    const run = runCaptured(readCaptured(filesOf('postgres')), keyOnly)
    expect(linesOf(run)).toBe(linesOf(postgres))
  })
})

describe('each file on its own', () => {
  it('gives these events, also where it begins in the middle of lives', async () => {
    const files = [...filesOf('mariadb'), ...filesOf('postgres')]
    const tallies = files.map((file) => {
      const run = runCaptured(readCaptured([file]), defaultMapping())
      const events: Record<string, number> = {}
      for (const { event } of run.events) {
        events[event.payload.event] = (events[event.payload.event] ?? 0) + 1
      }
      return [file, { events, asides: Object.fromEntries(run.asides) }] as const
    })
    const text = `${JSON.stringify(Object.fromEntries(tallies), null, 2)}\n`
    await expect(text).toMatchFileSnapshot('golden/files.json')
  })

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

describe('connectors that differ in one respect, each with a source.yaml of its own', () => {
  const expected = ['order_confirmed', 'out_for_delivery 1 - SUPERSEDED', 'delivered']
  const sourceOf = (name: string) =>
    readSourceFile(fileURLToPath(new URL(`../fixtures/sources/${name}.yaml`, import.meta.url)))
  const linesOfVariant = (name: string) => readCaptured([`mariadb/variants/${name}.jsonl`])
  const variants = readdirSync(new URL('../fixtures/cdc/mariadb/variants/', import.meta.url)).map((name) =>
    name.replace('.jsonl', ''),
  )

  it.each(variants)('%s: nothing is refused, and every event is on file', async (name) => {
    const run = runCaptured(linesOfVariant(name), sourceOf(name))
    expect([...run.asides.keys()].filter((word) => word !== 'ignored tombstone')).toEqual([])
    if (name !== 'mysql-connector-on-mariadb') expect(storyOf(run, '1801')).toEqual(expected)
    await expect(linesOf(run)).toMatchFileSnapshot(`golden/variants/${name}.jsonl`)
  })

  it.each(variants.filter((name) => !/^(?:isostring|mysql)/.test(name)))(
    '%s: the same story with the default mapping, and the same in any other of these',
    (name) => {
      const run = runCaptured(linesOfVariant(name), defaultMapping())
      expect(linesOf(run)).toBe(linesOf(runCaptured(linesOfVariant(name), sourceOf(name))))
      // DATETIME(3) 18:30:00.250, and address_confirmed as 1 or true.
      expect(payloadsOf(run, '1801').map(({ sla_due_at }) => iso(sla_due_at ?? 0))).toEqual(
        Array(3).fill('2026-11-24T18:30:00.250Z'),
      )
      expect(payloadsOf(run, '1801').at(-1)?.delivery.address_confirmed).toBe(true)
    },
  )

  it('isostring-times-changed-only: nine columns need a mapping that knows of nine', () => {
    const name = 'isostring-times-changed-only'
    const unmapped = runCaptured(linesOfVariant(name), defaultMapping())
    expect(unmapped.asides.get('undecodable missing_column')).toBe(5)
    expect(unmapped.events).toEqual([])
    const run = runCaptured(linesOfVariant(name), sourceOf(name))
    expect(iso(payloadsOf(run, '1801')[0]?.sla_due_at ?? 0)).toBe('2026-11-24T18:30:00.250Z')
  })

  it('mysql-connector-on-mariadb: without GTID the file and its offset are the position', () => {
    const name = 'mysql-connector-on-mariadb'
    const run = runCaptured(linesOfVariant(name), sourceOf(name))
    // 1701 is a snapshot row, 1802 is inserted as NEW: nothing to say about either.
    expect(run.events).toEqual([])
    expect(run.enrich.order('1701')?.position).toBeNull()
    expect(run.enrich.order('1802')?.position).toMatchObject({
      source: 'mysql:omsmysql',
      lineage: 'server:223344:binlog',
      sequence: 1,
      offset_in_log: 468912,
      identity: '223344|binlog.000001|468912|0|c|1802',
    })
  })
})
