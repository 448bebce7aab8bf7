/**
 * How long each topic and store is kept, in one place: `topics.ts` takes its numbers from here, and those of the stores
 * are the constants by which the processors forget. `retention.test.ts` holds both against the topology.
 *
 * What feeds our own stages is never removed by time alone (`purge`): a stage that was down would skip it. It goes when
 * every reader has committed it and it is older than its age. Changelogs are compacted: a store's state is as old as the
 * rule of the store says.
 */
import type { TopicConfig } from '../engine/index.ts'
import { defaultDeliverTimes } from '../processors/deliver/deliver.ts'
import { defaultTiming } from '../processors/enrich/timing.ts'
import { routableAgeMs } from '../processors/route/route-event.ts'

const dayMs = 24 * 3600 * 1000

type TopicRetention = Pick<TopicConfig, 'cleanup' | 'retentionMs'>

const deletedAfter = (days: number) => ({ cleanup: 'delete', retentionMs: days * dayMs }) as const
const purgedAfter = (days: number) => ({ cleanup: 'purge', retentionMs: days * dayMs }) as const
const newestOfEachKey = { cleanup: 'compact', retentionMs: -1 } as const

/** By the names that the code uses for topics. */
export const topicRetention = Object.freeze({
  // Debezium's, with one-time passwords in clear where others may write: long enough to mend a stopped reader.
  cdcOrders: deletedAfter(3),
  cdcAssignments: deletedAfter(3),
  orderChanges: purgedAfter(7),
  assignmentChanges: purgedAfter(7),
  // Can be replayed for so long.
  orderEvents: purgedAfter(30),
  orderCommands: purgedAfter(7),
  orderGaps: newestOfEachKey,
  ingestProgress: newestOfEachKey,
  partnerConfig: newestOfEachKey,
  // Read once; kept a while longer for whoever looks into what happened.
  deliveries: purgedAfter(7),
  deliveryCommands: purgedAfter(7),
  retry30s: purgedAfter(7),
  retry2m: purgedAfter(7),
  retry8m: purgedAfter(7),
  deadDeliveries: deletedAfter(30),
  // The delivery log is rebuilt from these two: what is older is in the delivery log alone.
  deliveryHistory: deletedAfter(30),
  routingVerdicts: deletedAfter(30),
  redrives: newestOfEachKey,
  endpointHealth: newestOfEachKey,
  undecodable: deletedAfter(30),
} as const satisfies Readonly<Record<string, TopicRetention>>)

/** When what a store holds is forgotten. */
export interface StoreRule {
  /** Whose age counts, and from when. */
  readonly entry: string
  /** `null`: it ends with what it is about, and time alone never ends it. */
  readonly ageMs: number | null
}

const enriched = defaultTiming
const delivered = defaultDeliverTimes

/** By the store's name in its changelog, without the topology's. Every entry of a store falls under one of its rules. */
export const storeRetention: Readonly<Record<string, readonly StoreRule[]>> = {
  'enrich.orders': [
    { entry: 'delete marker, after the delete', ageMs: enriched.markerKeepMs },
    {
      entry:
        'order, after its last change, where rows have a version and updates the row before; looked for at a start',
      ageMs: enriched.orderKeepMs,
    },
    {
      entry: 'order that ended, after its last change, of any other source; looked for at a start',
      ageMs: enriched.endedKeepMs,
    },
    { entry: 'order that goes on, waits, or has a gap nobody decided about', ageMs: null },
  ],
  'enrich.assignments': [
    { entry: 'riders of an order, after their last change', ageMs: enriched.assignmentKeepMs },
  ],
  'enrich.lookup.intents': [
    { entry: 'question to dispatch, until it is answered', ageMs: enriched.holdMaxMs },
  ],
  'deliver.bodies': [
    { entry: 'body of a waiting delivery, until it is settled', ageMs: null },
    { entry: 'body of a dead or skipped delivery, after that', ageMs: delivered.redrivableMs },
  ],
  'deliver.states': [
    { entry: 'waiting delivery, until it is settled', ageMs: null },
    { entry: 'dead or skipped delivery, after that', ageMs: delivered.redrivableMs },
  ],
  'deliver.endpoints': [{ entry: 'one small entry for each endpoint that was ever sent to', ageMs: null }],
  'deliver.remembered': [
    { entry: 'pair of event and endpoint, after it was settled', ageMs: delivered.pairMemoryMs },
    { entry: 'id of a command', ageMs: delivered.commandMemoryMs },
    {
      entry: 'newest event of an order at an endpoint with strict order',
      ageMs: delivered.redrivableMs + delivered.pairMemoryMs,
    },
  ],
  'deliver.expiries': [{ entry: 'goes with what it says is to be forgotten', ageMs: null }],
  'deliver.queues': [{ entry: 'two numbers for each kind of memory', ageMs: null }],
  'deliver.redrives': [
    { entry: 'redrive that goes on', ageMs: null },
    { entry: 'redrive, after it ended', ageMs: delivered.redrivableMs },
  ],
  'deliver.call.intents': [{ entry: 'call, until its outcome is committed', ageMs: null }],
  'watch.endpoints': [{ entry: 'one small entry for each endpoint that was ever sent to', ageMs: null }],
  'watch.windows': [{ entry: 'counts of an endpoint, over the widest window', ageMs: 7 * dayMs }],
  'watch.open': [{ entry: 'waiting delivery, until it is settled', ageMs: null }],
  'watch.notices': [
    { entry: 'notice and channel, until it is sent or given up, a day at most', ageMs: null },
  ],
  'watch.notify.intents': [{ entry: 'notice, until it is sent or given up', ageMs: null }],
}

/**
 * Ages that only work together: nothing is sent twice because ROUTE stops making deliveries of an event before DELIVER
 * forgets that it made one; nothing is replayed into an empty memory.
 */
export const retentionOrder: readonly {
  readonly shorter: number
  readonly longer: number
  readonly why: string
}[] = [
  {
    shorter: routableAgeMs,
    longer: delivered.pairMemoryMs,
    why: 'an event may be routed again only while its pair of event and endpoint is remembered',
  },
  {
    shorter: delivered.redrivableMs,
    longer: topicRetention.deadDeliveries.retentionMs,
    why: 'what can be redriven can be looked up among the dead',
  },
  {
    shorter: enriched.orderKeepMs,
    longer: enriched.endedKeepMs,
    why: 'a change older than the memory of orders never fires for an order that was forgotten',
  },
  {
    shorter: topicRetention.orderChanges.retentionMs,
    longer: enriched.orderKeepMs,
    why: 'changes that are read again meet the orders that they made',
  },
]
