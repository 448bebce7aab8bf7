/** The seven levels of a registry: who must be able to read whom when a version is added. */

/** All levels, from none to the strictest. */
export const levels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const

/** A level as a registry writes it. */
export type Level = (typeof levels)[number]

const known: ReadonlySet<string> = new Set(levels)

/** Whether a text is a level. */
export const isLevel = (text: string): text is Level => known.has(text)

/** `backward`: the new version reads what older ones wrote. `forward`: older ones read what the new one writes. */
export type Direction = 'backward' | 'forward'

/** The directions that a level asks for. */
export function directionsOf(level: Level): readonly Direction[] {
  if (level === 'NONE') return []
  if (level.startsWith('FULL')) return ['backward', 'forward']
  return level.startsWith('BACKWARD') ? ['backward'] : ['forward']
}

/** Whether a level compares with all older versions, not only with the one before. */
export const isTransitive = (level: Level): boolean => level.endsWith('_TRANSITIVE')

/** Whether one level asks for everything that another does. */
export function covers(level: Level, other: Level): boolean {
  const asked = new Set(directionsOf(level))
  if (!directionsOf(other).every((direction) => asked.has(direction))) return false
  return isTransitive(level) || !isTransitive(other)
}
