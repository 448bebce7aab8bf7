/**
 * One sub-topology × one partition: takes records from its queues in order, runs them through its operators, and
 * knows what a commit has to write for it. Synchronous; opening is the only await.
 */
import { RecordRejected } from '../graph/errors.ts'
import type { AnyRecord } from '../graph/node.ts'
import type { EffectResult } from '../graph/processor.ts'
import type { LogRecord, OffsetCommit } from '../record-log/port.ts'
import type { OverlayStore, Undo } from '../stores/overlay-store.ts'
import type { BulkSinkRunner } from './bulk-sink.ts'
import type { Call, FinishedCall } from './call-scheduler.ts'
import type { Urgency } from './commit-timing.ts'
import type { Counters } from './counters.ts'
import { type DeadLetter, deadLetterAppender, messageOf, reasonOf } from './dead-letter.ts'
import type { InputEnds } from './input-ends.ts'
import { writeOffsetMetadata } from './offset-metadata.ts'
import type { OperatorGraph } from './operator-graph.ts'
import type { OutputBuffer } from './output-buffer.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { sourceChoice } from './source-choice.ts'
import { type Moment, taskTimers } from './task-timers.ts'

export interface TaskOptions {
  readonly id: string
  readonly partition: number
  readonly owner: string
  readonly queues: readonly PartitionQueue[]
  /** What `caughtUp` compares with. */
  readonly inputEnds: InputEnds
  readonly stores: readonly TaskStore[]
  readonly streamTime: number
  /** `clock`: pipeline time is the clock's. `records`: it also follows the records in hand (a replay). */
  readonly timeFrom: 'clock' | 'records'
  /** Its commits wait for the interval: a bulk sink, or processors that all say so. */
  readonly lazy: boolean
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

export interface Task {
  readonly id: string
  readonly partition: number
  readonly queues: readonly PartitionQueue[]
  readonly stores: readonly TaskStore[]
  /** Processes up to `limit` records; returns how many. */
  process(limit: number, logNow: number): number
  /** Fires what is due at `now` (default: pipeline time); `flush`: what a bulk sink has gathered is due too. */
  fire(now?: number, flush?: boolean): number
  /** Handles a result. When that fails it is undone, and the minimal result to handle after a reload comes back. */
  handleResult(finished: FinishedCall): EffectResult<unknown> | undefined
  /** What a commit has to write for it, and how soon. */
  urgency(): Urgency
  /** Offsets to commit: all of them when it wrote anything, else those that moved. */
  offsets(): OffsetCommit[]
  /** The offsets last asked for, and all else it wrote, are committed. */
  committed(): void
  takeNewCalls(): Call[]
  /** A refused record left in-memory indexes behind the stores: commit, then `open` again, before anything else. */
  needsReload(): boolean
  /** `continued`: this instance ran it before, and knows its calls. */
  open(continued: boolean): Promise<void>
  /** The timestamp of the record that comes next; -Infinity for one that waits for nobody. */
  nextTime(logNow: number): number | undefined
  /** Whether a source is empty although the log holds more for it. */
  starving(): boolean
  /** The earliest wake-up, in pipeline time. */
  nextWake(): number | undefined
  /** When the earliest waiting delayed record falls due, on the log's clock. */
  nextRelease(): number | undefined
  /** The earliest punctuation, or step of a bulk sink, in pipeline time. */
  nextPunctuation(): number | undefined
  caughtUp(topics: ReadonlySet<string>): boolean
  /** A write of a bulk sink is under way. */
  writing(): boolean
  /** Ends what runs beside the loop. */
  close(): void
}

export function makeTask(options: TaskOptions): Task {
  const { queues, stores, moment, journal, output, graph, bulkSink } = options
  const choice = sourceChoice(queues)
  const appendDeadLetter = deadLetterAppender(options)
  const lastCommitted = new Map<PartitionQueue, number>()
  /** The offsets that the commit under way writes. */
  let committing = new Map<PartitionQueue, number>()
  /** Whether outputs or stores changed, records were taken, or a result was consumed, since the last commit. */
  let wrote = false
  let reload = false
  const timers = taskTimers({
    taskId: options.id,
    processors: graph.processors,
    moment,
    begin,
    end() {
      if (journal.length > 0 || output.touched()) wrote = true
    },
  })
  moment.streamTime = options.streamTime

  function begin(now: number) {
    if (now > moment.now) moment.now = now
    // Setting a length is not free, and most records leave the journal empty.
    if (journal.length > 0) journal.length = 0
    output.mark()
  }

  function undo() {
    for (let step = journal.pop(); step; step = journal.pop()) step()
    output.rollback()
    if (graph.processors.length > 0) reload = true
  }

  function toDeadLetter(queue: PartitionQueue, record: LogRecord, reason: string, detail: string) {
    const append = () => appendDeadLetter({ ...queue.tp, record, reason, detail, at: moment.now })
    if (bulkSink) bulkSink.pass(append)
    else append()
  }

  function processOne(queue: PartitionQueue, record: LogRecord) {
    let decoded: AnyRecord
    try {
      decoded = decode(queue, record)
    } catch (error) {
      toDeadLetter(queue, record, reasonOf(error), messageOf(error))
      return
    }
    const streamTimeBefore = moment.streamTime
    moment.current = decoded
    if (record.timestamp > moment.streamTime) moment.streamTime = record.timestamp
    try {
      graph.sources.get(queue.source.name)?.(decoded)
    } catch (error) {
      if (!(error instanceof RecordRejected)) throw withPlace(error, queue, record)
      undo()
      moment.streamTime = streamTimeBefore
      toDeadLetter(queue, record, error.reason, error.message)
    } finally {
      moment.current = undefined
    }
    if (moment.streamTime > streamTimeBefore) timers.fireStream()
  }

  const offsetOf = (queue: PartitionQueue) => bulkSink?.committable(queue) ?? queue.committable()
  const moved = (queue: PartitionQueue) => lastCommitted.get(queue) !== offsetOf(queue)

  return {
    id: options.id,
    partition: options.partition,
    queues,
    stores,
    nextWake: timers.nextWake,
    nextTime: choice.nextTime,
    starving: choice.starving,
    nextRelease: choice.nextDue,
    process(limit, logNow) {
      let processed = 0
      // A write that has ended lets the task go on; one that is due starts as soon as its batch is full.
      bulkSink?.advance(false)
      while (processed < limit && !reload && !bulkSink?.blocked()) {
        const queue = choice.next(logNow)
        const record = queue?.shift()
        if (!queue || !record) break
        begin(options.timeFrom === 'records' ? record.timestamp : options.pipelineNow())
        processOne(queue, record)
        processed++
      }
      if (processed > 0 && !bulkSink) wrote = true
      bulkSink?.advance(false)
      return processed
    },
    fire(now = options.pipelineNow(), flush = false) {
      bulkSink?.advance(flush)
      return timers.fireAt(now)
    },
    handleResult(finished) {
      const { processor, effect } = receiverOf(finished, options)
      begin(options.pipelineNow())
      try {
        if (!processor.handleResult(effect, finished.intentId, finished.result)) {
          options.counters.add('effect.result_without_intent', { effect: finished.effect })
        }
        wrote = true
        return undefined
      } catch (error) {
        if (finished.minimal) throw error
        undo()
        options.counters.add('effect.result_not_handled', { effect: finished.effect })
        const starts = finished.result.kind === 'expired' ? 0 : finished.result.starts
        return { kind: 'handler_failed', message: messageOf(error), starts }
      }
    },
    urgency() {
      if (wrote) return options.lazy ? 'lazy' : 'eager'
      return queues.some(moved) ? 'lazy' : 'none'
    },
    offsets() {
      const metadata = writeOffsetMetadata({ owner: options.owner, streamTime: moment.streamTime })
      committing = new Map(queues.filter((queue) => wrote || moved(queue)).map((q) => [q, offsetOf(q)]))
      return [...committing].map(([{ tp }, offset]) => ({ ...tp, offset, metadata }))
    },
    committed() {
      wrote = false
      for (const [queue, offset] of committing) lastCommitted.set(queue, offset)
      for (const { store } of stores) store.clearOverlay()
    },
    takeNewCalls: () => graph.processors.flatMap((processor) => processor.takeNewCalls()),
    needsReload: () => reload,
    async open(continued) {
      reload = false
      moment.now = Math.max(moment.now, options.pipelineNow())
      for (const queue of queues) if (!lastCommitted.has(queue)) lastCommitted.set(queue, queue.committable())
      for (const processor of graph.processors) await processor.open(continued)
      if (stores.some(({ store }) => store.dirty())) wrote = true
    },
    nextPunctuation() {
      const [punctuation, step] = [timers.nextPunctuation(), bulkSink?.nextDue()]
      if (punctuation === undefined || step === undefined) return punctuation ?? step
      return Math.min(punctuation, step)
    },
    writing: () => bulkSink?.writing() ?? false,
    close() {
      bulkSink?.stop()
      options.inputEnds.close()
    },
    caughtUp: (topics) =>
      queues.every(
        (queue) =>
          !topics.has(queue.tp.topic) ||
          queue.committable() >= (options.inputEnds.end(queue.tp.topic) ?? Number.POSITIVE_INFINITY),
      ),
  }
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

/** The processor that asked for a call, and its own name for the effect. */
function receiverOf(finished: FinishedCall, { id, graph }: TaskOptions) {
  const dot = finished.effect.lastIndexOf('.')
  const processor = graph.processors.find(({ node }) => node.name === finished.effect.slice(0, dot))
  if (!processor) throw new Error(`task ${id} has no processor for results of ${finished.effect}`)
  return { processor, effect: finished.effect.slice(dot + 1) }
}

function withPlace(error: unknown, queue: PartitionQueue, record: LogRecord): Error {
  return new Error(
    `processing ${queue.tp.topic}:${queue.tp.partition}@${record.offset} failed: ${messageOf(error)}`,
    { cause: error },
  )
}
