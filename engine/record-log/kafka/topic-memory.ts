/**
 * What is remembered of topics and their leaders: asked from the cluster when it is missing, too old, or known to be
 * wrong. A refresh asks for everything that was ever asked for, so that those who ask at the same time share one
 * request.
 */
import type { Clock } from '../../clock.ts'
import type { TopicPartition } from '../port.ts'
import type { PartitionView, TopicView } from './cluster-view.ts'
import { BrokerError, errorCode } from './error-table.ts'
import type { MetadataReply, MetadataTopic } from './wire/metadata.ts'

export interface TopicMemory {
  topics(names: readonly string[], maxAgeMs: number): Promise<Map<string, TopicView>>
  leaderOf(tp: TopicPartition): PartitionView | undefined
  invalidate(names?: readonly string[]): void
}

interface Remembered {
  readonly view: TopicView
  readonly atMs: number
}

/** Makes an empty memory; `ask` sends one Metadata request. */
export function createTopicMemory(
  clock: Clock,
  ask: (names: readonly string[]) => Promise<MetadataReply>,
): TopicMemory {
  const remembered = new Map<string, Remembered>()
  const followed = new Set<string>()
  /** Topics that we may not see, with the refusal. */
  const denied = new Map<string, BrokerError>()
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined

  /** A refresh that begins after this call; callers meanwhile share it. */
  function refresh(): Promise<void> {
    if (!current) {
      current = load().finally(() => {
        current = undefined
      })
      return current
    }
    next ??= current
      .catch(() => {}) // told to those who wait for it
      .then(() => {
        next = undefined
        return refresh()
      })
    return next
  }

  async function load(): Promise<void> {
    const names = [...followed]
    const atMs = clock.now()
    const reply = await ask(names)
    const found = new Map(reply.topics.map((topic) => [topic.name, topic]))
    for (const name of names) {
      const topic = found.get(name)
      denied.delete(name)
      if (topic?.error === 0 || topic?.error === errorCode.leaderNotAvailable) {
        remembered.set(name, { view: viewOf(topic), atMs })
        continue
      }
      remembered.delete(name)
      followed.delete(name)
      if (topic && topic.error !== errorCode.unknownTopicOrPartition) {
        denied.set(name, new BrokerError(topic.error, `Metadata (DESCRIBE) of topic ${name}`))
      }
    }
  }

  const isFresh = (name: string, maxAgeMs: number) => {
    const found = remembered.get(name)
    return found !== undefined && clock.now() - found.atMs < maxAgeMs
  }

  return {
    async topics(names, maxAgeMs) {
      if (!names.every((name) => isFresh(name, maxAgeMs))) {
        for (const name of names) followed.add(name)
        await refresh()
      }
      const views = new Map<string, TopicView>()
      for (const name of names) {
        const refusal = denied.get(name)
        if (refusal) throw refusal
        const found = remembered.get(name)
        if (found) views.set(name, found.view)
      }
      return views
    },
    leaderOf: ({ topic, partition }) => remembered.get(topic)?.view.partitions[partition],
    invalidate(names = [...remembered.keys()]) {
      for (const name of names) {
        const found = remembered.get(name)
        if (found) remembered.set(name, { ...found, atMs: Number.NEGATIVE_INFINITY })
      }
    },
  }
}

const nobody = { leader: -1, leaderEpoch: -1 }

function viewOf({ name, partitions }: MetadataTopic): TopicView {
  const count = partitions.reduce((most, { partition }) => Math.max(most, partition + 1), 0)
  const views: PartitionView[] = Array.from({ length: count }, (_, partition) => ({ partition, ...nobody }))
  for (const { partition, error, leader, leaderEpoch } of partitions) {
    // A partition that is merely short of replicas (error 9) has a leader all the same.
    if (leader >= 0 || error === 0) views[partition] = { partition, leader, leaderEpoch }
  }
  return { name, partitions: views }
}
