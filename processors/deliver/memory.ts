/** What DELIVER remembers for a while so that nothing happens twice or late, and when it forgets: pairs, commands, how
 * far each order came, the deliveries that can still be redriven, and redrives that ended. */
import type { DeliveryState } from '../../schemas/index.ts'
import { type ExpiryQueue, makeExpiryQueue } from './expiry-queue.ts'
import type { DeliverContext, DeliverTimes } from './shape.ts'

export interface Memory {
  isPairRemembered(deliveryId: string): boolean
  /** The state in which a remembered pair was settled. */
  settledAs(deliveryId: string): string | undefined
  rememberPair(deliveryId: string, state: DeliveryState, now: number): void
  /** `false` when the command was seen before. */
  rememberCommand(commandId: string, now: number): boolean
  /** The sequence of the newest event of an order that was delivered under strict order. */
  newestDelivered(endpointId: string, orderId: string): number | undefined
  rememberOrder(endpointId: string, orderId: string, sequence: number, now: number): void
  /** A delivery is dead or skipped since then. */
  keepForRedrive(deliveryId: string, since: number): void
  /** The deliveries that are or were dead or skipped, oldest first, as numbered entries. */
  readonly redrivable: Pick<ExpiryQueue, 'at' | 'ends'>
  keepRedrive(redriveId: string, now: number): void
  /** Forgets what has reached its age, and tells of what others hold. */
  sweep(now: number, forget: ForgottenElsewhere): void
  load: { queues(name: string, ends: { readonly head: number; readonly tail: number }): void }
}

export interface ForgottenElsewhere {
  /** The time for a redrive of this delivery is over, if it is dead or skipped since then. */
  delivery(deliveryId: string, since: number): void
  redrive(redriveId: string): void
}

/** How many entries of a kind one sweep may forget: enough for 2,000 deliveries a second in one task. */
const forgottenPerSweepMax = 2000

const pairKey = (deliveryId: string): string => `pair/${deliveryId}`
const commandKey = (commandId: string): string => `command/${commandId}`
const orderKey = (endpointId: string, orderId: string): string => `order/${endpointId}/${orderId}`

/** The memory of one task. */
export function makeMemory(context: DeliverContext, times: DeliverTimes): Memory {
  const { remembered, expiries, queues } = context.stores
  const queue = (name: string, ageMs: number) => makeExpiryQueue({ name, ageMs, expiries, queues })
  const pairs = queue('pairs', times.pairMemoryMs)
  const commands = queue('commands', times.commandMemoryMs)
  const redrivable = queue('redrivable', times.redrivableMs)
  // As long as an older event of the order can come: a redrivable one does for so long.
  const orders = queue('orders', times.redrivableMs + times.pairMemoryMs)
  const redrives = queue('redrives', times.redrivableMs)
  const byName = new Map(Object.entries({ pairs, commands, redrivable, orders, redrives }))

  return {
    isPairRemembered: (deliveryId) => remembered.get(pairKey(deliveryId)) !== undefined,
    settledAs: (deliveryId) => remembered.get(pairKey(deliveryId))?.state ?? undefined,
    rememberPair(deliveryId, state, now) {
      remembered.put(pairKey(deliveryId), { at: now, state, sequence: null })
      pairs.push(deliveryId, now)
    },
    rememberCommand(commandId, now) {
      const key = commandKey(commandId)
      if (remembered.get(key)) return false
      remembered.put(key, { at: now, state: null, sequence: null })
      commands.push(commandId, now)
      return true
    },
    newestDelivered: (endpointId, orderId) =>
      remembered.get(orderKey(endpointId, orderId))?.sequence ?? undefined,
    rememberOrder(endpointId, orderId, sequence, now) {
      const key = orderKey(endpointId, orderId)
      const known = remembered.get(key)
      remembered.put(key, { at: now, state: null, sequence: Math.max(sequence, known?.sequence ?? sequence) })
      orders.push(key, now)
    },
    keepForRedrive: (deliveryId, since) => redrivable.push(deliveryId, since),
    redrivable,
    keepRedrive: (redriveId, now) => redrives.push(redriveId, now),
    sweep(now, forget) {
      redrivable.expire(now, forgottenPerSweepMax, forget.delivery)
      redrives.expire(now, forgottenPerSweepMax, forget.redrive)
      orders.expire(now, forgottenPerSweepMax, (key, at) => {
        if (remembered.get(key)?.at === at) remembered.delete(key)
      })
      pairs.expire(now, forgottenPerSweepMax, (deliveryId, at) => {
        if (remembered.get(pairKey(deliveryId))?.at === at) remembered.delete(pairKey(deliveryId))
      })
      commands.expire(now, forgottenPerSweepMax, (commandId) => remembered.delete(commandKey(commandId)))
    },
    load: {
      queues: (name, ends) => byName.get(name)?.load(ends),
    },
  }
}
