/**
 * Where things lie in the log's database. Numbers are big-endian, so that keys sort as they count.
 *
 * ```
 *  t <topic name>                                → topic: JSON
 *  p <topic id u32> <partition u32>              → partition: JSON, absent until something was deleted
 *  b <topic id u32> <partition u32> <offset u64> → batch, by its base offset
 *  o <group> \0 <topic> \0 <partition>           → committed offset: JSON
 * ```
 */
import type { TopicPartition } from '../port.ts'

const letter = { topic: 0x74, partition: 0x70, batch: 0x62, offset: 0x6f } as const
const batchKeyBytes = 17

export const topicKey = (name: string): Buffer =>
  Buffer.concat([Buffer.from([letter.topic]), Buffer.from(name)])

export const partitionRowKey = (topicId: number, partition: number): Buffer => {
  const key = Buffer.alloc(9)
  key[0] = letter.partition
  key.writeUInt32BE(topicId, 1)
  key.writeUInt32BE(partition, 5)
  return key
}

/** Sorts by offset within a partition. */
export function batchKey(topicId: number, partition: number, offset: number): Buffer {
  const key = Buffer.allocUnsafe(batchKeyBytes)
  key[0] = letter.batch
  key.writeUInt32BE(topicId, 1)
  key.writeUInt32BE(partition, 5)
  key.writeUInt32BE(Math.floor(offset / 2 ** 32), 9)
  key.writeUInt32BE(offset % 2 ** 32, 13)
  return key
}

export const offsetInKey = (key: Buffer): number => key.readUInt32BE(9) * 2 ** 32 + key.readUInt32BE(13)

/** Where a batch lies, by its key; `undefined`: the key is no batch's. */
export function parseBatchKey(
  key: Buffer,
): { topicId: number; partition: number; offset: number } | undefined {
  if (key.length !== batchKeyBytes || key[0] !== letter.batch) return undefined
  return { topicId: key.readUInt32BE(1), partition: key.readUInt32BE(5), offset: offsetInKey(key) }
}

export const committedKey = (groupId: string, { topic, partition }: TopicPartition): Buffer =>
  Buffer.concat([Buffer.from([letter.offset]), Buffer.from(`${groupId}\0${topic}\0${partition}`)])

/** The group, topic and partition in a key of `committedKey`. */
export function parseCommittedKey(key: Buffer): TopicPartition & { groupId: string } {
  const [groupId = '', topic = '', partition = ''] = key.subarray(1).toString().split('\0')
  return { groupId, topic, partition: Number(partition) }
}

/** Every key of a kind. */
export const rangeOf = (kind: keyof typeof letter): { gte: Buffer; lt: Buffer } => ({
  gte: Buffer.from([letter[kind]]),
  lt: Buffer.from([letter[kind] + 1]),
})

/** Every key of the log, whatever its kind: letters come first, and none is as high as 0xff. */
export const everyKey: { readonly gte: Buffer; readonly lt: Buffer } = {
  gte: Buffer.alloc(1),
  lt: Buffer.from([0xff]),
}
