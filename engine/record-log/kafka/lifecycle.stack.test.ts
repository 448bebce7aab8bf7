/** What an open log costs while nothing happens, and what a closed one leaves behind. */
import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { openKafkaLog } from './kafka-log.ts'
import { joinStory } from './testing/group-story.ts'
import { makeTopic, textRecord } from './testing/reading.ts'
import { sharedKafka } from './testing/stack-kafka.ts'

const count = (kind: string) => process.getActiveResourcesInfo().filter((each) => each === kind).length

it('leaves no socket and no timer behind, whatever was under way', async () => {
  const { brokers } = await sharedKafka()
  const before = { sockets: count('TCPSocketWrap'), timers: count('Timeout') }
  const log = openKafkaLog({ brokers, clientId: 'lifecycle' })
  const id = randomUUID()
  const topic = await makeTopic(log, id, 2)
  await joinStory({ log, groupId: id, instanceId: id, topics: [topic] })
  const fetcher = log.fetcher()
  const requests = [{ topic, partition: 0, offset: 0, maxBytes: 1000 }]
  const fetching = fetcher.fetch(requests, { isolation: 'read_committed', maxWaitMs: 60_000 })
  const writer = log.writer({ transactionalId: id })
  await writer.init()
  const transaction = writer.begin()
  await transaction.append([{ topic, partition: 1, records: [textRecord('open')] }])
  const member = { groupId: id, generation: -1, memberId: 'nobody', instanceId: 'nobody' }
  const committing = transaction
    .commitOffsets([{ topic, partition: 0, offset: 1, metadata: '' }], member)
    .catch(() => {})
  expect(count('TCPSocketWrap')).toBeGreaterThan(before.sockets + 2)

  await log.close()
  await committing
  await fetcher.close()
  await fetching.catch(() => {})
  await expect.poll(() => count('TCPSocketWrap'), { timeout: 5000 }).toBeLessThanOrEqual(before.sockets)
  await expect.poll(() => count('Timeout'), { timeout: 5000 }).toBeLessThanOrEqual(before.timers)
})
