import { describe, expect, it } from 'vitest'
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import { manualClock } from '../../engine/index.ts'
import { firstPosition, type OmsOptions, simulatedOms } from './simulated-oms.ts'

const startMs = Date.UTC(2026, 10, 22, 4, 30)
const partners: OmsOptions['partners'] = [
  ['acme-retail', 3],
  ['bharat-books', 1],
]

/** Runs the order system for a while, asking every `stepMs`. */
function run(forMs: number, over: Partial<OmsOptions> & { stepMs?: number } = {}) {
  const clock = manualClock(startMs)
  const oms = simulatedOms({ seed: 7, clock, ratePerSecond: 2, partners, ...over })
  const records = oms.take()
  for (let at = 0; at < forMs; at += over.stepMs ?? 50) {
    clock.advance(over.stepMs ?? 50)
    records.push(...oms.take())
  }
  return { oms, clock, records, changes: records.map(parse) }
}

interface Row {
  id: number
  order_id?: number
  partner_id?: string
  status?: string
  status_version?: number
  attempt_no: number
  failure_reason_code?: string | null
  otp?: string
  updated_at: string
}

function parse(record: CapturedRecord) {
  const envelope = JSON.parse(String(record.value)) as {
    before: Row | null
    after: Row
    op: string
    source: { gtid: string; pos: number; ts_ms: number; table: string }
    transaction: { id: string }
  }
  return { ...envelope, record, runId: record.headers['__debezium.context.runId'] }
}

const statusesOf = (changes: ReturnType<typeof parse>[]) => {
  const byOrder = new Map<number, string[]>()
  const seen = new Set<string>()
  for (const { source, after, op, transaction } of changes) {
    const identity = `${transaction.id}|${source.pos}|${op}`
    if (source.table !== 'orders' || seen.has(identity)) continue
    seen.add(identity)
    const list = byOrder.get(after.id) ?? []
    if (list.at(-1) !== after.status) list.push(String(after.status))
    byOrder.set(after.id, list)
  }
  return byOrder
}

describe('the simulated order system', () => {
  it('gives the same records for the same seed, however often it is asked', () => {
    const often = run(60_000, { stepMs: 20 }).records
    const seldom = run(60_000, { stepMs: 3000 }).records
    expect(seldom).toEqual(often)
    expect(run(60_000, { seed: 8 }).records).not.toEqual(often)
  })

  it('shows the first event within two seconds and all six within the first minute, at any rate', () => {
    for (const ratePerSecond of [0.5, 2, 30]) {
      for (const seed of ratePerSecond > 10 ? [1] : [1, 2, 3]) {
        const { changes } = run(60_000, { seed, ratePerSecond })
        const confirmed = changes.find(({ after }) => after.status === 'CONFIRMED')
        expect((confirmed?.record.timestamp ?? 0) - startMs).toBeLessThan(1500)
        const reached = new Set(changes.map(({ after }) => after.status))
        for (const status of [
          'OUT_FOR_DELIVERY',
          'DELIVERED',
          'DELIVERY_FAILED',
          'RETURN_INITIATED',
          'RETURN_PICKED_UP',
        ]) {
          expect(reached, `seed ${seed}, ${ratePerSecond}/s`).toContain(status)
        }
      }
    }
  })

  it('places orders at the rate asked for', () => {
    const { changes } = run(60_000, { ratePerSecond: 20, crashEveryMs: 0 })
    const placed = changes.filter(({ op, source }) => op === 'c' && source.table === 'orders').length
    expect(placed).toBeGreaterThan(20 * 60 * 0.93)
    expect(placed).toBeLessThan(20 * 60 * 1.07)
  })

  it('lets orders take only the ways that orders take', () => {
    const next: Record<string, string[]> = {
      NEW: ['CONFIRMED'],
      CONFIRMED: ['PACKED', 'CANCELLED'],
      PACKED: ['OUT_FOR_DELIVERY'],
      OUT_FOR_DELIVERY: ['DELIVERED', 'DELIVERY_FAILED'],
      DELIVERY_FAILED: ['OUT_FOR_DELIVERY', 'CANCELLED'],
      DELIVERED: ['RETURN_INITIATED'],
      RETURN_INITIATED: ['RETURN_PICKED_UP'],
    }
    const lives = [...statusesOf(run(120_000, { ratePerSecond: 8 }).changes).values()]
    expect(lives.length).toBeGreaterThan(800)
    for (const life of lives) {
      for (let at = 1; at < life.length; at++) expect(next[String(life[at - 1])]).toContain(life[at])
    }
  })

  it('carries the row before each change, its version growing by one per status', () => {
    const rows = new Map<string, Row>()
    for (const { before, after, source } of run(60_000, { crashEveryMs: 0 }).changes) {
      const key = `${source.table}:${after.id}`
      expect(before).toEqual(rows.get(key) ?? null)
      if (before && before.status !== after.status) {
        expect(after.status_version).toBe((before.status_version ?? 0) + 1)
      }
      rows.set(key, after)
    }
  })

  it('assigns riders before, together with, after and never, and some twice', () => {
    const { changes } = run(150_000, { ratePerSecond: 8, crashEveryMs: 0 })
    const out = new Map<string, { at: number; gtid: string }>()
    for (const { after, record, source } of changes) {
      if (after.status === 'OUT_FOR_DELIVERY') {
        out.set(`${after.id}:${after.attempt_no}`, { at: record.timestamp, gtid: source.gtid })
      }
    }
    const kinds = new Map<string, number>()
    const note = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    for (const { before, after, record, source } of changes.filter(({ after }) => after.order_id)) {
      const going = out.get(`${after.order_id}:${after.attempt_no}`)
      out.delete(before ? '' : `${after.order_id}:${after.attempt_no}`)
      if (before) note('twice')
      else if (!going) note('not yet out')
      else if (going.gtid === source.gtid) note('together')
      else if (record.timestamp < going.at) note('before')
      else note(record.timestamp - going.at > 2000 ? 'late' : 'just after')
    }
    expect(out.size).toBeGreaterThan(0)
    for (const kind of ['before', 'just after', 'late', 'together', 'twice']) {
      expect([...kinds.keys()]).toContain(kind)
    }
  })

  it('repeats records after a crash with their old positions, new times and a new run id', () => {
    const { changes } = run(30_000, { ratePerSecond: 20, crashEveryMs: 20_000 })
    const first = new Map<string, (typeof changes)[number]>()
    const repeats: (typeof changes)[number][] = []
    for (const change of changes) {
      const identity = `${change.transaction.id}|${change.source.pos}`
      const earlier = first.get(identity)
      if (!earlier) {
        first.set(identity, change)
        continue
      }
      repeats.push(change)
      expect(change.runId).not.toBe(earlier.runId)
      expect(change.record.timestamp).toBeGreaterThanOrEqual(earlier.record.timestamp)
      expect({ ...change.after, source: change.source }).toEqual({ ...earlier.after, source: earlier.source })
    }
    expect(repeats.length).toBeGreaterThan(1)
  })

  it('goes on where an earlier run stopped: no id, GTID or position twice', () => {
    const one = run(30_000, { crashEveryMs: 0 })
    const two = run(30_000, { crashEveryMs: 0, start: one.oms.position() })
    const identities = (changes: ReturnType<typeof parse>[]) =>
      new Set(
        changes.flatMap(({ source, after, op }) => [
          source.gtid,
          op === 'c' ? `${source.table}${after.id}` : '',
        ]),
      )
    const again = [...identities(two.changes)].filter((id) => id !== '' && identities(one.changes).has(id))
    expect(again).toEqual([])
    expect(one.oms.position().orderId).toBeGreaterThan(firstPosition.orderId)
  })

  it('puts everything off over a gap instead of flooding', () => {
    const { oms, clock } = run(10_000)
    clock.advance(3_600_000)
    const records = oms.take()
    expect(records.length).toBeLessThan(300)
    expect(Math.max(...records.map(({ timestamp }) => timestamp))).toBeLessThanOrEqual(clock.now())
    clock.advance(100)
    expect(oms.take().every(({ timestamp }) => timestamp > clock.now() - 10_000)).toBe(true)
  })

  it('answers what dispatch knows before the change arrives', () => {
    const clock = manualClock(startMs)
    const oms = simulatedOms({ seed: 3, clock, ratePerSecond: 20, partners, crashEveryMs: 0 })
    let asked = 0
    let knownEarly = 0
    const arrived = new Set<string>()
    for (let at = 0; at < 120_000; at += 50) {
      clock.advance(50)
      for (const { after } of oms.take().map(parse)) {
        if (after.order_id) arrived.add(`${after.order_id}:${after.attempt_no}`)
        if (after.status !== 'OUT_FOR_DELIVERY') continue
        asked++
        const key = `${after.id}:${after.attempt_no}`
        if (!arrived.has(key) && oms.lookup(String(after.id), after.attempt_no)) knownEarly++
      }
    }
    expect(asked).toBeGreaterThan(1000)
    expect(knownEarly).toBeGreaterThan(0)
    expect(oms.lookup('1', 1)).toBeUndefined()
  })
})

describe('the shape of its changes', () => {
  it('is that of recorded messages, field by field', () => {
    const { changes, records } = run(20_000)
    const update = changes.find(({ op, source }) => op === 'u' && source.table === 'orders')
    expect(Object.keys(update ?? {}).slice(0, 8)).toEqual([
      'before',
      'after',
      'source',
      'transaction',
      'op',
      'ts_ms',
      'ts_us',
      'ts_ns',
    ])
    expect(Object.keys(update?.source ?? {}).join()).toBe(
      'version,connector,name,ts_ms,snapshot,db,sequence,ts_us,ts_ns,table,server_id,gtid,file,pos,row,thread,query',
    )
    expect(Object.keys(update?.after ?? {}).join()).toBe(
      'id,order_number,partner_id,customer_id,customer_name,customer_phone,city,status,status_version,attempt_no,' +
        'sla_due_at,address,address_confirmed,cod_amount,failure_reason_code,rescheduled_for,return_reason_code,' +
        'return_condition,return_pickup_eta,created_at,updated_at,delivered_at',
    )
    const assignment = changes.find(({ source }) => source.table === 'assignments')
    expect(Object.keys(assignment?.after ?? {}).join()).toBe(
      'id,order_id,attempt_no,rider_id,rider_name,rider_phone,otp,eta_start,eta_end,assigned_at,updated_at',
    )
    expect((update?.source.ts_ms ?? 1) % 1000).toBe(0)
    expect(String(records[0]?.value)).toMatch(/"ts_us":\d{16},"ts_ns":\d{19}\}$/)
    expect(String(records[0]?.value)).toMatch(/"source":\{.*"ts_ns":\d{19},"table"/)
    expect(records[0]?.key).toBe('{"id":1001}')
    expect(Object.keys(records[0]?.headers ?? {}).sort()).toEqual([
      '__debezium.context.connectorLogicalName',
      '__debezium.context.connectorName',
      '__debezium.context.runId',
      '__debezium.context.taskId',
    ])
  })
})
