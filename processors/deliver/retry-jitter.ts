/**
 * Spreads retries that a tier releases together. Only ever added, and after the release: a delay topic stays in
 * order. It follows from the delivery, so the due time that is told is the true one, and a restart changes nothing.
 */
import { stepMs } from './wakeups.ts'

/** At most this share of the tier, and this long. */
const shareMax = 0.1
const jitterMsMax = 5_000

/** How much later than its tier a retry goes: the step in which it is served included, never beyond the bounds. */
export function jitterMs(deliveryId: string, generation: number, delayMs: number): number {
  const most = Math.min(delayMs * shareMax, jitterMsMax) - stepMs
  return most <= 0 ? 0 : Math.floor(fraction(`${deliveryId}#${generation}`) * most)
}

/** In [0, 1), evenly: FNV-1a over the text, its bits mixed once more. */
function fraction(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}
