/** The log as a whole: up to when it is complete, and being cleared, expired and closed. */
import { expect, it } from 'vitest'
import { everything } from '../../delivery-log.ts'
import { attempted, batch, health, history, idOf, testStartMs, verdict } from '../log-records.ts'
import type { OpenLog } from './workbench.ts'

export function upkeepContract(open: OpenLog): void {
  it('says up to when it is complete', async () => {
    const behind = new Set<string>()
    const log = await open({ backlog: async () => ({ now: testStartMs + 5000, behind }) })
    const at = (partition: number, offset: number, time: number) =>
      ({ source: 'history', partition, offset, at: testStartMs + time }) as const
    await log.write(batch({ positions: [at(0, 10, 100), at(1, 7, 400), at(0, 12, 200)] }))
    expect(await log.asOf()).toBe(testStartMs + 5000)
    behind.add('history:0')
    expect(await log.asOf()).toBe(testStartMs + 200)
    expect(await log.listEvents(everything, {}, { limit: 1 })).toMatchObject({ as_of: testStartMs + 200 })
    behind.add('verdicts:3')
    expect(await log.asOf()).toBeNull()
    await log.write(batch({ positions: [at(0, 11, 150)] }))
    expect(await log.positions()).toEqual([at(0, 12, 200), at(1, 7, 400)])
  })

  it('takes every partition for behind when nobody tells', async () => {
    const log = await open()
    const position = { source: 'history', partition: 0, offset: 1, at: testStartMs } as const
    await log.write(batch({ positions: [position, { ...position, partition: 1, at: testStartMs + 9000 }] }))
    expect(await log.asOf()).toBe(testStartMs)
  })

  it('is empty after being cleared, and takes the same records again', async () => {
    const log = await open()
    const records = batch({
      history: [history({ payload: '{}' }), attempted()],
      verdicts: [verdict()],
      health: [health()],
      positions: [{ source: 'history', partition: 0, offset: 1, at: testStartMs }],
    })
    await log.write(records)
    const before = await log.counts(everything)
    await log.clear()
    expect((await log.counts(everything)).events).toBe(0)
    expect(await log.positions()).toEqual([])
    await log.write(records)
    expect(await log.counts(everything)).toEqual(before)
  })

  it('removes old events with all that hangs on them, and nothing else', async () => {
    const log = await open()
    const life = (of: string, occurred_at: number) =>
      batch({
        verdicts: [verdict({ of, occurred_at })],
        history: [history({ of, occurred_at, payload: '{}' }), attempted({ of, occurred_at })],
      })
    await log.write(batch({ health: [health()] }))
    await log.write(life('young', testStartMs))
    const young = await log.counts(everything)
    const detail = await log.getEvent(everything, idOf('young'))
    for (let n = 0; n < 5; n++) await log.write(life(`old-${n}`, testStartMs - 1 - n))
    const stopped = new AbortController()
    stopped.abort()
    expect(await log.expire(testStartMs, { signal: stopped.signal })).toBe(0)
    expect(await log.expire(testStartMs)).toBe(5)
    expect(await log.expire(testStartMs)).toBe(0)
    expect(await log.counts(everything)).toEqual(young)
    expect(await log.getEvent(everything, idOf('young'))).toEqual(detail)
    expect(await log.getDelivery(everything, idOf('old-0 at ep-1'))).toBeUndefined()
  })

  it('answers nothing after it was closed', async () => {
    const log = await open()
    await log.close()
    await log.close()
    await expect(log.ping()).rejects.toMatchObject({ name: 'DeliveryLogError', reason: 'closed' })
    await expect(log.write(batch({ history: [history()] }))).rejects.toThrow('closed')
  })
}
