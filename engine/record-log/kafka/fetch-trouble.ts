/** Pauses of a partition that cannot be read. It is asked again in silence; the caller hears of it now and then. */
import type { FetchPosition } from './fetch-position.ts'

const pauses = { firstMs: 20, longestMs: 500 }
/** The caller pauses everything when it hears of trouble, so one broker's trouble must not be told at every turn. */
const tellEveryMs = 1000

/** Notes that the partition could not be read: the first time it is asked again at once. */
export function stumble(position: FetchPosition, now: number): void {
  const attempts = (position.trouble?.attempts ?? 0) + 1
  const pauseMs =
    attempts === 1 ? 0 : Math.min(pauses.firstMs * 2 ** Math.min(attempts - 2, 10), pauses.longestMs)
  const toldAtMs = position.trouble?.toldAtMs ?? Number.NEGATIVE_INFINITY
  const tell = now - toldAtMs >= tellEveryMs
  position.trouble = { attempts, retryAtMs: now + pauseMs, toldAtMs: tell ? now : toldAtMs }
  position.leader = undefined
  if (tell) position.arrived = { problem: 'retriable' }
}

/** When the first of the pauses that last ends; `undefined` when nothing pauses. */
export function nextRetry(positions: readonly FetchPosition[], now: number): number | undefined {
  let earliest: number | undefined
  for (const { trouble, asked, arrived } of positions) {
    if (!trouble || asked || arrived || trouble.retryAtMs <= now) continue
    if (earliest === undefined || trouble.retryAtMs < earliest) earliest = trouble.retryAtMs
  }
  return earliest
}
