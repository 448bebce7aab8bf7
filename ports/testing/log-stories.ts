/**
 * Random lives of deliveries, as LOG might see them: of a few events for a few endpoints, split into batches,
 * shuffled, and some of them more than once.
 */
import fc from 'fast-check'
import { testOrderPrefix } from '../../schemas/index.ts'
import type { LogBatch } from '../delivery-log.ts'
import { attempted, batch, history, testStartMs, verdict } from './log-records.ts'

const states = ['waiting', 'delivered', 'dead', 'skipped'] as const
const types = ['order_confirmed', 'delivered', 'delivery_failed'] as const

const change = fc.record({
  event: fc.nat(7),
  endpoint: fc.nat(2),
  version: fc.integer({ min: 1, max: 6 }),
  kind: fc.constantFrom('history', 'attempt', 'verdict'),
  batch: fc.nat(5),
})

export const storyOf = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 60 }),
  since: fc.nat(4000),
  until: fc.nat(8000),
  /** Which of all questions are asked. */
  asks: fc.array(fc.nat(10_000), { minLength: 6, maxLength: 10 }),
})

export type Story = typeof storyOf extends fc.Arbitrary<infer S> ? S : never

/** The batches of a story, in the order in which they are written. */
export function storyBatches(story: Story): LogBatch[] {
  const batches = new Map<number, Story['changes']>()
  for (const each of story.changes) batches.set(each.batch, [...(batches.get(each.batch) ?? []), each])
  return [...batches.values()].map((changes) =>
    batch({
      history: changes.filter(({ kind }) => kind !== 'verdict').map(historyOf),
      verdicts: changes.filter(({ kind }) => kind === 'verdict').map(verdictOf),
    }),
  )
}

/** What is true of an event however often it is told: everything follows from its number. */
const factsOf = (event: number) => ({
  of: `event-${event}`,
  partner_id: `partner-${event % 2}`,
  order_id: event === 7 ? `${testOrderPrefix}7` : `order-${event % 3}`,
  event: types[event % types.length] ?? 'delivered',
  // Two events at the same moment.
  occurred_at: testStartMs + Math.floor(event / 2) * 1000,
})

function historyOf({ event, endpoint, version, kind }: Story['changes'][number]) {
  const facts = factsOf(event)
  // What a version says follows from its number: told twice, it says the same.
  const fate = (event * 7 + endpoint * 3 + version) % 4
  const common = {
    ...facts,
    endpoint_id: `ep-${endpoint}`,
    version,
    at: facts.occurred_at + version * 100,
    state: states[fate] ?? 'waiting',
    retry_count: Math.min(3, version - 1),
    next_due_at: fate === 0 ? facts.occurred_at + version * 1000 : null,
    reason: fate > 1 ? `reason-${version}` : null,
    by_hand: version > 4,
    out_of_order: version > 2 && fate === 1,
    waited_for_order_ms: version * 10,
    redrive_id: version > 3 ? `redrive-${endpoint}` : null,
  }
  if (kind === 'attempt') {
    const outcome = { class: fate === 1 ? 'acknowledged' : 'http_5xx' }
    const retry_after_ms = fate === 2 ? version * 1000 : null
    return attempted({ ...common, queued_ms: version * 7, made: { outcome, retry_after_ms } })
  }
  return history({ ...common, change: version === 1 ? 'ACCEPTED' : 'SKIPPED', payload: `{"event":${event}}` })
}

function verdictOf({ event, endpoint, version }: Story['changes'][number]) {
  const facts = factsOf(event)
  return verdict({
    ...facts,
    endpoint_id: version === 6 ? null : `ep-${endpoint}`,
    verdict: version === 6 ? 'UNMAPPED' : version > 3 ? 'TOO_OLD' : version > 1 ? 'FILTERED' : 'ROUTED',
    at: facts.occurred_at + version * 100,
  })
}
