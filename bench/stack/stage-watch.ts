/**
 * Stands behind each stage of the pipeline and notes when a change came out of it: as a read-committed reader of its
 * topic sees it, so a stage's commit is part of the stage.
 */
import { followTopic } from '../../app/pipeline/read-topic.ts'
import { type InputRecord, type RecordLog, systemClock, type Topic } from '../../engine/index.ts'
import { type Codecs, makeCodecs, type Registry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { report } from '../support/serve.ts'
import { type Passed, preciseNow } from './order-writer.ts'

/** The stages in order; each ends where its topic is read. */
export const stageNames = ['captured', 'normalized', 'enriched', 'routed'] as const
export type StageName = (typeof stageNames)[number]

export interface StageWatch {
  readonly passed: Readonly<Record<StageName, Passed>>
  stop(): Promise<void>
}

const eventOf: Readonly<Record<string, string>> = {
  CONFIRMED: 'order_confirmed',
  OUT_FOR_DELIVERY: 'out_for_delivery',
  DELIVERED: 'delivered',
}

export function watchStages(log: RecordLog, registry: Registry): StageWatch {
  const codecs: Codecs = makeCodecs(registry)
  const topics = makeTopics(codecs)
  const stopping = new AbortController()
  const passed = Object.fromEntries(
    stageNames.map((name): [StageName, Passed] => [name, new Map()]),
  ) as Record<StageName, Passed>
  const watching: Promise<void>[] = []

  function watch<K, V>(stage: StageName, topic: Topic<K, V>, keyOf: (value: V) => string | undefined) {
    const note = ({ value }: InputRecord<K, V>) => {
      const key = keyOf(value)
      if (key !== undefined && !passed[stage].has(key)) passed[stage].set(key, preciseNow())
    }
    const patience = { clock: systemClock, report }
    watching.push(followTopic({ log, topic, onRecord: note, signal: stopping.signal, patience }))
  }

  watch('captured', topics.cdcOrders, (value) => {
    if (value === null) return undefined
    const { after } = JSON.parse(Buffer.from(value).toString('utf8')) as {
      after: { id: number; status: string } | null
    }
    return after ? `${after.id} ${eventOf[after.status]}` : undefined
  })
  watch('normalized', topics.orderChanges, ({ order_id, after }) =>
    after ? `${order_id} ${eventOf[after.status]}` : undefined,
  )
  watch('enriched', topics.orderEvents, ({ payload }) => `${payload.order_id} ${payload.event.toLowerCase()}`)
  watch('routed', topics.deliveries, ({ order_id, event }) => `${order_id} ${event.toLowerCase()}`)

  return {
    passed,
    async stop() {
      stopping.abort()
      await Promise.all(watching)
    },
  }
}
