/** Opens a task: restores its stores, builds its operators, loads its processors. What it needs comes from the instance. */
import type { Clock } from '../clock.ts'
import type { Node, ProcessorNode } from '../graph/node.ts'
import { effectsOf, intentStoreName, storeName } from '../graph/node.ts'
import type { GlobalTable, KeyValueStore } from '../graph/processor.ts'
import type { SubTopology } from '../graph/sub-topology.ts'
import type { Topology } from '../graph/topology.ts'
import { partitionKey, type RecordLog } from '../record-log/port.ts'
import type { Disk } from '../stores/disk.ts'
import { type OverlayStore, overlayStore, type Undo } from '../stores/overlay-store.ts'
import { type BulkSinkRunner, type BulkWrite, bulkSinkRunner, type Report } from './bulk-sink.ts'
import type { CallScheduler } from './call-scheduler.ts'
import type { Counters } from './counters.ts'
import type { DeadLetter } from './dead-letter.ts'
import { inputEnds, topicsFeeding } from './input-ends.ts'
import type { StoredIntent } from './intent-serde.ts'
import { operatorGraph } from './operator-graph.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { type PartitionQueue, partitionQueue } from './partition-queue.ts'
import { type ProcessorServices, processorInstance } from './processor-instance.ts'
import { restoreStore } from './restore.ts'
import { storeCopy } from './store-copy.ts'
import { storeSpecs } from './store-specs.ts'
import type { StartingPoint } from './take-over.ts'
import { makeTask, type Task, type TaskStore } from './task.ts'
import { taskIdOf } from './task-places.ts'
import type { Moment } from './task-timers.ts'

/** What an instance lends to all its tasks. */
export interface TaskSurroundings {
  readonly topology: Topology
  readonly groupId: string
  readonly instanceId: string
  readonly log: RecordLog
  readonly disk: Disk
  readonly output: OutputBuffer
  readonly scheduler: CallScheduler
  readonly counters: Counters
  readonly report: Report
  readonly deadLetter: DeadLetter | undefined
  readonly pipelineClock: Clock
  readonly realClock: Clock
  readonly timeFrom: 'clock' | 'records'
  readonly bulkWrites: ReadonlyMap<string, BulkWrite>
  readonly cacheEntries: number
  readonly loadCache: boolean
  readonly maxChangelogBytes: number
  global(name: string): GlobalTable<unknown>
  wake(): void
}

export async function openTask(
  surroundings: TaskSurroundings,
  subTopology: SubTopology,
  partition: number,
  options: {
    points: ReadonlyMap<string, StartingPoint>
    partitionCount: (topic: string) => number
    /** This instance ran the task before in the same membership, and committed: its calls are known here. */
    continued: boolean
    signal: AbortSignal
  },
): Promise<Task> {
  const id = taskIdOf({ subTopology: subTopology.index, partition })
  const journal: Undo[] = []
  const moment: Moment = { now: 0, streamTime: Number.NEGATIVE_INFINITY, current: undefined }
  const queues = subTopology.sources
    .filter((source) => partition < options.partitionCount(source.topic.name))
    .map((source) => {
      const tp = { topic: source.topic.name, partition }
      return partitionQueue(source, tp, options.points.get(partitionKey(tp))?.offset ?? 0)
    })
  const stores = await openStores(surroundings, subTopology, partition, journal, options)
  const bulkNode = subTopology.nodes.find((node) => node.kind === 'bulk-sink')
  const bulkSink = bulkNode && makeBulkSink(surroundings, bulkNode, queues, journal)
  // Operators ask the task whether inputs are caught up; the task is made of the operators.
  let task: Task | undefined
  const graph = operatorGraph(subTopology, {
    store: (name) => storeNamed(stores, name),
    global: surroundings.global,
    append: surroundings.output.append,
    count: (name, labels) => surroundings.counters.add(name, labels),
    bulkSink: () => (record) => bulkSink?.add(record),
    makeProcessor: (node, outputs, forward) =>
      processorInstance(node, {
        ...processorStores(node, stores),
        taskId: id,
        partition,
        now: () => moment.now,
        streamTime: () => moment.streamTime,
        current: () => moment.current,
        caughtUp: (input) => task?.caughtUp(topicsInto(subTopology, node.name, input)) ?? false,
        globals: new Map([...node.globals].map(([own, table]) => [own, surroundings.global(table)])),
        outputs,
        forward,
        count: (name, labels) => surroundings.counters.add(name, labels),
        journal,
        scheduler: surroundings.scheduler,
      }),
  })
  task = makeTask({
    id,
    partition,
    owner: surroundings.instanceId,
    queues,
    inputEnds: await inputEnds({
      admin: surroundings.log.admin,
      groupId: surroundings.groupId,
      partitions: queues.map(({ tp }) => tp),
      feeding: (topic) => topicsFeeding(surroundings.topology, topic, subTopology.index),
      partitionCount: options.partitionCount,
      clock: surroundings.realClock,
      report: surroundings.report,
    }),
    stores,
    streamTime: streamTimeOf(queues, options.points),
    timeFrom: surroundings.timeFrom,
    lazy: isLazy(subTopology),
    pipelineNow: () => surroundings.pipelineClock.now(),
    output: surroundings.output,
    deadLetter: surroundings.deadLetter,
    counters: surroundings.counters,
    journal,
    moment,
    graph,
    bulkSink,
  })
  try {
    await task.open(options.continued)
  } catch (error) {
    task.close()
    throw error
  }
  surroundings.scheduler.reopened(id)
  return task
}

async function openStores(
  surroundings: TaskSurroundings,
  subTopology: SubTopology,
  partition: number,
  journal: Undo[],
  options: { points: ReadonlyMap<string, StartingPoint>; signal: AbortSignal },
): Promise<TaskStore[]> {
  const id = taskIdOf({ subTopology: subTopology.index, partition })
  const stores: TaskStore[] = []
  for (const spec of storeSpecs(surroundings.topology.name, subTopology)) {
    const copy = storeCopy(id, partition, spec)
    await restoreStore({
      log: surroundings.log,
      disk: surroundings.disk,
      copy,
      until: copy.ours ? undefined : options.points.get(partitionKey(copy.changelog))?.offset,
      counters: surroundings.counters,
      report: surroundings.report,
      signal: options.signal,
    })
    const store = overlayStore({
      name: spec.name,
      prefix: copy.prefix,
      disk: surroundings.disk,
      value: spec.value,
      use: spec.use,
      maxRecordBytes: surroundings.maxChangelogBytes,
      cacheEntries: surroundings.cacheEntries,
      journal,
    })
    if (surroundings.loadCache || spec.use.keeps === 'all') await store.loadCache()
    stores.push({ store, changelog: spec.changelog })
  }
  return stores
}

function storeNamed(stores: readonly TaskStore[], name: string): OverlayStore<unknown> {
  const found = stores.find(({ store }) => store.name === name)
  if (!found) throw new Error(`there is no store ${name}`)
  return found.store
}

function processorStores(
  node: ProcessorNode,
  stores: readonly TaskStore[],
): Pick<ProcessorServices, 'stores' | 'intentStores'> {
  const own = Object.keys(node.definition.stores)
  return {
    stores: new Map(
      own.map((name): [string, KeyedStore] => [name, storeNamed(stores, storeName(node.name, name))]),
    ),
    intentStores: new Map(
      effectsOf(node).map(([effect]) => [
        effect,
        storeNamed(stores, intentStoreName(node.name, effect)) as OverlayStore<StoredIntent>,
      ]),
    ),
  }
}

type KeyedStore = OverlayStore<unknown> & KeyValueStore<unknown>

function makeBulkSink(
  surroundings: TaskSurroundings,
  node: Extract<Node, { kind: 'bulk-sink' }>,
  queues: readonly PartitionQueue[],
  journal: Undo[],
): BulkSinkRunner {
  const write = surroundings.bulkWrites.get(node.name)
  if (!write) throw new Error(`no write is registered for the bulk sink ${node.name}`)
  return bulkSinkRunner({
    node,
    queues,
    write,
    clock: surroundings.pipelineClock,
    counters: surroundings.counters,
    report: surroundings.report,
    journal,
    wake: surroundings.wake,
  })
}

/** Nothing downstream waits for its commits: a bulk sink, or processors that all say so. */
function isLazy({ nodes }: SubTopology): boolean {
  if (nodes.some((node) => node.kind === 'bulk-sink')) return true
  const processors = nodes.filter((node) => node.kind === 'processor')
  return processors.length > 0 && processors.every((node) => node.definition.commit === 'lazy')
}

/** The source topics that lead into one input of a processor. */
function topicsInto(subTopology: SubTopology, processor: string, input: string): ReadonlySet<string> {
  const topics = new Set<string>()
  const waiting = subTopology.edges
    .filter((edge) => edge.to === processor && edge.toPort === input)
    .map((edge) => edge.from)
  const seen = new Set<string>()
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    const source = subTopology.sources.find((node) => node.name === name)
    if (source) topics.add(source.topic.name)
    for (const edge of subTopology.edges) if (edge.to === name) waiting.push(edge.from)
  }
  return topics
}

function streamTimeOf(
  queues: readonly { tp: { topic: string; partition: number } }[],
  points: ReadonlyMap<string, StartingPoint>,
): number {
  let highest = Number.NEGATIVE_INFINITY
  for (const { tp } of queues)
    highest = Math.max(highest, points.get(partitionKey(tp))?.streamTime ?? highest)
  return highest
}
