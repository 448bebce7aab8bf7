/** What must hold between any two steps of a story: the account is exact, and the history tells of nothing forbidden. */
import { isDeepStrictEqual } from 'node:util'
import type { DeliveryHistory } from '../../../schemas/index.ts'
import { defaultRetryTiers } from '../deliver.ts'
import { stateOf } from '../lifecycle.ts'
import { tierNumber } from '../ticket-watch.ts'
import type { Harness } from './harness.ts'
import { fail, incarnation, type StoryMemory } from './start-checks.ts'
import { dayMs, deliveries, idOf, strictEndpoint } from './steps.ts'

/** What must hold between any two steps: invariants 1, 2, 5 and 7. */
export function check(harness: Harness, { confirmed }: StoryMemory): void {
  const states = harness.states()
  const inFlight = [...states].filter(([, status]) => status.phase === 'in_flight')
  const expectedCalls = inFlight.map(([id, status]) => `${id}#${status.calls}`).sort()
  const openCalls = harness.calls().map((call) => call.intent.id)
  if (!isDeepStrictEqual(openCalls.sort(), expectedCalls)) fail('open calls and deliveries in flight differ')
  if (!isDeepStrictEqual(harness.keys('bodies').sort(), [...states.keys()].sort())) {
    fail('bodies and states differ')
  }
  for (let index = 0; index < deliveries; index++) checkHistory(harness, idOf(index), confirmed)
  checkConservation(harness)
  checkShown(harness)
}

/** What the task shows of what waits with it, against the states themselves. */
function checkShown(harness: Harness): void {
  const shown = harness.waiting()
  const sum = (of: (at: (typeof shown)[number]) => number) => shown.reduce((total, at) => total + of(at), 0)
  const statuses = [...harness.states().values()]
  const count = (phase: string, tier?: number) =>
    statuses.filter((status) => status.phase === phase && (tier === undefined || tierNumber(status) === tier))
      .length
  const asShown = [sum(({ queued }) => queued), sum(({ inFlight }) => inFlight)]
  const asStored = [count('queued'), count('in_flight')]
  for (const [index] of defaultRetryTiers.entries()) {
    asShown.push(sum(({ inTiers }) => inTiers[index] ?? 0))
    asStored.push(count('in_tier', index + 1))
  }
  if (!isDeepStrictEqual(asShown, asStored)) fail(`shows ${asShown} as waiting where ${asStored} do`)
}

/** accepted = delivered + waiting + dead + skipped, where the log and the stores speak of the same deliveries. */
function checkConservation(harness: Harness): void {
  for (let index = 0; index < deliveries; index++) {
    const id = idOf(index)
    const last = harness.history(id).at(-1)
    const status = harness.state(id)
    const stored = status && stateOf(status.phase)
    const changed = lastChange(harness.history(id))
    const isForgotten =
      changed !== undefined && stored === undefined && harness.now() >= changed.at + 7 * dayMs
    const isSettled = last?.state === 'dead' || last?.state === 'skipped'
    if (isForgotten && isSettled) continue
    const logged = last?.state === 'delivered' ? undefined : last?.state
    if (stored !== logged) fail(`${id} is ${stored ?? 'nowhere'} but was last seen ${last?.state ?? 'never'}`)
  }
}

/** A command that was refused changes nothing, and keeps nothing from being forgotten. */
const lastChange = (history: readonly DeliveryHistory[]): DeliveryHistory | undefined =>
  history.findLast(({ reason }) => !reason?.startsWith('refused_'))

function checkHistory(harness: Harness, id: string, confirmed: ReadonlySet<string>): void {
  const history = harness.history(id)
  for (const [index, entry] of history.entries()) {
    const before = history[index - 1]
    if (entry.change !== 'ACCEPTED') {
      if (entry.version !== (before?.version ?? Number.NaN) + 1) fail(`${id} skips or repeats a version`)
      continue
    }
    const changed = lastChange(history.slice(0, index))
    if (changed && (changed.state === 'waiting' || entry.at < changed.at + 7 * dayMs)) {
      fail(`${id} is accepted twice`)
    }
  }
  const past = incarnation(history)
  const round = past.slice(
    past.findLastIndex(({ change, reason }) => change === 'REDRIVEN' && reason === null) + 1,
  )
  checkRound(
    id,
    round.filter((entry) => entry.change === 'ATTEMPTED'),
  )
  checkLateness(harness, id, past, confirmed)
}

/** The requests of one round: each on the next rung or a later one, and dead after the last rung alone. */
function checkRound(id: string, attempts: readonly DeliveryHistory[]): void {
  let rung = -1
  let repeated: number | undefined
  for (const { attempt, state } of attempts) {
    if (!attempt) fail(`${id} has a request without an attempt`)
    const isOurs = attempt.outcome.class === 'proxy'
    if ((attempt.outcome.class === 'acknowledged') !== (state === 'delivered')) {
      fail(`${id} is ${state} after ${attempt.outcome.class}`)
    }
    if (attempt.retry_count <= rung) fail(`${id} counts its retries wrong`)
    if (repeated !== undefined && attempt.retry_count !== repeated) fail(`${id} loses a retry by our fault`)
    const isLast = attempt.retry_count === defaultRetryTiers.length && !isOurs
    const isDead = isLast && state !== 'delivered' && state !== 'skipped'
    if ((state === 'dead') !== isDead) fail(`${id} is dead at the wrong attempt`)
    // What was our own fault is repeated on its rung.
    rung = isOurs ? attempt.retry_count - 1 : attempt.retry_count
    repeated = isOurs ? attempt.retry_count : undefined
  }
  const spent = attempts.filter(({ attempt }) => attempt?.outcome.class !== 'proxy')
  if (spent.length > defaultRetryTiers.length + 1) fail(`${id} has too many attempts`)
}

/** For so long it is known how far an order came. */
const rememberedMs = 14 * dayMs

/** At e2, what is redriven after a newer event was delivered is told as such. */
function checkLateness(
  harness: Harness,
  id: string,
  past: readonly DeliveryHistory[],
  confirmed: ReadonlySet<string>,
): void {
  const [first] = past
  if (first?.endpoint_id !== strictEndpoint) return
  const all = harness.history()
  for (const entry of past) {
    if (entry.change !== 'REDRIVEN' || entry.reason !== null) continue
    const newer = all
      .slice(0, all.indexOf(entry))
      .filter(
        (other) =>
          other.endpoint_id === strictEndpoint &&
          other.state === 'delivered' &&
          (other.order_sequence ?? 0) > (entry.order_sequence ?? 0),
      )
    const isLate = newer.some(({ at }) => entry.at < at + rememberedMs)
    // What is due to be forgotten may be remembered a little longer.
    if (isLate !== entry.out_of_order && (isLate || newer.length === 0)) {
      fail(`${id} is redriven ${isLate ? '' : 'not '}late, and says otherwise`)
    }
    if (isLate && !confirmed.has(id)) fail(`${id} is redriven late, and nobody said that it may`)
  }
}
