/**
 * A second order system as Debezium would capture it, from MySQL or PostgreSQL: a small generator of captured lines
 * with other names, words, ids and times than the recordings. It writes a life story, in the shapes that the
 * recordings have.
 */
import type { CapturedLine } from '../golden-events/captured-run.ts'

export type Flavour = 'mysql' | 'postgresql'
type Row = Readonly<Record<string, unknown>>

const serverUuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562'

/** UUIDs that can be told apart by eye. */
export const consignmentId = (number: number): string =>
  `c0000000-0000-4000-8000-${String(number).padStart(12, '0')}`

/** A clock on the wall, as text without an offset, e.g. `2026-10-25T02:30:00.000`. */
type WallClock = string

/** Writes captured lines. Times are given as UTC, and what the wall in Berlin shows then. */
function recorder(flavour: Flavour) {
  const isMysql = flavour === 'mysql'
  const prefix = isMysql ? 'shop' : 'pgshop'
  const lines: CapturedLine[] = []
  const rows = new Map<string, Row>()
  const offsets = new Map<string, number>()
  let transaction = 100

  const wall = (clock: WallClock): number => Date.parse(`${clock}Z`) * (isMysql ? 1 : 1000)

  const source = (table: string, atMs: number, snapshot: boolean): Row => ({
    version: '3.5.0.Final',
    connector: flavour,
    name: prefix,
    ts_ms: Math.floor(atMs / 1000) * 1000,
    snapshot: snapshot ? 'true' : 'false',
    db: isMysql ? 'logistics' : 'shop',
    sequence: isMysql ? null : `[null,"${transaction * 1000}"]`,
    ...(isMysql
      ? {
          ...{ table, server_id: snapshot ? 0 : 7, gtid: snapshot ? null : `${serverUuid}:${transaction}` },
          ...{ file: 'mysql-bin.000004', pos: transaction * 500, row: 0, thread: null, query: null },
        }
      : { schema: 'logistics', table, txId: transaction, lsn: transaction * 1000, xmin: null }),
  })

  /** Without the whole old row PostgreSQL writes no row before an update, and the key alone before a delete. */
  const beforeOf = (op: string, row: Row | null, key: Row): Row | null => {
    if (isMysql || row === null) return row
    return op === 'd' ? { ...key, state: '', try_no: 0 } : null
  }

  return {
    lines,
    wall,
    write(
      table: 'consignments' | 'tours',
      id: string,
      after: Row | null,
      options: { op?: 'c' | 'u' | 'd' | 'r'; atMs: number; sameTransaction?: boolean },
    ) {
      const name = `${table}/${id}`
      const before = rows.get(name) ?? null
      const op = options.op ?? (after === null ? 'd' : before === null ? 'c' : 'u')
      if (options.sameTransaction !== true && op !== 'r') transaction += 1
      const topic = `${prefix}.logistics.${table}`
      const key = { [table === 'tours' ? 'tour_uuid' : 'consignment_uuid']: id }
      const current = after && { ...before, ...key, ...after }
      const message = {
        before: op === 'c' || op === 'r' ? null : beforeOf(op, before, key),
        after: current,
        source: source(table, options.atMs, op === 'r'),
        transaction: null,
        op,
        ts_ms: options.atMs + 40,
      }
      if (current) rows.set(name, current)
      else rows.delete(name)
      const append = (value: string | null) => {
        const offset = offsets.get(topic) ?? 0
        offsets.set(topic, offset + 1)
        const timestamp = options.atMs + 60
        lines.push({ topic, partition: 0, offset, timestamp, key: JSON.stringify(key), value, headers: {} })
      }
      append(JSON.stringify(message))
      if (op === 'd') append(null)
    },
  }
}

const consignment = {
  merchant: 'nordwind',
  label: 'NW-1',
  recipient_no: 'R-88',
  recipient: 'Jürgen Öztürk',
  recipient_mobile: '0151 23456789',
  town: 'Köln',
  state: 'booked',
  try_no: 1,
  why_failed: null,
  why_back: null,
  promised_until: null,
  next_try: null,
  handed_over: null,
  colli: 2,
}

const tour = {
  driver: 'Mia Schäfer',
  driver_mobile: '+49 160 1234567',
  pin: '0042',
  window_from: null,
  window_to: null,
}

/**
 * What happened, on the day after which the clocks go back in Berlin (2026-10-25, 03:00 summer time is 02:00 again):
 *
 * - 1: its whole life with two attempts, handed over within the hour that comes twice, sent back and collected
 * - 2: existed before (snapshot, accepted); is handed over. No version: its ids come from the log position
 * - 3: accepted, put back to booked, accepted again: the same words twice, two events
 * - 4: accepted and deleted, and made again under the same id
 * - 5: goes out and nobody ever drives it
 */
export function consignmentStory(flavour: Flavour): CapturedLine[] {
  const { lines, wall, write } = recorder(flavour)
  const utc = (text: string) => Date.parse(`2026-10-${text}Z`)
  const local = (text: string) => wall(`2026-10-${text}`)
  /** A change of a consignment: number, UTC, wall clock, columns. */
  const change = (number: number, at: string, on: string, columns: Row, op?: 'c' | 'u' | 'r') =>
    write(
      'consignments',
      consignmentId(number),
      { ...columns, changed: local(on) },
      { atMs: utc(at), ...(op && { op }) },
    )
  const made = (number: number, on: string, columns: Row = {}): Row => ({
    ...consignment,
    label: `NW-${number}`,
    made: local(on),
    promised_until: wall('2026-10-26T18:00:00'),
    ...columns,
  })
  const drive = (number: number, tryNo: number, at: string, on: string, columns: Row = {}) =>
    write(
      'tours',
      `d0000000-0000-4000-8000-${String(number * 10 + tryNo).padStart(12, '0')}`,
      {
        ...tour,
        ...{ consignment_uuid: consignmentId(number), try_no: tryNo, changed: local(on) },
        ...{ window_from: wall('2026-10-25T09:00:00'), window_to: wall('2026-10-25T11:00:00') },
        ...columns,
      },
      { atMs: utc(at) },
    )

  change(2, '24T20:00:00.000', '24T21:00:00.000', made(2, '24T12:00:00.000', { state: 'accepted' }), 'r')
  change(1, '24T20:01:00.000', '24T22:01:00.000', made(1, '24T22:01:00.000'))
  change(1, '24T20:02:00.000', '24T22:02:00.000', { state: 'accepted' })
  drive(1, 1, '24T20:03:00.000', '24T22:03:00.000')
  change(1, '24T20:04:00.000', '24T22:04:00.000', { state: 'on vehicle' })
  change(1, '24T21:00:00.000', '24T23:00:00.000', {
    ...{ state: 'attempt failed', why_failed: 'NOBODY_HOME', next_try: wall('2026-10-25T01:00:00') },
  })
  change(1, '24T23:30:00.000', '25T01:30:00.000', { state: 'on vehicle', try_no: 2 })
  drive(1, 2, '24T23:30:01.000', '25T01:30:01.000', { driver: 'Ole Brandt', pin: '7710' })
  // 02:30 summer time, the first of the two.
  change(1, '25T00:30:00.000', '25T02:30:00.000', {
    state: 'handed over',
    handed_over: local('25T02:30:00.000'),
  })
  change(2, '25T00:40:00.000', '25T02:40:00.000', {
    state: 'handed over',
    handed_over: local('25T02:39:00.000'),
  })
  change(3, '25T08:00:00.000', '25T09:00:00.000', made(3, '25T09:00:00.000', { state: 'accepted' }))
  change(3, '25T08:01:00.000', '25T09:01:00.000', { state: 'booked' })
  change(3, '25T08:02:00.000', '25T09:02:00.000', { state: 'accepted' })
  change(4, '25T08:10:00.000', '25T09:10:00.000', made(4, '25T09:10:00.000', { state: 'accepted' }))
  write('consignments', consignmentId(4), null, { atMs: utc('25T08:11:00.000') })
  change(4, '25T08:12:00.000', '25T09:12:00.000', made(4, '25T09:12:00.000', { state: 'accepted' }))
  change(5, '25T08:20:00.000', '25T09:20:00.000', made(5, '25T09:20:00.000', { state: 'sorted' }))
  change(5, '25T08:21:00.000', '25T09:21:00.000', { state: 'on vehicle' })
  change(1, '25T09:00:00.000', '25T10:00:00.000', { state: 'sent back', why_back: 'WRONG_SIZE' })
  change(1, '25T10:00:00.000', '25T11:00:00.000', { state: 'collected' })
  return lines
}
