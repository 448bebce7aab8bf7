import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedLog, openEmbeddedLog, systemClock } from '../../engine/index.ts'
import { makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { keepAsStated } from './keep-as-stated.ts'

const topics = makeTopics(makeCodecs(openFolderRegistry()))

describe('the topics of an embedded log', () => {
  let folder: string
  let log: EmbeddedLog
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-kept-'))
    log = await openEmbeddedLog({ directory: folder, clock: systemClock, durability: 'process' })
  })
  afterEach(async () => {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('are kept as this version says, whatever an earlier one said; the rest of their settings stays', async () => {
    const { name, config } = topics.deliveryHistory
    const earlier = { ...config, retentionMs: 1000, maxRecordBytes: 5 }
    await log.admin.createTopics([{ name, partitions: 2, config: earlier }])
    expect(await keepAsStated(log.admin, topics)).toEqual([name])
    expect((await log.admin.describeTopics([name])).get(name)).toEqual({
      name,
      partitions: 2,
      config: { ...earlier, retentionMs: config.retentionMs },
    })
    expect(await keepAsStated(log.admin, topics)).toEqual([])
  })
})
