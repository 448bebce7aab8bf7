/** What records about deliveries say when nothing else was said: the defaults of their schemas, for those that build one. */
import type { Attempt, DeliveryCommand, DeliveryHistory } from './generated/types.ts'

/** Every field of a command that has a default, but who asked. */
export const commandDefaults = {
  delivery_id: null,
  confirm_out_of_order: false,
  filter: null,
  per_second: null,
  within_max_age: false,
  redrive_id: null,
  test: null,
} as const satisfies Partial<DeliveryCommand>

/** Every field of an attempt that has a default. */
export const attemptDefaults = {
  again: false,
  retry_after_ms: null,
} as const satisfies Partial<Attempt>

/** Every field of a history record that has a default. */
export const historyDefaults = {
  order_sequence: null,
  attempt: null,
  next_due_at: null,
  reason: null,
  payload: null,
  by_hand: false,
  out_of_order: false,
  queued_ms: 0,
  waited_for_order_ms: 0,
  redrive_id: null,
} as const satisfies Partial<DeliveryHistory>
