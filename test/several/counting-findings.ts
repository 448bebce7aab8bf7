/** Compares what came out of the counting topology with what was fed: each difference as a line of text. */
import { groupOf, nextOf } from './counting.ts'

/** Values by key, each key's in order. */
export type ByKey = ReadonlyMap<string, readonly string[]>

/** What the chain of each key must be: every record of it, once, in order. */
export function chainFindings(fed: ByKey, got: ByKey): string[] {
  const findings: string[] = []
  for (const [key, values] of fed) {
    let state: string | undefined
    const wanted = values.map((value) => {
      state = nextOf(state, value)
      return state
    })
    compare(`chained ${key}`, got.get(key) ?? [], wanted, findings)
  }
  for (const key of got.keys()) if (!fed.has(key)) findings.push(`chained ${key}: nobody fed it`)
  return findings
}

/** Keys of a group come in any order, each key's own records in theirs; the group counts them without a gap. */
export function foldFindings(fed: ByKey, got: ByKey): string[] {
  const findings: string[] = []
  const nthOf = new Map<string, number>()
  for (const [group, values] of got) {
    for (const [at, value] of values.entries()) {
      const [nthInGroup, key = '', nthOfKey] = value.split(' ')
      const expected = (nthOf.get(key) ?? 0) + 1
      nthOf.set(key, expected)
      if (Number(nthInGroup) !== at + 1 || Number(nthOfKey) !== expected || groupOf(key) !== group)
        findings.push(
          `folded ${group}: record ${at + 1} is "${value}", expected record ${expected} of ${key}`,
        )
    }
  }
  for (const [key, values] of fed) {
    const counted = nthOf.get(key) ?? 0
    if (counted !== values.length) findings.push(`folded ${key}: ${counted} records of ${values.length}`)
  }
  return findings
}

function compare(what: string, got: readonly string[], wanted: readonly string[], findings: string[]) {
  const at = wanted.findIndex((value, nth) => got[nth] !== value)
  if (at >= 0) findings.push(`${what}: record ${at + 1} is ${got[at]}, expected ${wanted[at]}`)
  else if (got.length > wanted.length) findings.push(`${what}: ${got.length - wanted.length} too many`)
}
