/** Random lives of deliveries, with restarts and topics read again, against a model that remembers everything. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deadlinesMs, faultOf } from '../../ports/endpoint-health.ts'
import type { DeliveryHistory, EndpointHealth, HealthWindow } from '../../schemas/index.ts'
import { attempt, history, minuteMs, startMs, watchHarness } from './testing/harness.ts'

const endpoints = ['e1', 'e2'] as const
const events = ['out_for_delivery', 'delivered', 'order_confirmed'] as const
const outcomes = ['acknowledged', 'acknowledged', 'http_5xx', 'timeout_response', 'handler_failed'] as const

type Step =
  | { readonly kind: 'accept'; readonly endpoint: number; readonly event: number; readonly agedMs: number }
  | { readonly kind: 'attempt'; readonly pick: number; readonly outcome: number; readonly last: boolean }
  | { readonly kind: 'skip' | 'redrive'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'read_again'; readonly back: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('accept'),
      endpoint: fc.nat(1),
      event: fc.nat(2),
      agedMs: fc.oneof(fc.nat(2000), fc.nat(120_000)),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('attempt'),
      pick: fc.nat(),
      outcome: fc.nat(4),
      last: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('skip', 'redrive'), pick: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.oneof(fc.nat(5000), fc.nat(100_000), fc.nat(90 * minuteMs)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read_again'), back: fc.nat(20) }) },
)

interface Life {
  readonly id: string
  readonly records: DeliveryHistory[]
}

/** Plays a story; returns all that was written and the last reports. */
function play(steps: readonly Step[]) {
  const watch = watchHarness()
  const written: DeliveryHistory[] = []
  const lives: Life[] = []
  const write = (life: Life, changes: Partial<DeliveryHistory>) => {
    const before = life.records.at(-1)
    const record = history({ ...before, attempt: null, ...changes, at: watch.now() })
    life.records.push(record)
    written.push(record)
    watch.take({ record, offset: written.length - 1 })
  }
  const inState = (states: readonly string[], pick: number): Life | undefined => {
    const fitting = lives.filter((life) => states.includes(life.records.at(-1)?.state ?? ''))
    return fitting[pick % Math.max(1, fitting.length)]
  }
  for (const one of steps) {
    switch (one.kind) {
      case 'accept': {
        const life = { id: `d${lives.length}`, records: [] }
        lives.push(life)
        write(life, {
          delivery_id: life.id,
          endpoint_id: endpoints[one.endpoint] ?? 'e1',
          event: events[one.event] ?? 'delivered',
          occurred_at: watch.now() - one.agedMs,
          version: 1,
          change: 'ACCEPTED',
          state: 'waiting',
        })
        break
      }
      case 'attempt': {
        const life = inState(['waiting'], one.pick)
        const outcome = outcomes[one.outcome] ?? 'http_5xx'
        const failed = one.last ? 'dead' : 'waiting'
        if (life)
          write(life, {
            version: (life.records.at(-1)?.version ?? 0) + 1,
            change: 'ATTEMPTED',
            state: outcome === 'acknowledged' ? 'delivered' : failed,
            attempt: attempt(outcome),
          })
        break
      }
      case 'skip':
      case 'redrive': {
        const life = inState(one.kind === 'skip' ? ['waiting'] : ['dead', 'skipped'], one.pick)
        if (life)
          write(life, {
            version: (life.records.at(-1)?.version ?? 0) + 1,
            change: one.kind === 'skip' ? 'SKIPPED' : 'REDRIVEN',
            state: one.kind === 'skip' ? 'skipped' : 'waiting',
          })
        break
      }
      case 'wait':
        watch.advance(one.ms)
        break
      case 'restart':
        watch.restart()
        break
      case 'read_again': {
        watch.restart()
        const from = Math.max(0, written.length - one.back)
        watch.take(...written.slice(from).map((record, index) => ({ record, offset: from + index })))
        break
      }
    }
  }
  // The last deadlines pass, and a report is due.
  watch.advance(100_000)
  return { watch, written, lives }
}

interface Model {
  open: number
  consecutive_failures: number
  last_success_at: number | null
  within: number[]
  missed: number[]
  excluded: number
  attempts: { at: number; outcome: string }[]
}

/** What is true of an endpoint, told slowly from everything that was written. */
function modelOf(endpointId: string, written: readonly DeliveryHistory[], lives: readonly Life[]): Model {
  const own = written.filter((record) => record.endpoint_id === endpointId)
  const attempts = own.flatMap(({ at, attempt: made }) => (made ? [{ at, outcome: made.outcome.class }] : []))
  const judged = attempts.filter(({ outcome }) => faultOf(outcome) !== 'ours')
  const lastSuccess = judged.findLastIndex(({ outcome }) => outcome === 'acknowledged')
  const model: Model = {
    open: 0,
    consecutive_failures: judged.length - lastSuccess - 1,
    last_success_at: judged[lastSuccess]?.at ?? null,
    within: [],
    missed: [],
    excluded: 0,
    attempts,
  }
  for (const { records } of lives) {
    const [accepted] = records
    if (accepted?.endpoint_id !== endpointId) continue
    if (records.at(-1)?.state === 'waiting') model.open += 1
    const limitMs = deadlinesMs[accepted.event]
    if (limitMs === undefined) continue
    const deadline = accepted.occurred_at + limitMs
    const end = records.find(({ state }) => state !== 'waiting')
    if (end && end.at <= deadline && end.state === 'delivered') model.within.push(end.at)
    else if (end && end.at <= deadline && end.state === 'skipped') model.excluded += 1
    else model.missed.push(Math.max(accepted.at, Math.min(deadline, end?.at ?? deadline)))
  }
  return model
}

function expectWindow(found: HealthWindow, model: Model, bucketMs: number, nowMs: number): void {
  const oldest = Math.floor(nowMs / bucketMs) - 59
  const counted = (at: number) => Math.floor(at / bucketMs) >= oldest
  const attempts = model.attempts.filter(({ at }) => counted(at))
  expect(found.attempts).toBe(attempts.length)
  expect(found.acknowledged).toBe(attempts.filter(({ outcome }) => outcome === 'acknowledged').length)
  for (const outcome of new Set(outcomes.filter((name) => name !== 'acknowledged'))) {
    const expected = attempts.filter((made) => made.outcome === outcome).length
    expect(found.failed[outcome] ?? 0).toBe(expected)
  }
  expect(found.within_deadline).toBe(model.within.filter(counted).length)
  expect(found.missed_by_partner + found.missed_by_us).toBe(model.missed.filter(counted).length)
}

const totals = (health: EndpointHealth) => {
  const all = Object.values(health.deadlines)
  return {
    within: all.reduce((sum, { within }) => sum + within, 0),
    missed: all.reduce((sum, counts) => sum + counts.missed_by_partner + counts.missed_by_us, 0),
    excluded: all.reduce((sum, { excluded }) => sum + excluded, 0),
  }
}

describe('whatever happens to deliveries, restarts and readings again', () => {
  it('the last report says what a model says that remembers everything', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { watch, written, lives } = play(steps)
        for (const endpointId of endpoints) {
          const model = modelOf(endpointId, written, lives)
          const health = watch.latest(endpointId)
          if (written.every((record) => record.endpoint_id !== endpointId)) {
            expect(health).toBeUndefined()
            continue
          }
          if (!health) throw new Error(`no report on ${endpointId}`)
          expect(health.open).toBe(model.open)
          expect(watch.openCount(endpointId)).toBe(model.open)
          expect(health.consecutive_failures).toBe(model.consecutive_failures)
          expect(health.last_success_at).toBe(model.last_success_at)
          expect(totals(health)).toEqual({
            within: model.within.length,
            missed: model.missed.length,
            excluded: model.excluded,
          })
          expectWindow(health.hour, model, minuteMs, watch.now())
          expectWindow(health.day, model, 24 * minuteMs, watch.now())
          expectWindow(health.week, model, 168 * minuteMs, watch.now())
        }
      }),
      { numRuns: 150, verbose: true },
    )
  })

  it('versions of reports rise, and none is less than a few seconds after the one before', () => {
    fc.assert(
      fc.property(
        fc.array(step.filter(({ kind }) => kind !== 'restart' && kind !== 'read_again')),
        (steps) => {
          const { watch } = play(steps)
          for (const endpointId of endpoints) {
            const own = watch.reports.filter((report) => report.endpoint_id === endpointId)
            for (const [index, report] of own.entries()) {
              expect(report.version).toBe(index + 1)
              const before = own[index - 1]
              if (before) expect(report.at - before.at).toBeGreaterThanOrEqual(5000)
            }
          }
        },
      ),
      { numRuns: 60, verbose: true },
    )
  })
})

it('the stories do hold what they are about', () => {
  const kinds = new Set(fc.sample(step, { numRuns: 300, seed: 1 }).map(({ kind }) => kind))
  expect(kinds.size).toBe(7)
  expect(startMs % (168 * minuteMs)).not.toBe(0)
})
