/**
 * Runs LOG beside the pipeline: opens the store of the delivery log, writes what it lacks, then follows the topics.
 * None of it holds the pipeline up: until the store is there, and whenever it is gone, the topics keep everything.
 */
import { openDeliveryLog } from '../../connectors/postgres/open-delivery-log.ts'
import {
  type Application,
  type Clock,
  createApplication,
  type DeadLetter,
  memoryDisks,
  type RecordLog,
  type Report,
} from '../../engine/index.ts'
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import { backlogOf } from '../../ports/delivery-log-freshness.ts'
import { catchUpLog, type LogTopics } from '../../ports/delivery-log-rebuild.ts'
import { logWrites } from '../../ports/delivery-log-sink.ts'
import { type LogSources, logName, logTopology } from '../../topology/log.ts'

export interface DeliveryLogServiceOptions {
  readonly log: RecordLog
  readonly topics: LogSources
  /** A directory of its own, or a server. */
  readonly place: { readonly directory: string } | { readonly url: string }
  readonly deadLetter: DeadLetter
  readonly clock: Clock
  readonly report: Report
}

export interface DeliveryLogService {
  readonly store: DeliveryLog
  readonly application: Application
  stop(): Promise<void>
}

/** LOG's topics as the rebuild names them. */
export const logTopicsOf = (topics: LogSources): LogTopics => ({
  history: topics.deliveryHistory,
  verdicts: topics.routingVerdicts,
  health: topics.endpointHealth,
})

/** Opens the store alone, for looking things up. Rejects with a `DeliveryLogError`. */
export function openStore({
  log,
  topics,
  place,
  clock,
}: Pick<DeliveryLogServiceOptions, 'log' | 'topics' | 'place' | 'clock'>): Promise<DeliveryLog> {
  const backlog = backlogOf({
    log,
    groupId: logName,
    topics: {
      history: topics.deliveryHistory,
      verdicts: topics.routingVerdicts,
      health: topics.endpointHealth,
    },
    now: clock.now,
  })
  return openDeliveryLog({ place, backlog })
}

export async function startDeliveryLog(options: DeliveryLogServiceOptions): Promise<DeliveryLogService> {
  const { log, topics, report } = options
  const store = await openStore(options)
  try {
    const missed = await catchUpLog({ log, topics: logTopicsOf(topics), store, groupId: logName })
    if (missed.records > 0) report(`the delivery log lacked ${missed.records} records; they are written`)
    const application = createApplication({
      topology: logTopology(topics),
      log,
      // LOG keeps no state of its own.
      disk: await memoryDisks().open('log'),
      instanceId: 'embedded-log',
      bulkSinks: logWrites(store),
      deadLetter: options.deadLetter,
      pipelineClock: options.clock,
      realClock: options.clock,
      report,
    })
    await application.start()
    return {
      store,
      application,
      async stop() {
        await application.stop()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
