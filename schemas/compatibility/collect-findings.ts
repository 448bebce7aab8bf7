/**
 * Puts the findings of many pairs of versions together: one change that breaks five older versions is one finding,
 * told at the version that brought it.
 */
import type { BrokenPair, Finding } from './finding.ts'
import { type RuleId, rules } from './rules.ts'
import { whoBreaks } from './who-breaks.ts'

/** A finding about one pair of versions. */
export interface RawFinding extends Omit<Finding, 'subject' | 'severity' | 'breaks' | 'who'> {
  readonly pair: BrokenPair | undefined
  /** What tells findings apart that read the same: two records of a union with a field of the same name. */
  readonly detail?: string
}

/** Findings being put together. */
export interface FindingCollection {
  add(raw: RawFinding): void
  /** By version, then by place. */
  all(): readonly Finding[]
}

/** Collects the findings of one subject. Add those of older versions first. */
export function collectFindings(subject: string): FindingCollection {
  const byKey = new Map<string, { readonly first: RawFinding; readonly pairs: BrokenPair[] }>()
  return {
    add(raw) {
      const key = [raw.rule, raw.direction, raw.field, raw.message, raw.detail].join('\n')
      const known = byKey.get(key) ?? { first: raw, pairs: [] }
      byKey.set(key, known)
      if (raw.pair) known.pairs.push(raw.pair)
    },
    all: () => [...byKey.values()].map(({ first, pairs }) => finish(subject, first, pairs)).sort(byPlace),
  }
}

function finish(subject: string, raw: RawFinding, breaks: readonly BrokenPair[]): Finding {
  const { pair: _pair, detail: _detail, ...rest } = raw
  return {
    ...rest,
    subject,
    severity: rules[raw.rule].severity,
    breaks,
    who: breaks.length > 0 ? whoBreaks(breaks, verbOf(raw.rule)) : 'programs in JavaScript',
  }
}

function verbOf(rule: RuleId): string {
  if (rule === 'JS_UNION_WRAPPED') return 'in JavaScript see another shape in'
  if (rule === 'JS_RESOLVER_REFUSES') return 'in JavaScript fail on'
  return rules[rule].group === 'meaning' ? 'see other values in' : 'fail on'
}

const byPlace = (left: Finding, right: Finding): number =>
  left.since - right.since ||
  left.place.line - right.place.line ||
  left.place.column - right.place.column ||
  (left.rule < right.rule ? -1 : 1)
