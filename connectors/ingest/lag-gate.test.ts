import { describe, expect, it } from 'vitest'
import { createMemoryLog, manualClock } from '../../engine/index.ts'
import { lagGate } from './lag-gate.ts'

const config = { cleanup: 'delete', retentionMs: -1, timestampType: 'create', maxRecordBytes: 1e6 } as const

async function fixture(lagMax: number) {
  const clock = manualClock(1_000_000)
  const log = createMemoryLog({ clock })
  await log.admin.createTopics([{ name: 'orders', partitions: 2, config }])
  const reports: string[] = []
  const gate = lagGate({
    log,
    groupId: 'readers',
    topics: ['orders', 'not there'],
    clock,
    lagMax,
    report: (message) => reports.push(message),
  })
  const writer = log.writer({ transactionalId: 'w' })
  const append = (partition: number, count: number) =>
    writer.append([
      {
        topic: 'orders',
        partition,
        records: Array.from({ length: count }, () => ({ key: null, value: null, headers: [], timestamp: 1 })),
      },
    ])
  /** A second passes, and what the gate then asks is answered. */
  const look = async () => {
    clock.advance(1000)
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  return { clock, log, gate, reports, append, look }
}

describe('the gate before the captured topics', () => {
  it('closes when nobody reads what comes, over all partitions, and opens when it was read', async () => {
    const { log, gate, append, look } = await fixture(9)
    await append(0, 5)
    await append(1, 4)
    await look()
    expect([gate.lag(), gate.overloaded()]).toEqual([9, undefined])
    await append(1, 1)
    await look()
    expect([gate.lag(), gate.overloaded()]).toEqual([10, 5])
    await log.admin.deleteRecords([{ topic: 'orders', partition: 0, offset: 5 }])
    await look()
    expect([gate.lag(), gate.overloaded()]).toEqual([5, undefined])
    gate.stop()
  })

  it('stays as it was while the log does not answer, says so, and asks no more once stopped', async () => {
    const { clock, log, gate, reports, append, look } = await fixture(1)
    await append(0, 5)
    await look()
    await log.close()
    await look()
    expect(gate.overloaded()).toBe(5)
    expect(reports[0]).toContain('cannot be seen')
    gate.stop()
    expect(clock.nextTimer()).toBeUndefined()
  })
})
