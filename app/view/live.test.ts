import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import {
  attemptDefaults,
  type DeliveryHistory,
  historyDefaults,
  testOrderPrefix,
} from '../../schemas/index.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { createDeliveryTally } from './delivery-tally.ts'
import { createLatencies, createRate } from './latency.ts'
import { liveNumbers, totals } from './live-numbers.ts'
import { paint } from './painter.ts'
import { waitingByPlace } from './waiting.ts'

const occurredAt = 1_000_000

function history(
  over: Partial<DeliveryHistory> & { outcome?: string; status?: number | null } = {},
): DeliveryHistory {
  const { outcome, status = null, ...rest } = over
  return {
    delivery_id: 'd1',
    event_id: 'v1',
    endpoint_id: 'e1',
    ...historyDefaults,
    partner_id: 'p1',
    order_id: 'o1',
    event: 'delivered',
    payload_version: 'v2',
    occurred_at: occurredAt,
    routed_at: occurredAt,
    order_sequence: 1,
    version: 1,
    at: occurredAt + 50,
    change: outcome === undefined ? 'ACCEPTED' : 'ATTEMPTED',
    state: 'waiting',
    retry_count: 0,
    attempt:
      outcome === undefined
        ? null
        : {
            attempt_id: 'a1',
            retry_count: over.retry_count ?? 0,
            trigger: 'FIRST',
            started_at: occurredAt + 40,
            outcome: { class: outcome, status_code: status, detail: null, duration_ms: 10 },
            ...attemptDefaults,
          },
    ...rest,
  }
}

const failed = { outcome: 'http_5xx', status: 500, next_due_at: occurredAt + 30_000 }
const acknowledged = { outcome: 'acknowledged', status: 200, state: 'delivered' as const }

describe('the tally of deliveries', () => {
  it('counts the requests of an endpoint, and tells the latest', () => {
    const tally = createDeliveryTally()
    tally.observe(history())
    expect(tally.numbers()).toMatchObject({ endpoints: [], recent: [] })
    tally.observe(history({ ...failed, version: 2 }))
    tally.observe(history({ ...failed, version: 3, retry_count: 1 }))
    tally.observe(history({ ...acknowledged, version: 4, retry_count: 2 }))
    const { endpoints, recent, latency } = tally.numbers()
    expect(endpoints).toEqual([
      { id: 'e1', setting: 'active', acknowledged: 1, failed: 2, last: '200', lastOk: true },
    ])
    expect(recent.map(({ result, detail }) => `${result} ${detail}`)).toEqual([
      'delivered 200 · 10 ms · retry 2',
      'retry 500 · 10 ms · again in 2 m',
      'retry 500 · 10 ms · again in 30 s',
    ])
    // Only first requests are timed: what a tier adds is meant to be there.
    expect(latency).toBeUndefined()
  })

  it('times a first acknowledgement from the change', () => {
    const tally = createDeliveryTally()
    tally.observe(history({ ...acknowledged }))
    expect(tally.numbers().latency).toEqual({ p50Ms: 50, p99Ms: 50 })
  })

  it('times no test of an endpoint', () => {
    const tally = createDeliveryTally()
    tally.observe(history({ ...acknowledged, order_id: `${testOrderPrefix}1` }))
    expect(tally.numbers().latency).toBeUndefined()
  })

  it('keeps no more than it shows', () => {
    const tally = createDeliveryTally()
    for (let at = 0; at < 500; at++) {
      tally.observe(history({ delivery_id: `d${at}` }))
      tally.observe(history({ ...acknowledged, delivery_id: `d${at}`, version: 2 }))
    }
    expect(tally.numbers().recent.length).toBeLessThanOrEqual(50)
  })
})

describe('latencies and rates', () => {
  it('are those of the latest samples', () => {
    const latencies = createLatencies(100)
    expect(latencies.percentiles()).toBeUndefined()
    for (let ms = 1; ms <= 100; ms++) latencies.add(ms)
    expect(latencies.percentiles()).toEqual({ p50Ms: 50, p99Ms: 99 })
    for (let ms = 0; ms < 100; ms++) latencies.add(7)
    expect(latencies.percentiles()).toEqual({ p50Ms: 7, p99Ms: 7 })
  })

  it('count over the last seconds only', () => {
    const rate = createRate(5000)
    expect(rate.perSecond()).toBe(0)
    for (let second = 0; second <= 20; second++) rate.note(second * 1000, second < 10 ? second * 100 : 1000)
    expect(rate.perSecond()).toBe(0)
    rate.note(21_000, 1060)
    expect(rate.perSecond()).toBeCloseTo(12, 0)
  })
})

describe('live numbers', () => {
  const waiting = [
    { endpointId: 'e1', queued: 4, inFlight: 1, inTiers: [3, 0, 0], autoDisabled: false },
    { endpointId: 'e3', queued: 1, inFlight: 1, inTiers: [0, 0, 1], autoDisabled: true },
  ]

  it('come from counters, whatever their labels, and add up', async () => {
    const counters = new Map([
      ['enrich_events{event="delivered"}', 3],
      ['enrich_events{event="order_confirmed"}', 4],
      ['enrich_events_else', 100],
      ['deliver_dead{reason="exhausted"}', 2],
      ['records.dead_lettered{topic="a",reason="b"}', 5],
    ])
    expect(totals(counters)('enrich_events')).toBe(7)
    const tally = createDeliveryTally()
    tally.endpoint('e1', 'paused')
    tally.endpoint('e2', 'active')
    tally.observe(history({ ...failed, version: 2 }))
    const snapshot = liveNumbers({
      about: [],
      clock: manualClock(0),
      counters: { add: () => undefined, snapshot: () => counters },
      changesIn: () => 9,
      tally,
      waiting: () => waiting,
    })()
    expect(snapshot).toMatchObject({
      events: 7,
      dead: 2,
      undecodable: 5,
      changesIn: 9,
      waiting: 11,
      queued: 5,
      inFlight: 2,
      tiers: [{ name: '30 s', count: 3 }, { name: '2 m', count: 0 }, { count: 1 }],
    })
    expect(snapshot.endpoints).toMatchObject([
      { id: 'e1', state: 'paused', failed: 1, waiting: 8 },
      { id: 'e2', state: 'active', failed: 0, waiting: 0 },
      { id: 'e3', state: 'auto-disabled', failed: 0, waiting: 3 },
    ])
    expect(waitingByPlace(waiting)).toEqual({ queued: 5, in_flight: 2, '30s': 3, '2m': 0, '8m': 1 })
  })
})

describe('painting', () => {
  const tick = () => new Promise((resolve) => setImmediate(resolve))

  async function painted(options: {
    terminal?: { columns: number; rows: number }
    format?: 'text' | 'json'
    forMs: number
  }) {
    const clock = manualClock(0)
    const { stdout } = capturedSurroundings(options.terminal ? { terminal: options.terminal } : {})
    const stop = new AbortController()
    const snapshot = liveNumbers({
      about: ['test'],
      clock,
      counters: { add: () => undefined, snapshot: () => new Map() },
      changesIn: () => 0,
      tally: createDeliveryTally(),
      waiting: () => [],
    })
    const running = paint({
      output: stdout,
      clock,
      format: options.format ?? 'text',
      color: false,
      snapshot,
      signal: stop.signal,
    })
    for (let ms = 0; ms < options.forMs; ms += 250) {
      await tick()
      clock.advance(250)
    }
    await tick()
    stop.abort()
    await running
    return stdout.text()
  }

  it('repaints a terminal in place and leaves it as it was', async () => {
    const text = await painted({ terminal: { columns: 80, rows: 24 }, forMs: 1000 })
    expect(text.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true)
    expect(text.split('\x1b[H').length - 1).toBeGreaterThanOrEqual(4)
    expect(text).toContain('\x1b[?25h\x1b[?1049l Waybill')
  })

  it('prints a line every five seconds where there is no terminal, and one at the end', async () => {
    const text = await painted({ forMs: 11_000 })
    expect(text.trimEnd().split('\n')).toHaveLength(3)
    expect(text).not.toContain('\x1b')
  })

  it('prints JSON when asked to, also on a terminal', async () => {
    const text = await painted({ format: 'json', terminal: { columns: 80, rows: 24 }, forMs: 6000 })
    for (const line of text.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ delivered: 0 })
  })
})
