import { describe, expect, it } from 'vitest'
import { seededRandom, topologyNeeds } from '../engine/index.ts'
import { makeCodecs, makeSealer, openFolderRegistry } from '../schemas/index.ts'
import { pipeline, pipelineName } from './pipeline.ts'
import { retentionOrder, storeRetention, topicRetention } from './retention.ts'
import { makeTopics } from './topics.ts'

const codecs = makeCodecs(openFolderRegistry())
const topics = makeTopics(codecs)

/** The stores of the pipeline, as their changelogs name them. */
function storeNames(): string[] {
  const random = seededRandom(1)
  const sealer = makeSealer({ keys: [{ id: 'k', key: random.bytes(32) }], active: 'k', random })
  const mapping = { blocks: [], defaultRegion: 'IN' } as never
  const { parts } = topologyNeeds(pipeline({ topics, codecs, sealer, mapping }))
  const prefix = `${pipelineName}.`
  return parts.flatMap(({ changelogs }) =>
    changelogs.map((name) => name.slice(prefix.length).replace(/-changelog$/, '')),
  )
}

describe('retention', () => {
  it('says of every topic how long it is kept, and that is how it is kept', () => {
    const kept = Object.entries(topics).map(([name, { config }]) => [
      name,
      { cleanup: config.cleanup, retentionMs: config.retentionMs },
    ])
    expect(Object.fromEntries(kept)).toEqual(topicRetention)
  })

  it('says of every store when its entries are forgotten, and of no other', () => {
    expect(Object.keys(storeRetention).sort()).toEqual(storeNames().sort())
    for (const rules of Object.values(storeRetention)) {
      expect(rules.length).toBeGreaterThan(0)
      for (const { ageMs } of rules) expect(ageMs === null || ageMs > 0).toBe(true)
    }
  })

  it('keeps what others rely on for longer than they do', () => {
    for (const { shorter, longer, why } of retentionOrder) {
      expect([why, shorter <= longer]).toEqual([why, true])
    }
  })
})
