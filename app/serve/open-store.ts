/** Opens the store of the delivery log, told of what LOG has yet to read. */
import { join } from 'node:path'
import { openDeliveryLog } from '../../connectors/postgres/open-delivery-log.ts'
import type { Clock, RecordLog } from '../../engine/index.ts'
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import { backlogOf } from '../../ports/delivery-log-freshness.ts'
import { type LogSources, logName } from '../../topology/log.ts'

/** A directory of its own, or a server. */
export type StorePlace = { readonly directory: string } | { readonly url: string }

/** Where the settings put it. */
export const storePlace = ({
  databaseUrl,
  dataDirectory,
}: {
  readonly databaseUrl: string | undefined
  readonly dataDirectory: string
}): StorePlace =>
  databaseUrl === undefined ? { directory: join(dataDirectory, 'delivery-log') } : { url: databaseUrl }

/** LOG's topics as the store names its sources. */
export const logTopicsOf = (topics: LogSources) => ({
  history: topics.deliveryHistory,
  verdicts: topics.routingVerdicts,
  health: topics.endpointHealth,
})

/** Rejects with a `DeliveryLogError`. */
export function openStore(options: {
  readonly log: RecordLog
  readonly topics: LogSources
  readonly place: StorePlace
  readonly clock: Clock
}): Promise<DeliveryLog> {
  const { log, topics, place, clock } = options
  return openDeliveryLog({
    place,
    backlog: backlogOf({ log, groupId: logName, topics: logTopicsOf(topics), now: clock.now }),
  })
}
