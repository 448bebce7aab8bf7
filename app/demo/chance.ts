/** Draws from a `Random`: ranges, picks, weighted picks. */
import type { Random } from '../../engine/index.ts'

/** A whole number from `low` to `high`, both possible. */
export const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random.next() * (high - low + 1))

/** One of the items. */
export function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random.next() * items.length)] ?? items[0]
}

/** One of the items, each as often as its weight says. */
export function pickWeighted<T>(
  random: Random,
  items: readonly [readonly [T, number], ...(readonly [T, number])[]],
): T {
  let left = random.next() * items.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [item, weight] of items) {
    left -= weight
    if (left < 0) return item
  }
  return items[0][0]
}
