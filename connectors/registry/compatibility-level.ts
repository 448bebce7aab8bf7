/** The compatibility levels of a registry, and which of them guarantee as much as another. */

/** From the weakest promise to the strongest; the middle ones are no order. */
export const compatibilityLevels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const

export type CompatibilityLevel = (typeof compatibilityLevels)[number]

export const isCompatibilityLevel = (text: unknown): text is CompatibilityLevel =>
  compatibilityLevels.some((level) => level === text)

/** How many versions each direction holds for: 0 none, 1 the latest, 2 all. */
const reach: Readonly<Record<CompatibilityLevel, readonly [backward: number, forward: number]>> = {
  NONE: [0, 0],
  BACKWARD: [1, 0],
  BACKWARD_TRANSITIVE: [2, 0],
  FORWARD: [0, 1],
  FORWARD_TRANSITIVE: [0, 2],
  FULL: [1, 1],
  FULL_TRANSITIVE: [2, 2],
}

/** Whether `level` refuses everything that `wanted` refuses. */
export function isAsStrictAs(level: CompatibilityLevel, wanted: CompatibilityLevel): boolean {
  const [backward, forward] = reach[level]
  return backward >= reach[wanted][0] && forward >= reach[wanted][1]
}
