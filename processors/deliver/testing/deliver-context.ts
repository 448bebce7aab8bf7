/** What the engine gives to DELIVER, over a world: every emitted value passes through its codec, and rules are checked. */
import type { Intent } from '../../../engine/index.ts'
import type { WebhookCallRequest } from '../../../ports/sender.ts'
import type { PartnerConfig, RetryTicket } from '../../../schemas/index.ts'
import { defaultDeliverTimes } from '../deliver.ts'
import type { DeliverContext, RetryTier } from '../shape.ts'
import { codecs } from './builders.ts'
import type { DeliverDefinition } from './encoded-stores.ts'
import type { World } from './world.ts'

const forgottenAfterMs = defaultDeliverTimes.pairMemoryMs

/** Thrown by `reject`, and caught by the harness. */
export class Rejection extends Error {}

/** Where the task stands. */
export interface Standing {
  now: number
  caughtUp: boolean
  wakeAt: number | undefined
}

export interface ContextOptions {
  readonly definition: DeliverDefinition
  readonly stores: DeliverContext['stores']
  readonly world: () => World
  readonly standing: Standing
  readonly tiers: readonly RetryTier[]
  readonly partners: ReadonlyMap<string, PartnerConfig>
  /** What was counted, by name, and by name with labels. */
  readonly counts: Map<string, number>
  readonly onStart?: (intent: Intent<WebhookCallRequest>, open: readonly Intent<WebhookCallRequest>[]) => void
}

export function deliverContext(options: ContextOptions): DeliverContext {
  const { world, standing, partners, counts } = options

  const keepTicket =
    (output: RetryTier['output']) =>
    (key: string, ticket: RetryTicket): void => {
      codecs.retryTicket.serialize(ticket)
      if (key !== ticket.endpoint_id) throw new Error('a ticket is keyed by its endpoint')
      const delayMs = options.tiers.find((tier) => tier.output === output)?.delayMs
      if (delayMs === undefined) throw new Error(`no tier ${output}`)
      world().tickets.push({ ticket, dueAt: standing.now + delayMs })
    }

  return {
    taskId: 'deliver_0',
    partition: 0,
    now: () => standing.now,
    streamTime: () => standing.now,
    caughtUp: () => standing.caughtUp,
    stores: options.stores,
    globals: { partners: { get: (key) => partners.get(key), entries: () => partners.entries() } },
    emit: {
      history(_key, value) {
        codecs.deliveryHistory.serialize(value)
        world().history.push(value)
      },
      dead(_key, value) {
        codecs.deadDelivery.serialize(value)
        world().dead.push(value)
      },
      redrives(redriveId, value) {
        if (value) codecs.of('redrive.progress-value').serialize(value)
        if (value) world().redrives.set(redriveId, value)
        else world().redrives.delete(redriveId)
      },
      retry30s: keepTicket('retry30s'),
      retry2m: keepTicket('retry2m'),
      retry8m: keepTicket('retry8m'),
    },
    effects: { call: callPort(options) },
    wakeAt(time) {
      standing.wakeAt = time
    },
    count(name, labels) {
      const label = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
      for (const key of [name, `${name}{${label.join(',')}}`]) counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    reject(reason) {
      throw new Rejection(reason)
    },
  }
}

function callPort({
  world,
  standing,
  definition,
  onStart,
}: ContextOptions): DeliverContext['effects']['call'] {
  return {
    start(intent) {
      const { calls, usedIds } = world()
      // A delivery that comes anew after it was forgotten begins to count anew.
      const usedAt = usedIds.get(intent.id)
      if (usedAt !== undefined && standing.now < usedAt + forgottenAfterMs)
        throw new Error(`intent ${intent.id} is written twice`)
      definition.effects.call.request.serialize(intent.request)
      usedIds.set(intent.id, standing.now)
      calls.set(intent.id, { intent, started: false })
      onStart?.(
        intent,
        [...calls.values()].map((call) => call.intent),
      )
    },
    withdraw(id) {
      const { calls } = world()
      const call = calls.get(id)
      if (!call) return 'unknown'
      if (call.started) return 'started'
      calls.delete(id)
      return 'withdrawn'
    },
  }
}
