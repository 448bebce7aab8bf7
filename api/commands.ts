/** What a person may ask of a delivery, and whether it makes sense in the state that the log knows. */
import { v5 as uuidV5, v7 as uuidV7 } from 'uuid'
import type { Clock, Random } from '../engine/index.ts'
import type { DeliveryRow } from '../ports/delivery-log.ts'
import { commandDefaults, type DeliveryCommand } from '../schemas/index.ts'
import type { CommandBody } from './contract/answers.ts'
import type { ErrorCode } from './errors.ts'

export type Wish = 'retry' | 'cancel'

export type Plan =
  | { readonly command: CommandBody['command']; readonly will: string }
  | { readonly refused: Extract<ErrorCode, 'already_delivered' | 'not_waiting'> }

/**
 * The log may be a moment behind. DELIVER decides by what is really so, and does nothing where a command no longer
 * fits; so a wrong guess here is harmless.
 */
export function planCommand(wish: Wish, { state }: Pick<DeliveryRow, 'state'>): Plan {
  if (state === 'delivered') return { refused: 'already_delivered' }
  if (wish === 'retry') return state === 'waiting' ? sendNow : sendAgain
  return state === 'waiting' ? stop : { refused: 'not_waiting' }
}

const sendNow: Plan = {
  command: 'RETRY_NOW',
  will: 'it is sent as soon as its endpoint may be called; a request that is running is left alone',
}
const sendAgain: Plan = {
  command: 'REDRIVE',
  will: 'it is sent again, the same bytes under the same webhook-id, with all its retries',
}
const stop: Plan = {
  command: 'CANCEL',
  will: 'it is not sent any more; a request that is running is not broken off, and a success of it counts',
}

/** Of our command ids. Any UUID would do; this one must never change. */
const namespace = 'b7d1c6f2-7b0e-4d0b-9a35-6f3a2f6a4c11'

/**
 * The id by which DELIVER does a command once. From a key, it follows from the delivery and the wish too: the same
 * key never reaches across deliveries or partners, and a repeat stays a repeat although the state has moved on.
 */
export function commandId(
  wish: Wish,
  { delivery_id, partner_id }: Pick<DeliveryRow, 'delivery_id' | 'partner_id'>,
  key: string | undefined,
  sources: { readonly clock: Clock; readonly random: Random },
): string {
  if (key === undefined) return newCommandId(sources)
  return uuidV5(JSON.stringify([partner_id, delivery_id, wish, key]), namespace)
}

/** An id that no other command has. */
export const newCommandId = ({ clock, random }: { readonly clock: Clock; readonly random: Random }): string =>
  uuidV7({ msecs: clock.now(), random: random.bytes(16) })

/** The same for what is asked of an endpoint, or of a redrive. */
export const endpointCommandId = (
  kind: DeliveryCommand['kind'] | 'ROTATE_SECRET',
  subject: string,
  key: string | undefined,
  sources: { readonly clock: Clock; readonly random: Random },
): string =>
  key === undefined ? newCommandId(sources) : uuidV5(JSON.stringify([kind, subject, key]), namespace)

/** The event of a test follows from its command, so that a repeat of it is the same one. */
export const testEventId = (commandId: string): string => uuidV5(`test event of ${commandId}`, namespace)

/** A time as a request brings it; NaN when it is none. */
export const isoMs = (time: string | undefined): number | null =>
  time === undefined ? null : Date.parse(time)

/** The command as DELIVER takes it. */
export const commandFor = (
  plan: Extract<Plan, { command: unknown }>,
  id: string,
  row: Pick<DeliveryRow, 'delivery_id' | 'endpoint_id'>,
  { now, confirmOutOfOrder }: { readonly now: number; readonly confirmOutOfOrder: boolean },
): DeliveryCommand => ({
  ...commandDefaults,
  command_id: id,
  kind: plan.command,
  endpoint_id: row.endpoint_id,
  delivery_id: row.delivery_id,
  requested_at: now,
  confirm_out_of_order: confirmOutOfOrder,
  requested_by: 'api',
})
