import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { demoShares } from './demo-partners.ts'
import { openDemoState } from './demo-state.ts'
import { runDemo } from './run-demo.ts'
import { firstPosition, simulatedOms } from './simulated-oms.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-demo-'))
afterAll(() => rmSync(folder, { recursive: true }))

const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('running the demo', () => {
  it('hands on what is due, waits for each append, and notes where it stopped', async () => {
    const clock = manualClock(1_795_322_369_000)
    const oms = simulatedOms({ seed: 1, clock, ratePerSecond: 5, partners: demoShares })
    const state = openDemoState(join(folder, 'run'))
    const stop = new AbortController()
    let records = 0
    let open = 0
    const running = runDemo({
      oms,
      state,
      clock,
      signal: stop.signal,
      ingest: async (batch) => {
        expect(++open).toBe(1)
        await tick()
        records += batch.length
        open--
      },
    })
    for (let at = 0; at < 1000; at++) {
      await tick()
      clock.advance(10)
    }
    expect(records).toBeGreaterThan(50)
    stop.abort()
    await running
    expect(openDemoState(join(folder, 'run')).start).toEqual(oms.position())
  })

  it('stops with the error when an append fails', async () => {
    const clock = manualClock(0)
    const oms = simulatedOms({ seed: 1, clock, ratePerSecond: 5, partners: demoShares })
    const state = { reached: () => undefined, close: () => undefined }
    const ingest = () => Promise.reject(new Error('disk full'))
    const running = runDemo({ oms, state, clock, ingest, signal: new AbortController().signal })
    const failed = expect(running).rejects.toThrow('disk full')
    for (let at = 0; at < 5; at++) {
      await tick()
      clock.advance(10)
    }
    await failed
  })
})

describe('the state of the demo', () => {
  it('begins anew in an empty directory and counts its runs', () => {
    const directory = join(folder, 'fresh')
    expect(openDemoState(directory)).toMatchObject({ start: firstPosition, run: 1 })
    expect(openDemoState(directory).run).toBe(2)
    expect(statSync(join(directory, 'demo.json')).mode & 0o777).toBe(0o600)
  })

  it('skips what a killed run may have used', () => {
    const directory = join(folder, 'killed')
    const killed = openDemoState(directory)
    const far = { ...killed.start, orderId: killed.start.orderId + 119_000 }
    killed.reached(far)
    const next = openDemoState(directory).start
    expect(next.orderId).toBeGreaterThan(far.orderId)
    expect(next.assignmentId).toBeGreaterThan(far.assignmentId)
    expect(next.binlog.transaction).toBeGreaterThan(far.binlog.transaction)
  })

  it('says what to do about a damaged file', () => {
    const directory = join(folder, 'damaged')
    openDemoState(directory)
    for (const text of ['{', '{"run":1}', '{"run":1,"position":{"orderId":"x"}}']) {
      writeFileSync(join(directory, 'demo.json'), text)
      expect(() => openDemoState(directory)).toThrow(/cannot be read \(.*demo\.json\) — restore it/)
    }
    expect(readFileSync(join(directory, 'demo.json'), 'utf8')).toContain('"x"')
  })
})
