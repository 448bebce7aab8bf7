/** The whole graph: how an order change becomes a webhook. Read it from top to bottom as a record travels. */
import { type Topology, topologyBuilder } from '../engine/index.ts'
import { defaultDeliverTimes, deliver, type WaitingBoard } from '../processors/deliver/deliver.ts'
import { type EnrichOptions, enrich } from '../processors/enrich/enrich.ts'
import { normalize } from '../processors/normalize/normalize.ts'
import type { NormalizeOptions } from '../processors/normalize/normalize-record.ts'
import { route } from '../processors/route/route.ts'
import { type WatchOptions, watch } from '../processors/watch/watch.ts'
import type { Codecs, Sealer } from '../schemas/index.ts'
import { retryTiers, serde, type Topics } from './topics.ts'

export interface PipelineOptions {
  readonly topics: Topics
  readonly codecs: Codecs
  readonly sealer: Sealer
  readonly mapping: NormalizeOptions['mapping']
  readonly enrichTiming?: EnrichOptions['timing']
  /** Whether retries are spread over some seconds after their tier; a test may want them to the millisecond. Default: true. */
  readonly retryJitter?: boolean
  /** Where DELIVER's tasks show what waits with them. */
  readonly waiting?: WaitingBoard
  /** Whether WATCH runs along. A replay has nobody to report to. Default: true. */
  readonly watched?: boolean
  /** When endpoints are at risk, and who is told. Default: WATCH's own rules, and the partners. */
  readonly health?: Pick<WatchOptions, 'rules' | 'notices'>
}

/** Prefix of the changelogs, and the group that the instances form. */
export const pipelineName = 'waybill'

export function pipeline(options: PipelineOptions): Topology {
  const {
    topics,
    codecs,
    sealer,
    mapping,
    enrichTiming,
    retryJitter = true,
    watched = true,
    waiting,
    health = {},
  } = options
  const streams = topologyBuilder(pipelineName)
  const partners = streams.globalTable('partners', topics.partnerConfig)

  streams.process('normalize', normalize({ mapping, seal: sealer, decodeAvro: codecs.decodeMessage }), {
    inputs: { orders: streams.stream(topics.cdcOrders), assignments: streams.stream(topics.cdcAssignments) },
    outputs: { orderChange: topics.orderChanges, assignmentChange: topics.assignmentChanges },
    globals: {},
  })

  const stateOf = {
    orders: serde(codecs.of('store.enrich.orders-value')),
    assignments: serde(codecs.of('store.enrich.assignments-value')),
  }
  streams.process('enrich', enrich({ serdes: stateOf, ...(enrichTiming && { timing: enrichTiming }) }), {
    inputs: {
      change: streams.stream(topics.orderChanges),
      assignment: streams.stream(topics.assignmentChanges),
      command: streams.stream(topics.orderCommands, { aligned: false }),
    },
    outputs: { event: topics.orderEvents, gaps: topics.orderGaps },
    globals: {},
  })

  streams.process('route', route({ sealer }), {
    inputs: { event: streams.stream(topics.orderEvents) },
    outputs: { delivery: topics.deliveries, verdict: topics.routingVerdicts },
    globals: { partners },
  })

  const [tier30s, tier2m, tier8m] = retryTiers(topics)
  const first = streams.delayed(tier30s.topic, tier30s.delayMs)
  const second = streams.delayed(tier2m.topic, tier2m.delayMs)
  const third = streams.delayed(tier8m.topic, tier8m.delayMs)
  streams.process('deliver', deliver({ codecs, sealer, retryJitter, ...(waiting && { waiting }) }), {
    inputs: {
      delivery: streams.stream(topics.deliveries),
      command: streams.stream(topics.deliveryCommands, { aligned: false }),
      ticket: first.merge(second).merge(third),
    },
    outputs: {
      history: topics.deliveryHistory,
      dead: topics.deadDeliveries,
      redrives: topics.redrives,
      retry30s: topics.retry30s,
      retry2m: topics.retry2m,
      retry8m: topics.retry8m,
    },
    globals: { partners },
  })

  if (watched) {
    const { failingMaxMs: disabledAfterMs } = defaultDeliverTimes
    streams.process('watch', watch({ codecs, disabledAfterMs, ...health }), {
      inputs: { history: streams.stream(topics.deliveryHistory) },
      outputs: { health: topics.endpointHealth },
      globals: { partners },
    })
  }

  return streams.build()
}
