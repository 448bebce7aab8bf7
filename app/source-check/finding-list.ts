/** Collects findings: equal ones are counted, and the first lines of each are kept. */
import type { Finding, FindingKind } from './source-report.ts'

/** Where something was seen. */
export interface LinePlace {
  readonly file: string
  readonly line: number
}

export interface FindingList {
  add(kind: FindingKind, what: string, mend: string, place?: LinePlace): void
  /** In the order in which they were first seen. */
  list(): readonly Finding[]
}

const linesKept = 3
/** A mapping for other tables finds something new in every line; what comes after so many is the same mistake. */
const findingsMax = 200

/** Makes an empty list. */
export function findingList(): FindingList {
  const found = new Map<
    string,
    { kind: FindingKind; what: string; mend: string; count: number; lines: string[] }
  >()
  return {
    add(kind, what, mend, place) {
      const key = `${kind} ${what}`
      let finding = found.get(key)
      if (!finding) {
        if (found.size >= findingsMax) return
        finding = { kind, what, mend, count: 0, lines: [] }
        found.set(key, finding)
      }
      finding.count += 1
      if (place && finding.lines.length < linesKept) finding.lines.push(`${place.file}:${place.line}`)
    },
    list: () => [...found.values()],
  }
}
