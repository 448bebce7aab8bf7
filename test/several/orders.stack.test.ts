/** The whole pipeline in three processes on a real broker: killed, restarted one by one, and split by roles. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Random, seededRandom, systemClock } from '../../engine/index.ts'
import { wasOpen } from '../embedded/receiver.ts'
import { type OwnService, ownService } from '../stack/services.ts'
import { balanceOf, type OrderStory, openOrderStory, repeatsOf } from './order-story.ts'
import { type InstanceProcess, pause } from './processes.ts'

const names = ['a', 'b', 'c']
/** The session, and what a busy machine needs on top. */
const joinWithinMs = 40_000

let kafka: OwnService<'kafka'>
let story: OrderStory
let seed: number
let random: Random
let running: Map<string, InstanceProcess>
beforeEach(async () => {
  kafka = await ownService('kafka')
  seed = Math.trunc(systemClock.now()) % 1_000_000
  random = seededRandom(seed)
}, 120_000)
afterEach(async () => {
  await story?.close()
  await kafka?.release()
}, 60_000)

async function open(orders: number, failEvery = Number.POSITIVE_INFINITY) {
  story = await openOrderStory({
    brokers: kafka.brokers,
    orders,
    standbys: 1,
    answer: (webhookId, earlier) => ({
      status: earlier === 0 && Number.parseInt(webhookId.slice(0, 6), 16) % failEvery === 0 ? 500 : 200,
      afterMs: random.next() * 20,
    }),
  })
}

async function startAll(...args: string[][]) {
  running = new Map(names.map((name, nth) => [name, story.start(name, ...(args[nth] ?? []))]))
  await story.membersAre(names.length, joinWithinMs)
}

/** Every event once in the history, all of them delivered, none routed twice. */
async function expectBalance(context: string) {
  const balance = balanceOf(await story.history())
  const { routed, states } = balance
  expect(routed, context).toBe(story.events.length)
  expect(balance.distinct, context).toBe(routed)
  expect(states.delivered + states.waiting + states.dead + states.skipped, context).toBe(routed)
  expect(states, context).toEqual({ waiting: 0, delivered: routed, dead: 0, skipped: 0 })
  expect(balance.deliveredAttempts, context).toBe(routed)
  return balance
}

describe('three instances', () => {
  it('lose nothing to kill -9; only calls that were open repeat, marked', { timeout: 320_000 }, async () => {
    // One in forty fails the first time: retries, too, must survive.
    await open(1_000, 40)
    await startAll()
    let isFed = false
    const feeding = story.feed(45_000).then(() => {
      isFed = true
    })
    const kills: number[] = []
    while (!isFed) {
      await pause(2000 + random.next() * 5000)
      const name = names[Math.floor(random.next() * names.length)] ?? 'a'
      kills.push(await (running.get(name) as InstanceProcess).kill())
      // Every third stays away until the others have taken over.
      if (kills.length % 3 === 0) await story.membersAre(names.length - 1, joinWithinMs)
      running.set(name, story.start(name))
    }
    await feeding
    await story.allCame(90_000)
    await story.allEnded(90_000)
    await story.membersAre(names.length, joinWithinMs)
    await story.stopAll()

    const repeats = repeatsOf(story.receiver.received)
    const context = `seed ${seed}, ${kills.length} kills, ${repeats.length} repeats`
    const { marked } = await expectBalance(context)
    const unexplained = repeats.filter(
      ({ before, again }) => !kills.some((goneAt) => wasOpen(before, goneAt, again)),
    )
    expect(unexplained, context).toEqual([])
    const unmarked = repeats.filter(({ again }) => !marked.has(again.webhookId))
    expect(unmarked, context).toEqual([])
    const bodies = repeats.filter(({ before, again }) => before.body !== again.body)
    expect(bodies, context).toEqual([])
  })

  it('restart one after the other and nothing is lost or repeated', { timeout: 180_000 }, async () => {
    await open(600)
    await startAll()
    const feeding = story.feed(40_000)
    for (const name of names) {
      await pause(2000)
      await running.get(name)?.stop()
      running.set(name, story.start(name))
      await story.membersAre(names.length, joinWithinMs)
    }
    await feeding
    await story.allCame(60_000)
    await story.stopAll()
    expect(repeatsOf(story.receiver.received)).toEqual([])
    await expectBalance('rolling restart')
  })

  it('share the pipeline by roles, and a role that is away holds the rest up without a loss', {
    timeout: 180_000,
  }, async () => {
    await open(200)
    await startAll(
      ['--roles', 'normalize,enrich'],
      ['--roles', 'route,deliver'],
      ['--roles', 'route,deliver,watch'],
    )
    const feeding = story.feed(10_000)
    await pause(3000)
    await running.get('a')?.stop()
    await story.membersAre(2, joinWithinMs)
    const before = story.receiver.received.length
    expect(before).toBeLessThan(story.events.length)
    running.set('a', story.start('a', '--roles', 'normalize,enrich'))
    await feeding
    await story.allCame(60_000)
    await story.membersAre(names.length, joinWithinMs)
    await story.stopAll()
    expect(repeatsOf(story.receiver.received)).toEqual([])
    await expectBalance('roles')
  })
})
