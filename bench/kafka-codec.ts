/**
 * Our writer and fetcher against the stock kafkajs ones on the same broker, in turns: records of 500 bytes, four
 * partitions, acks from all replicas; ours checks every batch's CRC and filters aborted transactions, as kafkajs's
 * consumer does (which checks no CRC). Needs a broker, pinned to another core than this for figures that count:
 * `taskset -c 1 node dist/bench/kafka-codec.js 127.0.0.1:9092 [passes] [seconds a row]`.
 */
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { Kafka, logLevel } from 'kafkajs'
import { type KafkaLog, type NewRecord, openKafkaLog, partitionKey } from '../engine/index.ts'
import { figure, percentile } from './support/figures.ts'

const [brokers = '127.0.0.1:9092', passes = '5', seconds = '4'] = process.argv.slice(2)
const rowMs = Number(seconds) * 1000
const warmUpMs = rowMs / 2
const partitions = [0, 1, 2, 3]
const recordsPerSend = 1000
const preloadedPerPartition = 100_000
const value = Buffer.alloc(500, 1)
const keyOf = (n: number) => `key-${String(n).padStart(12, '0')}`

/** Bounds what one run leaves on the broker's disk. */
const written = {
  cleanup: 'delete',
  retentionMs: 60_000,
  timestampType: 'create',
  maxRecordBytes: 1_000_000,
} as const

interface Row {
  readonly name: string
  /** Works for about so long and returns how many records were done. */
  run(ms: number): Promise<number>
  close(): Promise<void>
}

async function ownProduce(log: KafkaLog, topic: string): Promise<Row> {
  const writer = log.writer({ transactionalId: `bench-${randomUUID()}` })
  await writer.init()
  const keys = Array.from({ length: recordsPerSend / partitions.length }, (_, n) => Buffer.from(keyOf(n)))
  return {
    name: 'produce, own codec',
    run: (ms) =>
      repeat(ms, async () => {
        const timestamp = Date.now()
        const records = keys.map((key): NewRecord => ({ key, value, headers: [], timestamp }))
        await writer.append(partitions.map((partition) => ({ topic, partition, records })))
        return recordsPerSend
      }),
    close: () => writer.close(),
  }
}

async function stockProduce(kafka: Kafka, topic: string): Promise<Row> {
  const producer = kafka.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  })
  await producer.connect()
  const messages = Array.from({ length: recordsPerSend }, (_, n) => ({
    key: keyOf(n),
    value,
    partition: n % partitions.length,
  }))
  return {
    name: 'produce, stock kafkajs',
    run: (ms) =>
      repeat(ms, async () => {
        await producer.send({ topic, acks: -1, messages })
        return recordsPerSend
      }),
    close: () => producer.disconnect(),
  }
}

async function ownFetch(log: KafkaLog, topic: string): Promise<Row> {
  const fetcher = log.fetcher()
  const positions = partitions.map(() => 0)
  return {
    name: 'fetch, own codec',
    run: (ms) =>
      repeat(ms, async () => {
        const requests = partitions.map((partition) => ({
          ...{ topic, partition, offset: positions[partition] ?? 0, maxBytes: 1 << 20 },
        }))
        let count = 0
        for (const { partition, batches } of await fetcher.fetch(requests, readCommitted)) {
          for (const batch of batches) {
            count += batch.records.length
            positions[partition] = batch.lastOffset + 1
          }
          if ((positions[partition] ?? 0) >= preloadedPerPartition) positions[partition] = 0
        }
        return count
      }),
    close: () => fetcher.close(),
  }
}
const readCommitted = { isolation: 'read_committed', maxWaitMs: 100 } as const

async function stockFetch(kafka: Kafka, topic: string): Promise<Row> {
  const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let count = 0
  let done = 0
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      count += batch.messages.length
      done += batch.messages.length
      if (Number(batch.lastOffset()) >= preloadedPerPartition - 1) {
        consumer.seek({ topic, partition: batch.partition, offset: '0' })
      }
    },
  })
  const all = partitions.map((partition) => ({ topic, partitions: [partition] }))
  const running = async (ms: number) => {
    consumer.resume(all)
    const before = count
    await new Promise((resolve) => setTimeout(resolve, ms))
    const during = count - before
    consumer.pause(all)
    return during
  }
  while (done === 0) await running(100)
  consumer.pause(all)
  return { name: 'fetch, stock kafkajs', run: running, close: () => consumer.disconnect() }
}

async function repeat(ms: number, step: () => Promise<number>): Promise<number> {
  const until = performance.now() + ms
  let count = 0
  while (performance.now() < until) count += await step()
  return count
}

async function preload(log: KafkaLog, topic: string): Promise<void> {
  const row = await ownProduce(log, topic)
  const ends = () =>
    log.admin.endOffsets(
      partitions.map((partition) => ({ topic, partition })),
      'read_committed',
    )
  for (;;) {
    const found = await ends()
    const low = Math.min(...partitions.map((partition) => found.get(partitionKey({ topic, partition })) ?? 0))
    if (low >= preloadedPerPartition) break
    await row.run(500)
  }
  await row.close()
}

interface Measured {
  readonly perSecond: number
  readonly cpuMicros: number
}

async function measure(row: Row): Promise<Measured> {
  await row.run(warmUpMs)
  const cpu = process.cpuUsage()
  const start = performance.now()
  const count = await row.run(rowMs)
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: (count / (performance.now() - start)) * 1000,
    cpuMicros: (user + system) / Math.max(count, 1),
  }
}

/** A fixed loop: tells a slow spell of the machine from a slow program. */
function calibrationMs(): number {
  const start = performance.now()
  let sum = 0
  for (let n = 0; n < 30_000_000; n++) sum = (sum + n * 31) | 0
  return sum === Number.MAX_VALUE ? 0 : performance.now() - start
}

async function main(): Promise<void> {
  const log = openKafkaLog({ brokers: brokers.split(','), clientId: 'bench', replicationFactor: 1 })
  await log.connected()
  const kafka = new Kafka({ clientId: 'stock', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  const run = randomUUID().slice(0, 8)
  const [produced, loaded] = [`bench-produced-${run}`, `bench-loaded-${run}`]
  await log.admin.createTopics([
    { name: produced, partitions: partitions.length, config: written },
    { name: loaded, partitions: partitions.length, config: { ...written, retentionMs: -1 } },
  ])
  await log.admin.alterTopics([{ name: produced, changes: new Map([['retention.bytes', '200000000']]) }])
  await preload(log, loaded)
  const makers = [
    () => ownProduce(log, produced),
    () => stockProduce(kafka, produced),
    () => ownFetch(log, loaded),
    () => stockFetch(kafka, loaded),
  ]
  const results = new Map<string, Measured[]>()
  const calibrations: number[] = []
  for (let pass = 0; pass < Number(passes); pass++) {
    for (const make of makers) {
      calibrations.push(calibrationMs())
      // Made anew each time: an idle stock client would spin beside the next row.
      const row = await make()
      const list = results.get(row.name) ?? []
      results.set(row.name, list)
      list.push(await measure(row))
      await row.close()
    }
  }
  console.log(figure('calibration loop', 'ms', calibrations))
  for (const [name, rows] of results) {
    console.log(
      figure(
        name,
        'records/s',
        rows.map(({ perSecond }) => perSecond),
      ),
    )
    console.log(
      figure(
        `${name}, CPU`,
        'µs a record',
        rows.map(({ cpuMicros }) => cpuMicros),
        2,
      ),
    )
  }
  for (const kind of ['produce', 'fetch']) {
    const rate = (side: string) =>
      percentile(
        (results.get(`${kind}, ${side}`) ?? []).map(({ perSecond }) => perSecond),
        0.5,
      )
    console.log(`${kind}: own / stock = ${(rate('own codec') / rate('stock kafkajs')).toFixed(1)}`)
  }
  await log.admin.deleteTopics([produced, loaded])
  await log.close()
}

await main()
