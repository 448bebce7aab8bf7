/**
 * kill -9 of one of three processes in mid-transaction, again and again, while 100,000 records pass through two
 * stages: what comes out is compared record by record with what should.
 */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Random, seededRandom, systemClock } from '../../engine/index.ts'
import { service } from '../stack/services.ts'
import { type CountingStory, openCountingStory } from './counting-story.ts'
import { type InstanceProcess, pause, until } from './processes.ts'

const names = ['a', 'b', 'c']
const records = 100_000
const feedMs = 60_000
/** The session, and what a busy machine needs on top. */
const goneWithinMs = 30_000

let story: CountingStory
let seed: number
let random: Random
beforeEach(async () => {
  seed = Math.trunc(systemClock.now()) % 1_000_000
  random = seededRandom(seed)
  const { brokers } = await service('kafka')
  story = await openCountingStory({ brokers, run: `kill-${randomUUID().slice(0, 8)}`, random, keys: 2_000 })
})
afterEach(() => story?.close())

it('loses nothing, repeats nothing and keeps each key in order', { timeout: 240_000 }, async () => {
  const running = new Map(names.map((name) => [name, story.start(name)]))
  await Promise.all([...running.values()].map((each) => each.says('running')))
  let isFed = false
  const feeding = story.feed({ records, overMs: feedMs }).then(() => {
    isFed = true
  })
  let kills = 0
  let inTransaction = 0
  for (; !isFed; kills++) {
    await pause(1500 + random.next() * 3500)
    const name = names[Math.floor(random.next() * names.length)] ?? 'a'
    // Once all is fed and has passed, there will be no more transaction to kill in.
    const isOpenOrOver = async () => isFed || (await story.hasOpenTransaction())
    await until(isOpenOrOver, { what: 'a transaction', withinMs: 30_000, lookEveryMs: 1 })
    await (running.get(name) as InstanceProcess).kill()
    if (await story.hasOpenTransaction()) inTransaction++
    // Every third is gone for good as far as the others know: they take over, and it comes back later.
    if (kills % 3 === 2) await story.membersAre(names.length - 1, goneWithinMs)
    running.set(name, story.start(name))
  }
  await feeding
  await story.finish(60_000)
  const context = `seed ${seed}, ${kills} kills, ${inTransaction} of them in mid-transaction`
  expect((await story.findings()).slice(0, 10), context).toEqual([])
  expect(story.out(), context).toBe(records)
  expect(inTransaction, context).toBeGreaterThan(0)
})
