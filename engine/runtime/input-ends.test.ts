import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { topologyBuilder } from '../graph/builder.ts'
import { defineTopic } from '../graph/topic.ts'
import { createMemoryLog } from '../record-log/memory/memory-log.ts'
import { utf8 } from '../serdes/serde.ts'
import { testDriver } from '../testing.ts'
import { inputEnds, topicsFeeding } from './input-ends.ts'
import { gate, turns } from './testing/scene.ts'

const topic = (name: string, timestampType: 'create' | 'append' = 'create') =>
  defineTopic({ name, key: utf8, value: utf8, partitions: 1, timestampType })

const captured = topic('captured')
const changes = topic('changes')
const later = topic('later', 'append')
const events = topic('events')

function twoStages() {
  const builder = topologyBuilder('two-stages')
  builder
    .stream(captured)
    .mapValues((value) => value)
    .to(changes)
  const merged = builder.stream(changes).merge(builder.delayed(later, 30_000))
  merged.to(events)
  merged.filter(() => false).to(later)
  builder.stream(events).toTable('kept', utf8)
  return builder.build()
}

describe('the topics in front of a topic', () => {
  it('are the sources of everything that leads to it, without delayed ones and without its own', () => {
    const topology = twoStages()
    expect([...topicsFeeding(topology, 'changes', 1)]).toEqual(['captured'])
    expect([...topicsFeeding(topology, 'events', 2)]).toEqual(['changes', 'captured'])
    expect([...topicsFeeding(topology, 'later', 1)]).toEqual([])
    expect([...topicsFeeding(topology, 'captured', 0)]).toEqual([])
  })
})

describe('the end of an input', () => {
  const tp = { topic: 'changes', partition: 0 }

  async function outage() {
    const clock = manualClock(0)
    const log = createMemoryLog({ clock })
    const { config } = changes
    await log.admin.createTopics(['captured', 'changes'].map((name) => ({ name, partitions: 1, config })))
    const writer = log.writer({ transactionalId: 'test' })
    const append = (name: string, count: number) =>
      writer.append([
        {
          topic: name,
          partition: 0,
          records: Array.from({ length: count }, (_, index) => ({
            key: Buffer.from(`k${index}`),
            value: Buffer.from('v'),
            headers: [],
            timestamp: 0,
          })),
        },
      ])
    await append('captured', 3)
    await append('changes', 1)
    const ends = await inputEnds({
      admin: log.admin,
      groupId: 'g',
      partitions: [tp],
      feeding: (name) => new Set(name === 'changes' ? ['captured'] : []),
      partitionCount: () => 1,
      clock,
      report: (message, cause) => {
        throw new Error(message, { cause })
      },
    })
    const commit = async (offset: number) => {
      await writer.init()
      const transaction = writer.begin()
      const nobody = { groupId: 'g', generation: -1, memberId: '', instanceId: '' }
      await transaction.commitOffsets([{ topic: 'captured', partition: 0, offset, metadata: '' }], nobody)
      await transaction.end('commit')
    }
    /** Lets the looks that are due run. */
    const pass = async (ms: number) => {
      clock.advance(ms)
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    }
    return { ends, append, commit, pass, log }
  }

  it('is not known while changes from before the start are still on their way', async () => {
    const { ends, append, commit, pass } = await outage()
    expect(ends.end('changes')).toBeUndefined()
    await commit(2)
    await pass(1000)
    expect(ends.end('changes')).toBeUndefined()
    // The task in front has worked off all three, and written two changes more.
    await append('changes', 2)
    await commit(3)
    await pass(1000)
    expect(ends.end('changes')).toBe(3)
    // What comes later belongs to the time after the start.
    await append('changes', 5)
    await pass(1000)
    expect(ends.end('changes')).toBe(3)
  })

  it('is no longer looked for once the task is closed', async () => {
    const { ends, commit, pass } = await outage()
    ends.close()
    await commit(3)
    await pass(10_000)
    expect(ends.end('changes')).toBeUndefined()
  })
})

describe('an instance that is stopped while it opens its tasks', () => {
  /** Stops at the nth question that the start asks the log; whether there was one. */
  async function stopAt(nth: number) {
    const driver = await testDriver({ topology: twoStages(), instances: [] })
    const { config } = captured
    await driver.log.admin.createTopics([{ name: 'captured', partitions: 1, config }])
    // Not worked off yet: the ends of what is behind it are looked for again and again.
    await driver.append(captured, { key: 'k', value: 'v' })
    const { levers } = driver.log
    const held = gate()
    let asked = 0
    levers.before = (operation) => (operation === 'admin' && ++asked === nth ? held.passed : undefined)
    const starting = driver.start('a').catch(() => undefined)
    await turns(100)
    const wasAsked = asked >= nth
    levers.before = undefined
    const stopping = driver.application('a').stop()
    held.open()
    await Promise.all([starting, stopping])
    return { driver, wasAsked }
  }

  // A process was told to stop just then; it said that it had stopped, and looked at the closed log for ever.
  it('asks the log nothing more once it has stopped', async () => {
    let steps = 0
    for (let isOver = false; !isOver; steps++) {
      const { driver, wasAsked } = await stopAt(steps + 1)
      const late: number[] = []
      driver.log.levers.before = (operation) => {
        if (operation === 'admin') late.push(driver.clock.now())
        return undefined
      }
      driver.clock.advance(10_000)
      await turns()
      expect(late, `stopped at question ${steps + 1}`).toEqual([])
      await driver.close()
      isOver = !wasAsked
    }
    expect(steps).toBeGreaterThan(10)
  })
})
