/**
 * Says when the pipeline is too far behind the captured topics to take more: the log is no place to keep what comes
 * faster than it can be worked through.
 */
import { type Clock, partitionKey, type RecordLog, type TopicPartition } from '../../engine/index.ts'

export interface LagGateOptions {
  readonly log: Pick<RecordLog, 'admin'>
  /** The group that reads the topics. */
  readonly groupId: string
  readonly topics: readonly string[]
  readonly clock: Clock
  /** Records (offsets) behind, over all topics, from which on nothing more is taken. */
  readonly lagMax?: number
  /** Told when lag cannot be seen; the gate then stays as it was. */
  readonly report: (message: string, cause: unknown) => void
}

/** Asked before anything is taken in. */
export interface LagGate {
  /** Seconds to hold back; undefined: come in. */
  overloaded(): number | undefined
  /** Records behind, as last seen. */
  lag(): number
  stop(): void
}

/** Some minutes of work of the embedded tier, and far below three days of retention. */
const defaultLagMax = 500_000
const lookEveryMs = 1000
const holdS = 5

/** Makes a gate that looks once a second until it is stopped. */
export function lagGate(options: LagGateOptions): LagGate {
  const { clock, report } = options
  const lagMax = options.lagMax ?? defaultLagMax
  let lag = 0
  let cancel = () => {}
  let stopped = false
  const look = async () => {
    try {
      lag = await lagOf(options)
    } catch (cause) {
      if (!stopped) report('how far the pipeline is behind cannot be seen', cause)
    }
    if (!stopped) cancel = clock.at(clock.now() + lookEveryMs, () => void look())
  }
  void look()
  return {
    overloaded: () => (lag > lagMax ? holdS : undefined),
    lag: () => lag,
    stop() {
      stopped = true
      cancel()
    },
  }
}

/** A partition that the group never read counts from the start of its log. */
async function lagOf({ log, groupId, topics }: LagGateOptions): Promise<number> {
  const described = await log.admin.describeTopics(topics)
  const partitions: TopicPartition[] = [...described].flatMap(([topic, description]) =>
    Array.from({ length: description?.partitions ?? 0 }, (_, partition) => ({ topic, partition })),
  )
  const [ends, starts, committed] = await Promise.all([
    log.admin.endOffsets(partitions, 'read_committed'),
    log.admin.startOffsets(partitions),
    log.admin.committedOffsets(groupId, partitions, { requireStable: false }),
  ])
  return partitions.map(partitionKey).reduce((sum, key) => {
    const position = committed.get(key)?.offset ?? starts.get(key) ?? 0
    return sum + Math.max(0, (ends.get(key) ?? 0) - position)
  }, 0)
}
