/**
 * A seeded story of faults: instances come, go, crash and freeze while records flow and the log misbehaves. At its
 * end everything must have happened exactly once. The same seed tells the same story.
 */
import { manualClock, seededRandom } from '../../clock.ts'
import { testDriver } from '../../testing.ts'
import { turns } from './scene.ts'
import { shakyCluster } from './shaky-cluster.ts'
import { answers, late, storyTopology, totals } from './story-topology.ts'

export interface Story {
  /** What was done to the cluster, for the report of a failing seed. */
  readonly steps: readonly string[]
  /** Occurrences of each word. */
  readonly model: ReadonlyMap<string, number>
  /** The values of each word on each output, in order. */
  outputs(topic: 'totals' | 'answers' | 'late'): Promise<Map<string, number[]>>
  /** Calls that were started, over all instances. */
  readonly calls: () => number
  close(): Promise<void>
}

export interface StoryOptions {
  /** Copies of each task with state. */
  readonly standbys?: number
  /** Some instances run only a part. */
  readonly roles?: boolean
  /** Commits wait, and outputs go out ahead of them. */
  readonly ahead?: boolean
}

const roles = { a: ['words'], b: ['counter'] }

/** Tells the story of a seed until all is quiet. */
export async function tellStory(seed: number, length: number, options: StoryOptions = {}): Promise<Story> {
  const random = seededRandom(seed)
  const clock = manualClock(Date.UTC(2026, 0, 1))
  let calls = 0
  const driver = await testDriver({
    topology: storyTopology(),
    clock,
    partitions: 2,
    standbys: options.standbys ?? 0,
    ...(options.roles && { only: roles }),
    ...(options.ahead && { commit: { intervalMs: 50, floorMs: 20, aheadBytes: 1 } }),
    // Faults may come oftener than any real call would have to put up with.
    calls: { maxStarts: 1000 },
    effects: {
      async 'counter.ask'() {
        calls++
        if (random.next() < 0.5) {
          await new Promise<void>((resolve) => {
            clock.at(clock.now() + Math.floor(random.next() * 200), resolve)
          })
        }
        return ''
      },
    },
  })
  const cluster = shakyCluster(driver, random, options)
  try {
    for (let step = 0; step < length; step++) {
      await cluster.step()
      await turns(Math.floor(random.next() * 8))
    }
    await cluster.calm()
  } catch (error) {
    await driver.close()
    throw new Error(`seed ${seed}:\n${cluster.steps.join('\n')}\n${driver.reports.join('\n')}`, {
      cause: error,
    })
  }
  return {
    steps: cluster.steps,
    model: cluster.model,
    calls: () => calls,
    async outputs(name) {
      const topic = { totals, answers, late }[name]
      const seen = new Map<string, number[]>()
      for (const { key, value } of await driver.read(topic)) seen.set(key, [...(seen.get(key) ?? []), value])
      return seen
    },
    close: driver.close,
  }
}
