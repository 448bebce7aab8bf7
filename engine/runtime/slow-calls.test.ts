/** What calls that take long leave to the others, with the real scheduler and a manual clock. */
import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { callScheduler } from './call-scheduler.ts'
import { counters } from './counters.ts'

const afterMs = 250

/** A scheduler with two slots whose calls end when they are told to. */
function scene(aside: number) {
  const clock = manualClock(1_000_000)
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const scheduler = callScheduler({
    handlers: new Map([
      [
        'p.call',
        (intent) => {
          started.push(intent.id)
          return new Promise<unknown>((resolve) => ends.set(intent.id, () => resolve('ok')))
        },
      ],
    ]),
    pools: { pool: 2 },
    defaultPoolSize: 1,
    total: 100,
    perKey: 9,
    maxStarts: 5,
    pipelineClock: clock,
    leaseFresh: () => true,
    counters: counters(),
    onFinished: () => {},
    slow: { clock, afterMs, aside: { pool: aside } },
  })
  const ask = (...ids: string[]) => {
    for (const id of ids) {
      const intent = { id, key: id.charAt(0), pool: 'pool', priority: 0, notAfter: Infinity, request: id }
      const view = { read: () => undefined, global: () => undefined }
      scheduler.submit({ taskId: 'task', effect: 'p.call', intent, starts: 0, view })
    }
    scheduler.pump()
  }
  const end = async (id: string) => {
    ends.get(id)?.()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return { clock, scheduler, started, ask, end }
}

describe('calls that take long', () => {
  it('hold up the others for no longer than a moment, however many they are', () => {
    const { clock, started, ask } = scene(64)
    ask('a1', 'b1', 'c1', 'd1', 'e1')
    expect(started).toEqual(['a1', 'b1'])
    clock.advance(afterMs - 1)
    expect(started).toHaveLength(2)
    clock.advance(1)
    expect(started).toEqual(['a1', 'b1', 'c1', 'd1'])
    clock.advance(afterMs)
    expect(started).toHaveLength(5)
  })

  it('do not hold up each other beyond their number, and none is lost', async () => {
    const { clock, scheduler, started, ask, end } = scene(4)
    ask('a1', 'b1', 'c1', 'd1', 'e1', 'f1', 'g1', 'h1')
    for (let round = 0; round < 5; round++) clock.advance(afterMs)
    // Four aside and two in the slots: the bound holds.
    expect(started).toHaveLength(6)
    expect(scheduler.running()).toBe(6)
    for (const id of ['a1', 'b1', 'c1', 'd1', 'e1', 'f1', 'g1', 'h1']) await end(id)
    expect(started).toHaveLength(8)
    for (const id of ['g1', 'h1']) await end(id)
    expect(scheduler.running()).toBe(0)
    expect(scheduler.takeFinished(() => true)).toHaveLength(8)
  })

  it('keep the next calls of their key out of the slots, until they have ended', async () => {
    const { clock, started, ask, end } = scene(16)
    ask('a1')
    clock.advance(afterMs)
    ask('a2', 'a3', 'b1', 'c1')
    expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3'])
    for (const id of ['a1', 'a2', 'a3', 'b1', 'c1']) await end(id)
    ask('a4', 'a5', 'a6')
    expect(started.slice(5)).toEqual(['a4', 'a5'])
  })

  it('are not watched any more when they have ended', async () => {
    const { clock, ask, end } = scene(16)
    ask('a1')
    await end('a1')
    clock.advance(afterMs)
    expect(clock.nextTimer()).toBeUndefined()
  })
})
