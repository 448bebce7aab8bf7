/** How old an event may be when its turn to be sent comes. Governs everything automatic, nothing done by hand. */

const hourMs = 3600 * 1000

/** A rider at the door is no news after half an hour. */
const maxAgeByEventMs: Readonly<Record<string, number>> = { out_for_delivery: hourMs / 2 }

const defaultMaxAgeMs = 24 * hourMs

/** The maximum age of an event type; an endpoint's own setting comes first. */
export function maxAgeMs(event: string, overrides: Readonly<Record<string, number>> = {}): number {
  return overrides[event] ?? maxAgeByEventMs[event] ?? defaultMaxAgeMs
}

/** The first moment at which an event is too old. */
export const tooOldAt = (
  facts: { readonly event: string; readonly occurred_at: number },
  overrides?: Readonly<Record<string, number>>,
): number => facts.occurred_at + maxAgeMs(facts.event, overrides)
