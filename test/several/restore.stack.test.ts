/** Rebalances and a death while state is being restored from its changelogs, in processes on a real broker. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { seededRandom, systemClock } from '../../engine/index.ts'
import { service } from '../stack/services.ts'
import { type CountingStory, openCountingStory } from './counting-story.ts'

const keys = 30_000

let story: CountingStory
let seed: number
beforeEach(async () => {
  seed = Math.trunc(systemClock.now()) % 1_000_000
  const { brokers } = await service('kafka')
  const run = `restore-${randomUUID().slice(0, 8)}`
  story = await openCountingStory({ brokers, run, random: seededRandom(seed), keys })
})
afterEach(() => story?.close())

it('ends right when others join, and one dies, in mid-restore', { timeout: 180_000 }, async () => {
  await story.start('a').says('running')
  await story.feed({ records: 60_000, overMs: 6_000 })
  await story.finish(60_000)
  story.wipe('a')

  const first = story.start('b')
  await first.says('restored')
  const second = story.start('c')
  await second.says('restored')
  await first.kill()
  // Comes back with nothing on its disk, while what it had before is being restored elsewhere.
  await story.start('a').says('running')
  await story.feed({ records: 10_000, overMs: 3_000 })
  await story.finish(90_000)
  expect((await story.findings()).slice(0, 10), `seed ${seed}`).toEqual([])
  expect(story.out(), `seed ${seed}`).toBe(70_000)
})
