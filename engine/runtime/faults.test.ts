import { describe, expect, it } from 'vitest'
import { tellStory } from './testing/fault-story.ts'

const seeds = Array.from({ length: Number(process.env.WAYBILL_STORIES ?? 50) }, (_, index) => index + 1)
const firstSeed = Number(process.env.WAYBILL_FIRST_STORY ?? 0)

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('after faults of every kind, a record has taken effect once', () => {
  it.each(seeds.map((seed) => seed + firstSeed))('story %i', async (seed) => {
    const story = await tellStory(seed, 60)
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
  })
})
