/**
 * Random lives of an order, read the way a pipeline reads them: changes in order, with runs of repeats as after a
 * crash of the connector, riders that come early, late, twice, go again or never, restarts, and time. Whatever
 * happens, the events are those of the source's own history, each once and in order.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OrderChange, OrderRow } from '../../schemas/index.ts'
import { enrichHarness } from './testing/harness.ts'
import { assignmentChange, orderChange, position, row, startMs } from './testing/order-change.ts'
import { defaultTiming } from './timing.ts'

const statuses = ['NEW', 'CONFIRMED', 'PACKED', 'OUT', 'OUT', 'FAILED', 'DELIVERED', 'CANCELLED']

type Step =
  | { readonly kind: 'moves'; readonly status: string; readonly attempt: number }
  /** The connector goes back and reads the last few changes again. */
  | { readonly kind: 'repeats'; readonly last: number }
  | { readonly kind: 'rider'; readonly attempt: number }
  | { readonly kind: 'riderRepeats' }
  | { readonly kind: 'riderGoes'; readonly attempt: number }
  | { readonly kind: 'answers'; readonly found: boolean }
  | { readonly kind: 'restarts'; readonly caughtUp: boolean }
  | { readonly kind: 'passes'; readonly ms: number }

const attempts = fc.integer({ min: 1, max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('moves' as const),
      status: fc.constantFrom(...statuses),
      attempt: attempts,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('repeats' as const), last: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rider' as const), attempt: attempts }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('riderRepeats' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('riderGoes' as const), attempt: attempts }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('answers' as const), found: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restarts' as const), caughtUp: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('passes' as const),
      ms: fc.constantFrom(1, 100, 900, 2000, 5000, 21_000),
    }),
  },
)

/** The events that a history of rows means, told by the rule in its simplest words. */
function eventsOf(rows: readonly OrderRow[]): string[] {
  const events: string[] = []
  rows.forEach((to, index) => {
    const from = rows[index - 1]
    const sameEvent = from !== undefined && from.event === to.event
    const newAttempt = sameEvent && from.attempt_no !== to.attempt_no
    const perAttempt = to.event === 'out_for_delivery' || to.event === 'delivery_failed'
    if (to.event !== null && (!sameEvent || (newAttempt && perAttempt)))
      events.push(`${to.event} ${index + 1}`)
  })
  return events
}

function run(steps: readonly Step[], withBefore: boolean) {
  const enrich = enrichHarness(startMs)
  const rows: OrderRow[] = []
  const changes: OrderChange[] = []
  const riders: ReturnType<typeof assignmentChange>[] = []
  let written = 0
  const take = (one: Step) => {
    switch (one.kind) {
      case 'moves': {
        const from = rows.at(-1)
        // `city` carries the change's number, so that an event shows which change it is of.
        const to = row(one.status, {
          attempt_no: one.attempt,
          city: String(rows.length + 1),
          updated_at: enrich.now(),
        })
        const before = from && { status: from.status, event: from.event, attempt_no: from.attempt_no }
        const change = from
          ? orderChange('UPDATE', to, position(rows.length + 1), {
              before: withBefore ? (before ?? null) : null,
            })
          : orderChange('CREATE', to, position(1))
        rows.push(to)
        changes.push(change)
        enrich.change(change)
        return
      }
      case 'repeats':
        for (const change of changes.slice(-one.last)) enrich.change(change)
        return
      case 'rider': {
        written += 1
        const changed = {
          attempt_no: one.attempt,
          assignment_id: `A${one.attempt}`,
          rider_name: `rider ${one.attempt}`,
        }
        const change = assignmentChange(written, changed)
        riders.push(change)
        enrich.assignment(change)
        return
      }
      case 'riderRepeats':
        for (const change of riders.slice(-3)) enrich.assignment(change)
        return
      case 'riderGoes': {
        written += 1
        const gone = { op: 'REMOVED' as const, rider_name: null, otp: null }
        const change = assignmentChange(written, {
          ...gone,
          attempt_no: one.attempt,
          assignment_id: `A${one.attempt}`,
        })
        riders.push(change)
        enrich.assignment(change)
        return
      }
      case 'answers':
        for (const [id, { request }] of [...enrich.open]) {
          const result = one.found
            ? {
                kind: 'found' as const,
                assignment_id: '',
                rider_name: `rider ${request.attempt_no}`,
                rider_phone_masked: null,
                otp: 'sealed:k1:1',
                eta_start: null,
                eta_end: null,
                updated_at: enrich.now(),
              }
            : { kind: 'not_yet' as const }
          enrich.answer(id, { kind: 'done', result, again: false, starts: 1 })
        }
        return
      case 'restarts':
        enrich.restart({ caughtUp: one.caughtUp })
        return
      case 'passes':
        enrich.advance(one.ms)
    }
  }
  const check = () => {
    // Whoever is named delivers on this very attempt.
    for (const { event } of enrich.emitted) {
      const { rider, delivery, enrichment_status } = event.payload
      if (event.payload.event !== 'out_for_delivery') continue
      expect(rider.name ?? `rider ${delivery.attempt_no}`).toBe(`rider ${delivery.attempt_no}`)
      expect(rider.name === null).toBe(
        enrichment_status === 'TIMED_OUT' || enrichment_status === 'SUPERSEDED',
      )
    }
  }
  for (const one of steps) take(one)
  enrich.setCaughtUp(true)
  enrich.advance(defaultTiming.holdMaxMs + defaultTiming.supersedeGraceMs + 250)
  check()
  return { enrich, rows }
}

describe('ENRICH over random lives', () => {
  it.each([
    ['with the row before in every update', true],
    ['with no row before at all', false],
  ])('%s', (_, withBefore) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const { enrich, rows } = run(steps, withBefore)
        const left = enrich.emitted.map(({ event }) => `${event.payload.event} ${event.internal.city}`)
        expect(left).toEqual(eventsOf(rows))
        const ids = enrich.emitted.map(({ event }) => event.payload.event_id)
        expect(new Set(ids).size).toBe(ids.length)
        const sequences = enrich.emitted.map(({ event }) => event.payload.order_sequence ?? 0)
        expect(sequences).toEqual([...sequences].sort((one, other) => one - other))
        expect(enrich.order('1')?.pending ?? []).toEqual([])
        expect(enrich.open.size).toBe(0)
      }),
      { numRuns: 400 },
    )
  })

  it('a restart changes nothing but when things leave', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const without = steps.filter(({ kind }) => kind !== 'restarts')
        const often = without.flatMap((one): Step[] => [one, { kind: 'restarts', caughtUp: true }])
        const leftOf = (all: readonly Step[]) =>
          run(all, true).enrich.emitted.map(({ event, timestamp }) => ({ event, timestamp }))
        expect(leftOf(often)).toEqual(leftOf(without))
      }),
      { numRuns: 150 },
    )
  })
})
