/**
 * LOG: what the delivery log is written from. A graph and a group of its own, so that a store that is slow or gone
 * holds up nothing but itself.
 */
import { type Topology, topologyBuilder } from '../engine/index.ts'
import { logBatching, logSinks } from '../ports/delivery-log-sink.ts'
import { pipelineName } from './pipeline.ts'
import type { Topics } from './topics.ts'

/** Also the group whose committed offsets say how far the delivery log is. */
export const logName = `${pipelineName}-log`

export type LogSources = Pick<Topics, 'deliveryHistory' | 'routingVerdicts' | 'endpointHealth'>

export function logTopology(topics: LogSources): Topology {
  const streams = topologyBuilder(logName)
  streams.stream(topics.deliveryHistory).bulkSink(logSinks.history, logBatching)
  streams.stream(topics.routingVerdicts).bulkSink(logSinks.verdicts, logBatching)
  streams.stream(topics.endpointHealth).bulkSink(logSinks.health, logBatching)
  return streams.build()
}
