/** What DELIVER remembers for a while so that nothing happens twice, and when it forgets: pairs, commands, and the
 * deliveries that can still be redriven. */
import type { DeliveryState } from '../../schemas/index.ts'
import { makeExpiryQueue } from './expiry-queue.ts'
import type { DeliverContext, DeliverTimes } from './shape.ts'

export interface Memory {
  isPairRemembered(deliveryId: string): boolean
  /** The state in which a remembered pair was settled. */
  settledAs(deliveryId: string): string | undefined
  rememberPair(deliveryId: string, state: DeliveryState, now: number): void
  /** `false` when the command was seen before. */
  rememberCommand(commandId: string, now: number): boolean
  /** A delivery is dead or skipped since then. */
  keepForRedrive(deliveryId: string, since: number): void
  /** Forgets what has reached its age; `tooLate` is told of deliveries whose time for a redrive is over. */
  sweep(now: number, tooLate: (deliveryId: string, since: number) => void): void
  load: { queues(name: string, ends: { readonly head: number; readonly tail: number }): void }
}

/** How many entries of a kind one sweep may forget: enough for 2,000 deliveries a second in one task. */
const forgottenPerSweepMax = 2000

const pairKey = (deliveryId: string): string => `pair/${deliveryId}`
const commandKey = (commandId: string): string => `command/${commandId}`

/** The memory of one task. */
export function makeMemory(context: DeliverContext, times: DeliverTimes): Memory {
  const { remembered, expiries, queues } = context.stores
  const queue = (name: string, ageMs: number) => makeExpiryQueue({ name, ageMs, expiries, queues })
  const pairs = queue('pairs', times.pairMemoryMs)
  const commands = queue('commands', times.commandMemoryMs)
  const redrivable = queue('redrivable', times.redrivableMs)
  const byName = new Map([
    ['pairs', pairs],
    ['commands', commands],
    ['redrivable', redrivable],
  ])

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
    keepForRedrive: (deliveryId, since) => redrivable.push(deliveryId, since),
    sweep(now, tooLate) {
      redrivable.expire(now, forgottenPerSweepMax, tooLate)
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
