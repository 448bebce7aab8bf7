/** Everything that is kept anywhere, and for how long, as rows for people: topics, stores, and what lies beside them. */
import { storeRetention, topicRetention } from '../../topology/retention.ts'
import type { Topics } from '../../topology/topics.ts'
import { settingDefaults } from '../config/setting-defaults.ts'

export interface RetentionRow {
  readonly kind: 'topic' | 'store' | 'beside'
  readonly name: string
  /** E.g. `30 d`. */
  readonly kept: string
  readonly what: string
}

const byCleanup = {
  delete: 'after it was written',
  purge: 'after it was written, and until every reader has committed it',
  compact: 'the newest record of each key',
} as const

/** What is kept outside the log and its stores. */
const beside: readonly RetentionRow[] = [
  {
    kind: 'beside',
    name: 'delivery log',
    kept: settingDefaults.delivery_log.keep.replace(/d$/, ' d'),
    what: 'events with all that hangs on them, by the time the order changed (delivery_log.keep)',
  },
  {
    kind: 'beside',
    name: 'done/ of a watched folder',
    kept: 'not ours',
    what: 'captured files that were taken: whoever fills the folder clears it',
  },
  {
    kind: 'beside',
    name: 'sealing keys',
    kept: 'for good',
    what: 'until `waybill keys retire`, when nothing sealed with them is left',
  },
  {
    kind: 'beside',
    name: 'lines on stderr',
    kept: 'not at all',
    what: 'whoever starts Waybill keeps them or does not',
  },
]

export function retentionRows(topics: Topics): readonly RetentionRow[] {
  const ofTopics = Object.entries(topicRetention).map(([key, { cleanup, retentionMs }]): RetentionRow => {
    const { name } = topics[key as keyof Topics]
    return { kind: 'topic', name, kept: ageText(retentionMs), what: byCleanup[cleanup] }
  })
  const ofStores = Object.entries(storeRetention).flatMap(([name, rules]) =>
    rules.map(
      ({ entry, ageMs }): RetentionRow => ({ kind: 'store', name, kept: ageText(ageMs ?? -1), what: entry }),
    ),
  )
  return [...ofTopics, ...ofStores, ...beside]
}

const unitsMs = [
  ['d', 24 * 3600 * 1000],
  ['h', 3600 * 1000],
  ['s', 1000],
] as const

/** In the largest unit that divides it. */
function ageText(ageMs: number): string {
  if (ageMs < 0) return '–'
  for (const [unit, ms] of unitsMs) if (ageMs % ms === 0) return `${ageMs / ms} ${unit}`
  return `${ageMs} ms`
}

/** The rows as a Markdown table of each kind; the page in docs/ has them too, and a test compares. */
export function retentionText(rows: readonly RetentionRow[]): string {
  const titles = { topic: 'topic', store: 'store', beside: 'beside them' } as const
  return (['topic', 'store', 'beside'] as const)
    .map((kind) => {
      const lines = rows
        .filter((row) => row.kind === kind)
        .map(({ name, kept, what }) => `| ${kind === 'beside' ? name : `\`${name}\``} | ${kept} | ${what} |`)
      return [`| ${titles[kind]} | kept | |`, '|---|---|---|', ...lines].join('\n')
    })
    .join('\n\n')
}
