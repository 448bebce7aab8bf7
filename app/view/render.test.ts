import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { render } from './render.ts'
import type { ViewSnapshot } from './snapshot.ts'
import { summaryJson, summaryLine } from './summary-line.ts'

const startedAt = Date.UTC(2026, 10, 22, 4, 30)
const now = startedAt + 102_000

const empty: ViewSnapshot = {
  about: ['embedded'],
  startedAt,
  now: startedAt,
  changesIn: 0,
  changesPerSecond: 0,
  events: 0,
  delivered: 0,
  deliveredPerSecond: 0,
  waiting: 0,
  queued: 0,
  inFlight: 0,
  tiers: [
    { name: '30 s', count: 0 },
    { name: '2 m', count: 0 },
    { name: '8 m', count: 0 },
  ],
  dead: 0,
  skipped: 0,
  undecodable: 0,
  held: 0,
  latency: undefined,
  endpoints: [],
  recent: [],
}

const busy: ViewSnapshot = {
  ...empty,
  about: ['embedded', 'demo 2 orders/s', 'Ctrl-C stops'],
  now,
  changesIn: 1284,
  changesPerSecond: 17.6,
  events: 512,
  delivered: 641,
  deliveredPerSecond: 9.84,
  waiting: 38,
  queued: 10,
  inFlight: 4,
  tiers: [
    { name: '30 s', count: 12 },
    { name: '2 m', count: 9 },
    { name: '8 m', count: 3 },
  ],
  dead: 2,
  skipped: 1,
  undecodable: 0,
  held: 17,
  latency: { p50Ms: 14.2, p99Ms: 1496 },
  endpoints: [
    {
      id: 'acme-orders',
      state: 'active',
      acknowledged: 412,
      failed: 0,
      waiting: 0,
      last: '200',
      lastOk: true,
    },
    {
      id: 'bharat-main',
      state: 'paused',
      acknowledged: 190,
      failed: 0,
      waiting: 6,
      last: '200',
      lastOk: true,
    },
    {
      id: 'chai-flaky',
      state: 'active',
      acknowledged: 88,
      failed: 31,
      waiting: 12,
      last: '500',
      lastOk: false,
    },
    {
      id: 'an-endpoint-with-quite-a-long-name-that-goes-on',
      state: 'auto-disabled',
      acknowledged: 0,
      failed: 1204,
      waiting: 20,
      last: 'timeout response',
      lastOk: false,
    },
  ],
  recent: [
    ['delivered', 'return_picked_up', '1042', 'acme-orders', '200 · 12 ms'],
    ['retry', 'out_for_delivery', '1043', 'chai-flaky', '500 · 8 ms · again in 30 s'],
    ['dead', 'delivered', '1011', 'everest-hanging', 'timeout response · 3001 ms · no retries left'],
    ['skipped', 'delivery_failed', '1000000231', 'falcon-dead', 'too old'],
  ].map(([result, event, orderId, endpointId, detail], index) => ({
    deliveryId: String(index),
    at: now - index * 700,
    result: result as 'delivered',
    event: String(event),
    orderId: String(orderId),
    endpointId: String(endpointId),
    detail: String(detail),
  })),
}

const lines = (text: string) => stripVTControlCharacters(text).split('\n')

describe('the terminal view', () => {
  it.each([60, 80, 110])('looks like this at %i columns', async (width) => {
    await expect(`${render(busy, { width, color: false })}\n`).toMatchFileSnapshot(`golden/busy-${width}.txt`)
  })

  it('looks like this before anything happens', async () => {
    await expect(`${render(empty, { width: 80, color: false })}\n`).toMatchFileSnapshot('golden/empty-80.txt')
  })

  it('is never wider than the terminal, with or without colours', () => {
    for (let width = 60; width <= 140; width++) {
      for (const color of [true, false]) {
        const widest = Math.max(...lines(render(busy, { width, color })).map((line) => line.length))
        expect(widest, `${width} columns`).toBeLessThanOrEqual(width)
      }
    }
  })

  it('says the same with and without colours, and colours nothing when it must not', () => {
    const plain = render(busy, { width: 100, color: false })
    expect(lines(render(busy, { width: 100, color: true })).join('\n')).toBe(plain)
    expect(plain).not.toContain('\x1b')
    expect(render(busy, { width: 100, color: true })).toContain('\x1b[')
  })

  it('is never higher than the terminal, and says what it leaves out', () => {
    const many = {
      ...busy,
      endpoints: Array.from(
        { length: 40 },
        (_, at) => ({ ...busy.endpoints[0], id: `e${at}` }) as (typeof busy.endpoints)[number],
      ),
    }
    for (let height = 16; height <= 60; height++) {
      expect(
        lines(render(many, { width: 80, color: false, height })).length,
        `${height} rows`,
      ).toBeLessThanOrEqual(height)
    }
    expect(render(many, { width: 80, color: false, height: 24 })).toMatch(/and \d+ more/)
  })
})

describe('the summary line', () => {
  it('holds the numbers that matter, on one line', () => {
    expect(summaryLine(busy)).toBe(
      '04:31:42  in 1,284 (18/s)  events 512  delivered 641 (9.8/s)  waiting 38  dead 2  skipped 1  undecodable 0  p50 14 ms p99 1.5 s',
    )
    expect(summaryLine(empty)).not.toContain('p50')
  })

  it('is an object for programs', () => {
    expect(JSON.parse(summaryJson(busy))).toMatchObject({
      at: '2026-11-22T04:31:42.000Z',
      uptime_ms: 102_000,
      delivered: 641,
    })
  })
})
