/** A reader while the leaders of its partitions move, on three brokers: in order, each once, and never from a stale copy. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../clock.ts'
import type { FetchProblem } from '../port.ts'
import { errorCode } from './error-table.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import { makeTopic } from './testing/reading.ts'
import { type OwnKafka, ownKafka } from './testing/stack-kafka.ts'
import { appendSteadily } from './testing/steady-writers.ts'
import { openTransport } from './transport.ts'
import { fetchApi } from './wire/fetch.ts'

let kafka: OwnKafka
let log: KafkaLog
const partitions = 3
beforeAll(async () => {
  kafka = await ownKafka('kafka-cluster')
  log = openKafkaLog({ brokers: kafka.brokers, clientId: 'leader-moves' })
  await log.connected()
})
afterAll(async () => {
  await log?.close()
  await kafka?.release()
})

/** Reads on and on; `values` by partition. */
function follow(topic: string) {
  const requests = Array.from({ length: partitions }, (_, partition) => ({
    ...{ topic, partition, offset: 0, maxBytes: 1 << 20 },
  }))
  const values: string[][] = requests.map(() => [])
  const problems = new Set<FetchProblem>()
  const stop = new AbortController()
  const running = (async () => {
    const fetcher = log.fetcher()
    while (!stop.signal.aborted) {
      const fetched = await fetcher.fetch(requests, {
        isolation: 'read_committed',
        maxWaitMs: 60_000,
        signal: stop.signal,
      })
      for (const [n, { problem, batches }] of fetched.entries()) {
        if (problem) problems.add(problem)
        for (const batch of batches) {
          for (const { value } of batch.records) values[n]?.push(String(value))
          const request = requests[n]
          if (request) request.offset = batch.lastOffset + 1
        }
      }
    }
    await fetcher.close()
  })()
  const reached = async (counts: readonly number[]) => {
    while (counts.some((count, n) => (values[n]?.length ?? 0) < count)) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const end = async () => {
    stop.abort()
    await running
  }
  return { values, problems, reached, stop: end }
}

it('reads everything once and in order while each broker is stopped or killed', async () => {
  const topic = await makeTopic(log, 'followed', partitions)
  const writer = appendSteadily(log, topic, partitions)
  const reader = follow(topic)
  const further = async (rounds: number) => {
    const goal = (writer.acknowledged[0]?.length ?? 0) + rounds
    while ((writer.acknowledged[0]?.length ?? 0) < goal) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await reader.reached(writer.acknowledged.map(() => goal))
  }
  await further(30)
  for (const [node, how] of [
    [0, 'stop'],
    [1, 'kill'],
    [2, 'stop'],
  ] as const) {
    await kafka[how](node)
    await further(30)
    await kafka.start(node)
    await further(10)
  }
  await writer.stop()
  await reader.reached(writer.acknowledged.map((values) => values.length))
  await reader.stop()
  expect(reader.values).toEqual(writer.acknowledged)
  expect([...reader.problems].filter((problem) => problem !== 'retriable')).toEqual([])
})

it('is refused by every replica when it goes by an old leader', async () => {
  const topic = await makeTopic(log, 'moved', 1)
  const transport = openTransport({
    ...{ brokers: kafka.brokers, clientId: 'stale', security: {}, clock: systemClock, report: () => {} },
  })
  await transport.connected()
  const view = async () => (await transport.topics([topic], { maxAgeMs: 0 })).get(topic)?.partitions[0]
  const before = await view()
  if (!before) throw new Error('the topic was made')
  await kafka.stop(before.leader - 1)
  let after = await view()
  while (!after || after.leader < 0 || after.leader === before.leader) after = await view()
  const lane = transport.lane('stale')
  const partition = { partition: 0, offset: 0, lastEpoch: -1, maxBytes: 1000 }
  const ask = async (nodeId: number, leaderEpoch: number) => {
    const { topics } = await lane.broker(nodeId).send(fetchApi(12), {
      ...{ maxWaitMs: 0, minBytes: 0, maxBytes: 1000, isolation: 'read_committed' },
      topics: [{ topic, partitions: [{ ...partition, leaderEpoch }] }],
    })
    return topics[0]?.partitions[0]?.error
  }
  const left = transport.brokers().filter((nodeId) => nodeId !== before.leader)
  expect(left.length).toBe(2)
  for (const nodeId of left) expect(await ask(nodeId, before.leaderEpoch)).toBe(errorCode.fencedLeaderEpoch)
  expect(await ask(after.leader, after.leaderEpoch)).toBe(0)
  await kafka.start(before.leader - 1)
  transport.close()
})
