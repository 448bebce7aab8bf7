/** Appends deliveries at a pace by the clock, not by the appends: a slow one must not hide what comes behind it. */
import { systemClock } from '../../engine/index.ts'
import type { DeliveryMaker } from './deliveries.ts'
import type { DeliveryStand } from './delivery-stand.ts'
import { percentile } from './figures.ts'
import { wait } from './machine.ts'

export interface Pace {
  readonly perSecond: number
  readonly seconds: number
  readonly firstNumber: number
  readonly endpointOf: (number: number) => number
}

/** Resolves with how many were appended, when all of them are durable. */
export async function appendPaced(
  stand: Pick<DeliveryStand, 'append'>,
  maker: DeliveryMaker,
  { perSecond, seconds, firstNumber, endpointOf }: Pace,
): Promise<number> {
  const count = Math.round(perSecond * seconds)
  const startMs = systemClock.now()
  const appends: Promise<void>[] = []
  for (let at = 0; at < count; ) {
    const due = Math.min(count, Math.floor(((systemClock.now() - startMs) * perSecond) / 1000) + 1)
    if (due > at) {
      const numbers = Array.from({ length: due - at }, (_, index) => firstNumber + at + index)
      appends.push(stand.append(numbers.map((number) => maker.make(number, endpointOf(number)))))
      at = due
    }
    await wait(1)
  }
  await Promise.all(appends)
  return count
}

/** Waits until so many were answered; gives up, loudly, after `withinMs`. */
export async function untilAnswered(
  endpoints: { distinct(): number },
  count: number,
  withinMs: number,
): Promise<void> {
  for (const until = systemClock.now() + withinMs; endpoints.distinct() < count; await wait(20)) {
    if (systemClock.now() > until)
      throw new Error(`only ${endpoints.distinct()} of ${count} deliveries arrived within ${withinMs} ms`)
  }
}

export interface Latencies {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly count: number
}

export function latenciesOf(latenciesMs: readonly number[]): Latencies {
  return {
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    maxMs: latenciesMs.reduce((most, one) => Math.max(most, one), 0),
    count: latenciesMs.length,
  }
}
