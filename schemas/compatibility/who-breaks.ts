/** Says in a sentence who fails on whose records. */
import type { BrokenPair } from './finding.ts'

/** `v3 readers fail on records of v1 and v2`; each reader's writers are listed once. */
export function whoBreaks(pairs: readonly BrokenPair[], verb: string = 'fail on'): string {
  const writersOf = new Map<number, number[]>()
  for (const { reader, writer } of pairs) writersOf.set(reader, [...(writersOf.get(reader) ?? []), writer])
  const readersOf = new Map<string, number[]>()
  for (const [reader, writers] of writersOf) {
    const key = listVersions(writers)
    readersOf.set(key, [...(readersOf.get(key) ?? []), reader])
  }
  return [...readersOf]
    .map(([writers, readers]) => `${listVersions(readers)} readers ${verb} records of ${writers}`)
    .join('; ')
}

/** `v1`, `v1 and v2`, `v1, v2 and v4`, `v1 to v4` for a run of three or more. */
function listVersions(versions: readonly number[]): string {
  const sorted = [...new Set(versions)].sort((left, right) => left - right)
  const parts: string[] = []
  for (let at = 0; at < sorted.length; ) {
    let end = at
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++
    if (end - at >= 2) parts.push(`v${sorted[at]} to v${sorted[end]}`)
    else for (let index = at; index <= end; index++) parts.push(`v${sorted[index]}`)
    at = end + 1
  }
  const last = parts.pop() ?? ''
  return parts.length > 0 ? `${parts.join(', ')} and ${last}` : last
}
