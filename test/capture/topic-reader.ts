/** Reads whole topics of a broker as text, for tests of what connectors wrote. */
import { Kafka, logLevel } from 'kafkajs'

export interface ReadRecord {
  readonly key: unknown
  readonly value: Change | null
}

/** A change message, as far as the tests look into it. */
export interface Change {
  readonly op: string
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  readonly source: Readonly<Record<string, unknown>>
}

/** Reads a topic from its beginning until `isEnough` of what was read so far. */
export async function readUntil(
  brokers: readonly string[],
  topic: string,
  isEnough: (records: readonly ReadRecord[]) => boolean,
): Promise<readonly ReadRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 20 } })
  const consumer = kafka.consumer({ groupId: `reader-${process.pid}-${readers++}` })
  const records: ReadRecord[] = []
  await untilThere(kafka, topic)
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      void consumer.run({
        eachMessage: async ({ message }) => {
          records.push({ key: parse(message.key), value: parse(message.value) as Change | null })
          if (isEnough(records)) resolve()
        },
      })
    })
  } finally {
    await consumer.disconnect()
  }
  return records
}

let readers = 0

/** A connector's first record makes its topic. */
async function untilThere(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    while (!(await admin.listTopics()).includes(topic)) await new Promise(setImmediate)
  } finally {
    await admin.disconnect()
  }
}

const parse = (bytes: Buffer | null): unknown => (bytes === null ? null : JSON.parse(bytes.toString('utf8')))
