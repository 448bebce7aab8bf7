import { expect, it } from 'vitest'
import { createMemoryLog, type LogErrorKind, manualClock, seededRandom } from '../../engine/index.ts'
import { makeCodecs, openFolderRegistry, type PartnerConfig } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { createPartnerRegister } from './partner-register.ts'
import { readTopic } from './read-topic.ts'

const topic = makeTopics(makeCodecs(openFolderRegistry())).partnerConfig
const log = createMemoryLog({ clock: manualClock(0) })
await log.admin.createTopics([{ name: topic.name, partitions: 4, config: topic.config }])

const partnerConfig = (id: string): PartnerConfig => ({
  partner_id: id,
  name: id,
  version: 1,
  endpoints: [],
  notice_channels: [],
})

// Several instances that start at once: on Kafka, one whose transaction another has aborted learns it by INVALID_TXN_STATE.
it.each<LogErrorKind>(['fenced', 'abortable'])(
  'writes all the same when another came between (%s)',
  async (kind) => {
    const register = createPartnerRegister({ log, topic, now: () => 0, random: seededRandom(1) })
    log.levers.failNext('end', kind)
    let asked = 0
    const config = partnerConfig(`partner-${kind}`)
    await register.change(() => {
      asked++
      return { records: [config] }
    })
    // For a look, for what was put out, and for what was written.
    expect(asked).toBe(3)
    const published = (await readTopic(log, topic)).filter(({ key }) => key === config.partner_id)
    expect(published.map(({ value }) => value)).toEqual([config])
  },
)

it('leaves what else goes wrong to whoever asked', async () => {
  const register = createPartnerRegister({ log, topic, now: () => 0, random: seededRandom(1) })
  log.levers.failNext('end', 'rejected')
  const change = register.change(() => ({ records: [partnerConfig('rejected')] }))
  await expect(change).rejects.toMatchObject({ kind: 'rejected' })
})
