/** Kafka's messages list partitions under their topics; ours carry the topic in each. */
import type { WireReader, WireWriter } from './primitives.ts'

/** Groups what belongs to partitions by topic, in the order of first appearance. */
export function byTopic<T extends { readonly topic: string }>(
  items: readonly T[],
): [topic: string, items: T[]][] {
  const topics = new Map<string, T[]>()
  for (const item of items) {
    const found = topics.get(item.topic)
    if (found) found.push(item)
    else topics.set(item.topic, [item])
  }
  return [...topics]
}

/** Writes `[topic [partition …]]`; `each` writes what follows the topic for one partition, without tags. */
export function writeByTopic<T extends { readonly topic: string }>(
  out: WireWriter,
  items: readonly T[],
  each: (out: WireWriter, item: T) => void,
): void {
  out.array(byTopic(items), (_, [topic, parts]) => {
    out.string(topic)
    out.array(parts, (_, part) => {
      each(out, part)
      out.tags()
    })
    out.tags()
  })
}

/** Writes `[topic [int32]]`: partitions that are bare numbers have no tags. */
export function writePartitionsByTopic(
  out: WireWriter,
  items: readonly { readonly topic: string; readonly partition: number }[],
): void {
  out.array(byTopic(items), (_, [topic, parts]) => {
    out.string(topic)
    out.array(parts, (_, { partition }) => out.int32(partition))
    out.tags()
  })
}

/** Reads `[topic [partition …]]` into one flat list. */
export function readByTopic<T>(from: WireReader, each: (from: WireReader, topic: string) => T): T[] {
  return from
    .array(() => {
      const topic = from.string()
      const parts = from.array(() => {
        const part = each(from, topic)
        from.tags()
        return part
      })
      from.tags()
      return parts
    })
    .flat()
}
