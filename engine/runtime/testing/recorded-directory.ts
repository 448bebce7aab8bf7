/**
 * The application whose data directory is kept in `test/fixtures/format-<n>`, made with the version that wrote format
 * n and never changed: whatever comes later must start on it. `recordDirectory` makes one for a new format.
 */
import { join } from 'node:path'
import { systemClock } from '../../clock.ts'
import { topologyBuilder } from '../../graph/builder.ts'
import { effect, type ProcessorDefinition, store } from '../../graph/processor.ts'
import { defineTopic } from '../../graph/topic.ts'
import { type EmbeddedLog, openEmbeddedLog } from '../../record-log/embedded/embedded-log.ts'
import { partitionFor } from '../../record-log/partitioner.ts'
import { utf8 } from '../../serdes/serde.ts'
import { levelDisks } from '../../stores/level-disk.ts'
import { type Application, createApplication } from '../application.ts'
import { number } from './scene.ts'

export const words = defineTopic({ name: 'words', key: utf8, value: utf8, retentionMs: -1 })
export const names = defineTopic({
  name: 'names',
  key: utf8,
  value: utf8,
  cleanup: 'compact',
  retentionMs: -1,
})
export const totals = defineTopic({ name: 'totals', key: utf8, value: utf8, retentionMs: -1 })
const partitions = 2

type CounterShape = {
  inputs: { word: { key: string; value: string } }
  outputs: { total: { key: string; value: string } }
  stores: { totals: number }
  globals: Record<never, never>
  effects: { ask: { request: string; result: string } }
}

/** Counts words, and asks about each; what was asked and not answered stays in the store of intents. */
const counter: ProcessorDefinition<CounterShape> = {
  stores: { totals: store(number) },
  effects: { ask: effect<string, string>(utf8) },
  create: ({ stores, emit, effects, now }) => ({
    inputs: {
      word({ key, value }) {
        const total = (stores.totals.get(key) ?? 0) + 1
        stores.totals.put(key, total)
        emit.total(key, `${value} ${total}`)
        const id = `${key}#${total}`
        effects.ask.start({ id, key, pool: 'ask', priority: 0, notAfter: now() + 1e12, request: id })
      },
    },
    results: { ask() {} },
  }),
}

function topology() {
  const builder = topologyBuilder('recorded')
  const word = builder
    .stream(words)
    .join('named', builder.table('people', names), (value, name) => `${name} ${value}`)
  builder.process('counter', counter, { inputs: { word }, outputs: { total: totals }, globals: {} })
  return builder.build()
}

export interface RecordedApplication {
  readonly log: EmbeddedLog
  readonly application: Application
  /** Requests that were asked, in order. */
  readonly asked: string[]
  append(topic: string, ...pairs: [key: string, value: string][]): Promise<void>
  close(): Promise<void>
}

/** Opens the application on a data directory. `answers: false`: calls stay open, and so do their intents. */
export async function openRecorded(
  directory: string,
  { answers, report }: { answers: boolean; report: (message: string) => void },
): Promise<RecordedApplication> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  const asked: string[] = []
  const application = createApplication({
    topology: topology(),
    log,
    disk: await levelDisks({ report }).open(join(directory, 'state')),
    instanceId: 'recorded',
    defaultPartitions: partitions,
    housekeeping: { everyMs: Number.POSITIVE_INFINITY },
    report,
    effects: {
      'counter.ask': (intent: { request: string }) => {
        asked.push(intent.request)
        return answers ? Promise.resolve('') : new Promise<string>(() => {})
      },
    },
  })
  await application.start()
  const writer = log.writer({ transactionalId: 'recorder' })
  return {
    log,
    application,
    asked,
    async append(topic, ...pairs) {
      for (const [key, value] of pairs) {
        const record = { key: Buffer.from(key), value: Buffer.from(value), headers: [], timestamp: 1 }
        await writer.append([{ topic, partition: partitionFor(record.key, partitions), records: [record] }])
      }
    },
    async close() {
      await application.stop()
      await log.close()
    },
  }
}

/** Fills a directory: two words counted twice, one table, open intents. */
export async function recordDirectory(directory: string): Promise<void> {
  const recorded = await openRecorded(directory, { answers: false, report: () => {} })
  await recorded.append('names', ['ant', 'Anna'], ['bee', 'Bert'])
  await recorded.application.settled({ running: 'ignored' })
  await recorded.append('words', ['ant', 'x'], ['bee', 'x'], ['ant', 'x'], ['bee', 'x'])
  await recorded.application.settled({ running: 'ignored' })
  await recorded.close()
}
