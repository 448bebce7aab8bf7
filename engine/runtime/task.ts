/**
 * One sub-topology × one partition: takes records from its queues in order, runs them through its operators, and
 * knows what a commit has to write for it. Synchronous; opening is the only await.
 */
import { RecordRejected } from '../graph/errors.ts'
import type { AnyRecord } from '../graph/node.ts'
import type { LogRecord, OffsetCommit } from '../record-log/port.ts'
import { UndecodableError } from '../serdes/serde.ts'
import type { OverlayStore, Undo } from '../stores/overlay-store.ts'
import type { BulkSinkRunner } from './bulk-sink.ts'
import type { Call, FinishedCall } from './call-scheduler.ts'
import type { Counters } from './counters.ts'
import type { DeadLetter } from './dead-letter.ts'
import { writeOffsetMetadata } from './offset-metadata.ts'
import type { OperatorGraph } from './operator-graph.ts'
import type { OutputBuffer } from './output-buffer.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { sourceChoice } from './source-choice.ts'

export interface TaskOptions {
  readonly id: string
  readonly partition: number
  readonly owner: string
  readonly queues: readonly PartitionQueue[]
  /** Records of a log read to here, per source topic: what `caughtUp` compares with. */
  readonly endsAtStart: ReadonlyMap<string, number>
  readonly stores: readonly TaskStore[]
  readonly streamTime: number
  /** `clock`: pipeline time is the clock's. `records`: it also follows the records in hand (a replay). */
  readonly timeFrom: 'clock' | 'records'
  readonly pipelineNow: () => number
  readonly output: OutputBuffer
  readonly deadLetter: DeadLetter | undefined
  readonly counters: Counters
  readonly journal: Undo[]
  /** Set by the task for the operators: what is in hand and what time it is. */
  readonly moment: Moment
  readonly graph: OperatorGraph
  readonly bulkSink: BulkSinkRunner | undefined
}

/** A store of the task and the partition that it is restored from. */
export interface TaskStore {
  readonly store: OverlayStore<unknown>
  /** The changelog's topic, or the source topic that serves as one. */
  readonly changelog: { readonly topic: string; readonly ours: boolean }
}

/** The record in hand and the time, as operators see them. */
export interface Moment {
  now: number
  streamTime: number
  current: AnyRecord | undefined
}

export interface Task {
  readonly id: string
  readonly partition: number
  readonly queues: readonly PartitionQueue[]
  readonly stores: readonly TaskStore[]
  /** Processes up to `limit` records; returns how many. */
  process(limit: number, logNow: number): number
  /** Fires what is due at pipeline time, or at `now`. Returns how many handlers ran. */
  fire(now?: number): number
  handleResult(finished: FinishedCall): void
  /** Whether the commit has something to write for it. */
  dirty(): boolean
  /** Offsets to commit: all of them when it wrote anything, else those that moved. */
  offsets(): OffsetCommit[]
  committed(): void
  takeNewCalls(): Call[]
  /** A refused record left in-memory indexes behind the stores: commit, then `open` again. */
  needsReload(): boolean
  open(reopened: boolean): Promise<void>
  /** The timestamp of the record that comes next; -Infinity for one that waits for nobody. */
  nextTime(logNow: number): number | undefined
  /** Whether a source is empty although the log holds more for it. */
  starving(): boolean
  /** The earliest wake-up. */
  nextWake(): number | undefined
  /** Due times: wake-ups and heads of delayed sources. Once-a-second punctuation is apart. */
  nextDue(): number | undefined
  nextPunctuation(): number | undefined
  caughtUp(topics: ReadonlySet<string>): boolean
  /** A bulk sink is gathering or writing. */
  busy(): boolean
  /** Ends what runs beside the loop. */
  close(): void
}

export function makeTask(options: TaskOptions): Task {
  const { queues, stores, moment, journal, output, counters, graph, bulkSink } = options
  const choice = sourceChoice(queues)
  const keepsState = graph.processors.some((processor) => processor.keepsState)
  const lastCommitted = new Map<PartitionQueue, number>()
  /** Whether outputs or stores changed, or a result was consumed, since the last commit. */
  let wrote = false
  let reload = false
  moment.streamTime = options.streamTime

  function begin(now: number) {
    moment.now = Math.max(moment.now, now)
    journal.length = 0
    output.mark()
  }

  function undo() {
    for (let step = journal.pop(); step; step = journal.pop()) step()
    output.rollback()
    if (keepsState) reload = true
  }

  function toDeadLetter(queue: PartitionQueue, record: LogRecord, reason: string, detail: string) {
    counters.add('records.dead_lettered', { topic: queue.tp.topic, reason })
    const { deadLetter } = options
    if (!deadLetter)
      throw new Error(
        `${queue.tp.topic}:${queue.tp.partition}@${record.offset} is refused (${reason}: ${detail}) and there is no dead-letter topic`,
      )
    const { key, value } = deadLetter.encode({ ...queue.tp, record, reason, detail, at: moment.now })
    output.append(deadLetter.topic, {
      key,
      value,
      timestamp: record.timestamp,
      headers: [],
      topic: queue.tp.topic,
      partition: queue.tp.partition,
      offset: record.offset,
    })
  }

  function decode(queue: PartitionQueue, record: LogRecord): AnyRecord {
    const { topic } = queue.source
    return {
      key: topic.key.deserialize(record.key),
      value: topic.value.deserialize(record.value),
      timestamp: record.timestamp,
      headers: record.headers,
      topic: topic.name,
      partition: queue.tp.partition,
      offset: record.offset,
    }
  }

  function processOne(queue: PartitionQueue, record: LogRecord) {
    let decoded: AnyRecord
    try {
      decoded = decode(queue, record)
    } catch (error) {
      toDeadLetter(queue, record, reasonOf(error), messageOf(error))
      return
    }
    moment.current = decoded
    if (record.timestamp > moment.streamTime) moment.streamTime = record.timestamp
    try {
      graph.sources.get(queue.source.name)?.(decoded)
    } catch (error) {
      if (!(error instanceof RecordRejected)) throw withPlace(error, queue, record)
      undo()
      toDeadLetter(queue, record, error.reason, error.message)
    } finally {
      moment.current = undefined
    }
  }

  function fireAt(now: number): number {
    let fired = 0
    begin(now)
    for (const processor of graph.processors) {
      journal.length = 0
      output.mark()
      fired += processor.fire(moment.now, moment.streamTime)
      if (journal.length > 0 || output.touched()) wrote = true
    }
    return fired
  }

  function handleResult(finished: FinishedCall) {
    const dot = finished.effect.indexOf('.')
    const processor = graph.processors.find(({ node }) => node.name === finished.effect.slice(0, dot))
    if (!processor) throw new Error(`task ${options.id} has no processor for results of ${finished.effect}`)
    const effect = finished.effect.slice(dot + 1)
    begin(options.pipelineNow())
    wrote = true
    try {
      if (!processor.handleResult(effect, finished.intentId, finished.result)) {
        counters.add('effect.result_without_intent', { effect: finished.effect })
      }
    } catch (error) {
      // The result cannot be handled; a minimal one can, or else the handler has a bug and the instance stops.
      undo()
      counters.add('effect.result_not_handled', { effect: finished.effect })
      const starts = finished.result.kind === 'expired' ? 0 : finished.result.starts
      const minimal = { kind: 'handler_failed', message: messageOf(error), starts } as const
      begin(options.pipelineNow())
      processor.handleResult(effect, finished.intentId, minimal)
    }
  }

  function nextWake(): number | undefined {
    let earliest: number | undefined
    for (const processor of graph.processors) {
      const wake = processor.wakeTime()
      if (wake !== undefined && (earliest === undefined || wake < earliest)) earliest = wake
    }
    return earliest
  }

  const offsetOf = (queue: PartitionQueue) => bulkSink?.committable(queue) ?? queue.committable()

  return {
    id: options.id,
    partition: options.partition,
    queues,
    stores,
    process(limit, logNow) {
      let processed = 0
      while (processed < limit && !bulkSink?.blocked()) {
        const queue = choice.next(logNow)
        const record = queue?.shift()
        if (!queue || !record) break
        begin(options.timeFrom === 'records' ? record.timestamp : options.pipelineNow())
        processOne(queue, record)
        processed++
      }
      if (processed > 0 && !bulkSink) wrote = true
      return processed
    },
    fire: (now = options.pipelineNow()) => fireAt(now) + (bulkSink?.fire() ?? 0),
    nextTime: choice.nextTime,
    starving: choice.starving,
    nextWake,
    handleResult,
    dirty: () => wrote || queues.some((queue) => lastCommitted.get(queue) !== offsetOf(queue)),
    offsets() {
      const metadata = writeOffsetMetadata({ owner: options.owner, streamTime: moment.streamTime })
      return queues
        .filter((queue) => wrote || lastCommitted.get(queue) !== offsetOf(queue))
        .map((queue) => ({ ...queue.tp, offset: offsetOf(queue), metadata }))
    },
    committed() {
      wrote = false
      for (const queue of queues) lastCommitted.set(queue, offsetOf(queue))
      for (const { store } of stores) store.clearOverlay()
    },
    takeNewCalls: () => graph.processors.flatMap((processor) => processor.takeNewCalls()),
    needsReload: () => reload,
    async open(reopened) {
      reload = false
      moment.now = Math.max(moment.now, options.pipelineNow())
      for (const queue of queues) if (!lastCommitted.has(queue)) lastCommitted.set(queue, queue.committable())
      for (const processor of graph.processors) await processor.open(reopened)
      if (stores.some(({ store }) => store.dirty())) wrote = true
    },
    nextDue() {
      const wake = nextWake()
      const due = choice.nextDue()
      if (wake === undefined || due === undefined) return wake ?? due
      return Math.min(wake, due)
    },
    nextPunctuation() {
      let earliest = bulkSink?.nextDue()
      for (const processor of graph.processors) {
        const time = processor.punctuationTime()
        if (time !== undefined && (earliest === undefined || time < earliest)) earliest = time
      }
      return earliest
    },
    busy: () => bulkSink !== undefined && !bulkSink.idle(),
    close: () => bulkSink?.stop(),
    caughtUp: (topics) =>
      queues.every(
        (queue) =>
          !topics.has(queue.tp.topic) ||
          queue.committable() >= (options.endsAtStart.get(queue.tp.topic) ?? 0),
      ),
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof UndecodableError) return error.reason
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined
  return typeof reason === 'string' ? reason : 'undecodable'
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function withPlace(error: unknown, queue: PartitionQueue, record: LogRecord): Error {
  return new Error(
    `processing ${queue.tp.topic}:${queue.tp.partition}@${record.offset} failed: ${messageOf(error)}`,
    {
      cause: error,
    },
  )
}
