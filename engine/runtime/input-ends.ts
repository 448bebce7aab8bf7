/**
 * Where the inputs of a task ended when it started, for `caughtUp`. What is still on its way through the tasks in
 * front of it counts too: after an outage of the whole pipeline a topic of ours may be read to its end although the
 * captured changes that belong into it were not looked at yet. So the end of a topic is taken when everything that
 * feeds it has been worked off up to where *that* ended at the start.
 */
import type { Clock } from '../clock.ts'
import type { Topology } from '../graph/topology.ts'
import { type Admin, partitionKey, type TopicPartition } from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'

export interface InputEnds {
  /** The end to reach, by topic; `undefined` while what feeds it is not worked off. */
  end(topic: string): number | undefined
  close(): void
}

export interface InputEndsOptions {
  readonly admin: Admin
  readonly groupId: string
  /** The task's own source partitions. */
  readonly partitions: readonly TopicPartition[]
  /** The topics in front of a topic, outside the task's own sub-topology. */
  readonly feeding: (topic: string) => ReadonlySet<string>
  readonly partitionCount: (topic: string) => number
  readonly clock: Clock
  readonly report: Report
}

const lookEveryMs = 250

/** Takes the ends that can be taken now, and looks again until all are. */
export async function inputEnds(options: InputEndsOptions): Promise<InputEnds> {
  const { admin, clock, partitions, report } = options
  const ends = new Map<string, number>()
  const fronts = new Map(partitions.map((tp) => [tp.topic, partitionsOf(options.feeding(tp.topic), options)]))
  const everyFront = [...fronts.values()].flat()
  const goals = await admin.endOffsets(everyFront, 'read_committed')
  const starts = await admin.startOffsets(everyFront)
  let cancel = () => {}
  let closed = false

  async function look() {
    const open = partitions.filter(({ topic }) => !ends.has(topic))
    const committed = await admin.committedOffsets(options.groupId, everyFront, { requireStable: false })
    const isWorkedOff = (tp: TopicPartition) => {
      const key = partitionKey(tp)
      return (committed.get(key)?.offset ?? starts.get(key) ?? 0) >= (goals.get(key) ?? 0)
    }
    const ready = open.filter(({ topic }) => (fronts.get(topic) ?? []).every(isWorkedOff))
    const found = await admin.endOffsets(ready, 'read_committed')
    for (const tp of ready) ends.set(tp.topic, found.get(partitionKey(tp)) ?? 0)
    if (ends.size < fronts.size && !closed) cancel = clock.at(clock.now() + lookEveryMs, lookAgain)
  }

  function lookAgain() {
    look().catch((error) => {
      if (closed) return
      report('how far the tasks in front are cannot be seen; it is looked at again', error)
      cancel = clock.at(clock.now() + lookEveryMs, lookAgain)
    })
  }

  await look()
  return {
    end: (topic) => ends.get(topic),
    close() {
      closed = true
      cancel()
    },
  }
}

const partitionsOf = (topics: ReadonlySet<string>, { partitionCount }: InputEndsOptions): TopicPartition[] =>
  [...topics].flatMap((topic) =>
    Array.from({ length: partitionCount(topic) }, (_, partition) => ({ topic, partition })),
  )

/**
 * The source topics of all sub-topologies that lead to a topic, other than `own`. Delayed sources are left out:
 * what waits there is not late.
 */
export function topicsFeeding(topology: Topology, topic: string, own: number): ReadonlySet<string> {
  const found = new Set<string>()
  const waiting = [topic]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const { index, nodes, sources } of topology.subTopologies) {
      if (index === own) continue
      const writes = nodes.some((node) => node.kind === 'sink' && node.topic.name === next)
      if (!writes) continue
      for (const source of sources) {
        if (source.delayMs !== undefined || found.has(source.topic.name)) continue
        found.add(source.topic.name)
        waiting.push(source.topic.name)
      }
    }
  }
  return found
}
