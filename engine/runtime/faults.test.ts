import { describe, expect, it } from 'vitest'
import { type StoryOptions, tellStory } from './testing/fault-story.ts'

const stories = Number(process.env.WAYBILL_STORIES ?? 50)
const firstSeed = Number(process.env.WAYBILL_FIRST_STORY ?? 0)
const seedsFrom = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => from + index + 1)

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

async function holds(seed: number, options: StoryOptions) {
  const story = await tellStory(seed, 60, options)
  try {
    for (const topic of ['totals', 'answers', 'late'] as const) {
      const seen = await story.outputs(topic)
      for (const [word, count] of story.model) {
        expect(seen.get(word), `${topic} of ${word}`).toEqual(upTo(count))
      }
    }
    const asked = [...story.model.values()].reduce((sum, count) => sum + count, 0)
    expect(story.calls()).toBeGreaterThanOrEqual(asked)
  } catch (error) {
    throw new Error(`seed ${seed}:\n${story.steps.join('\n')}`, { cause: error })
  } finally {
    await story.close()
  }
}

describe('after faults of every kind, a record has taken effect once', () => {
  it.each(seedsFrom(firstSeed, stories))('story %i', (seed) => holds(seed, {}))

  // A commit fenced while the instance was stopping left a member in the group that did nothing.
  it.each([63])('story %i, which once failed', (seed) => holds(seed, {}))

  it.each(seedsFrom(firstSeed + 10_000, Math.ceil(stories / 2)))('story %i, with standbys', (seed) =>
    holds(seed, { standbys: 1 }),
  )

  it.each(seedsFrom(firstSeed + 20_000, Math.ceil(stories / 2)))(
    'story %i, with standbys, and instances that run a part',
    (seed) => holds(seed, { standbys: 1, roles: true }),
  )

  it.each(seedsFrom(firstSeed + 30_000, stories))('story %i, with outputs that go ahead', (seed) =>
    holds(seed, { ahead: true }),
  )
})
