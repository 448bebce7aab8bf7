/**
 * A story is a list of things that may happen to DELIVER, in any order; `tell` plays it and checks the invariants
 * of deliver.ts after every step, from what is seen outside: history, open intents and what the stores hold.
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Intent } from '../../../engine/index.ts'
import { faultOf } from '../../../ports/endpoint-health.ts'
import { suspectPool, type WebhookCallRequest } from '../../../ports/sender.ts'
import type { DeliveryHistory, Endpoint, EndpointState, PartnerConfig } from '../../../schemas/index.ts'
import { defaultRetryTiers } from '../deliver.ts'
import { stateOf } from '../lifecycle.ts'
import { jitterMs } from '../retry-jitter.ts'
import type { DeliverRules } from '../rules.ts'
import { command, delivery, endpoint, partner, sent } from './builders.ts'
import { type Harness, makeHarness } from './harness.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

type Step =
  | { readonly do: 'deliver'; readonly which: number; readonly newerConfig: boolean }
  | { readonly do: 'finish'; readonly which: number; readonly how: (typeof endings)[number] }
  | {
      readonly do: 'command'
      readonly which: number
      readonly kind: (typeof kinds)[number]
      readonly confirm: boolean
    }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'configure'; readonly which: number; readonly how: (typeof settings)[number] }
  | { readonly do: (typeof plain)[number] }

const endings = [
  'ok',
  'ok',
  'broken',
  'broken',
  'broken',
  'slow',
  'gone',
  'throttled',
  'proxy',
  'expired',
  'failed',
  'not_sent',
] as const
const kinds = [
  'RETRY_NOW',
  'RETRY_NOW',
  'CANCEL',
  'CANCEL',
  'REDRIVE',
  'REDRIVE',
  'ENABLE',
  'PROBE',
  'REDRIVE_MATCHING',
] as const
const settings = ['active', 'active', 'paused', 'disabled', 'removed', 'narrow', 'slow', 'auto'] as const
const plain = [
  'due',
  'due',
  'due',
  'fail_all',
  'fail_all',
  'hang_all',
  'release',
  'start',
  'sweep',
  'commit',
  'abort',
  'restart',
  'lose',
] as const

const deliveries = 6
const which = fc.nat(deliveries - 1)

/** Random things that happen. */
const happenings: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('deliver' as const), which, newerConfig: fc.boolean() }),
    },
    {
      weight: 10,
      arbitrary: fc.record({ do: fc.constant('finish' as const), which, how: fc.constantFrom(...endings) }),
    },
    {
      weight: 7,
      arbitrary: fc.record({
        do: fc.constant('command' as const),
        which,
        kind: fc.constantFrom(...kinds),
        confirm: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        ms: fc.constantFrom(500, 10_000, 30_000, 2 * minuteMs, 8 * minuteMs, 60 * minuteMs, dayMs, 7 * dayMs),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('configure' as const),
        which,
        how: fc.constantFrom(...settings),
      }),
    },
    { weight: 12, arbitrary: fc.record({ do: fc.constantFrom(...plain) }) },
  ),
  { maxLength: 60, size: 'max' },
)

/** How a story begins. Chance alone seldom comes to a newer event that is delivered while an older one of its order is
 * given up, or to several calls that hang together. */
const openings: readonly (readonly Step[])[] = [
  [],
  [],
  [
    { do: 'deliver', which: 1, newerConfig: false },
    { do: 'command', which: 1, kind: 'CANCEL', confirm: false },
    { do: 'deliver', which: 3, newerConfig: false },
    { do: 'finish', which: 0, how: 'ok' },
  ],
  [
    { do: 'configure', which: 1, how: 'disabled' },
    { do: 'deliver', which: 1, newerConfig: false },
    { do: 'configure', which: 1, how: 'active' },
    { do: 'deliver', which: 3, newerConfig: false },
    { do: 'finish', which: 0, how: 'ok' },
  ],
  [
    { do: 'deliver', which: 0, newerConfig: false },
    { do: 'deliver', which: 2, newerConfig: false },
    { do: 'deliver', which: 4, newerConfig: false },
    { do: 'hang_all' },
  ],
]

/** Random stories, short enough to be read when one fails. */
export const stories: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.constantFrom(...openings), happenings)
  .map(([opening, rest]) => [...opening, ...rest])

const idOf = (index: number): string => `d${index}`
const endpointOf = (index: number): string => `e${(index % 2) + 1}`

/** e2 keeps the order of events, and all that it gets is of one order. */
const strictEndpoint = 'e2'

/** Opens soon enough for a short story. */
const breaker = { opensAt: 3, firstPauseMs: 3 * minuteMs, longestPauseMs: 6 * minuteMs }

/** Of endpoints that are told to be slow. */
const slowPerSecond = 0.5

/** What a story has to remember besides what the harness shows. */
interface Memory {
  config: PartnerConfig
  readonly routedUnder: Map<string, number>
  /** Endpoints that somebody had probed since their breaker opened last. */
  readonly probed: Map<string, number>
  /** Deliveries of which somebody said that they may come late. */
  readonly confirmed: Set<string>
  /** When calls of an endpoint started, as far as its task remembers. */
  readonly startedAt: Map<string, number>
}

/** Plays a story under given rules. Throws at the first step after which an invariant does not hold. */
export function tell(steps: readonly Step[], rules: Partial<DeliverRules> = {}): void {
  const memory: Memory = {
    config: partner({ endpoints: [endpoint(), endpoint({ endpoint_id: 'e2', strict_order: true })] }),
    routedUnder: new Map(),
    probed: new Map(),
    confirmed: new Set(),
    startedAt: new Map(),
  }
  const harness = makeHarness({
    rules: { jitterMs, ...rules },
    deliver: { breaker },
    onStart: (intent, open) => checkStart(harness, memory, intent, open),
  })
  const { routedUnder } = memory
  const configure = (next: PartnerConfig): void => {
    memory.config = next
    harness.partners.set('p1', next)
  }
  configure(memory.config)

  const play = (step: Step): void => {
    switch (step.do) {
      case 'deliver': {
        const id = idOf(step.which)
        const version = memory.config.version + (step.newerConfig ? 1 : 0)
        if (!isHeld(harness, id)) routedUnder.set(id, version)
        harness.deliver(
          delivery({
            delivery_id: id,
            endpoint_id: endpointOf(step.which),
            event: step.which < 2 ? 'out_for_delivery' : 'delivered',
            occurred_at: harness.now(),
            config_version: version,
            order_id: endpointOf(step.which) === strictEndpoint ? '1101' : id,
            order_sequence: step.which + 1,
          }),
        )
        return
      }
      case 'finish': {
        const calls = harness.calls()
        const call = calls[step.which % Math.max(1, calls.length)]
        if (call) end(harness, call.intent.id, step.how)
        return
      }
      case 'command':
        if (step.kind === 'PROBE') memory.probed.set(endpointOf(step.which), harness.now())
        if (step.confirm) {
          if (step.kind === 'REDRIVE') memory.confirmed.add(idOf(step.which))
          if (step.kind === 'REDRIVE_MATCHING')
            for (let each = 0; each < deliveries; each++) memory.confirmed.add(idOf(each))
        }
        harness.command(
          command(step.kind, {
            delivery_id: isAboutDelivery(step.kind) ? idOf(step.which) : null,
            endpoint_id: endpointOf(step.which),
            confirm_out_of_order: step.confirm,
          }),
        )
        return
      case 'pass':
        harness.jump(step.ms)
        return
      case 'configure':
        configure(configured(memory.config, endpointOf(step.which), step.how))
        memory.startedAt.clear()
        return
      case 'due':
        passToNextTicket(harness)
        return
      case 'fail_all':
        for (const { intent } of harness.calls()) end(harness, intent.id, 'broken')
        return
      case 'hang_all':
        for (const { intent } of harness.calls()) end(harness, intent.id, 'slow')
        return
      case 'release':
        harness.releaseTickets()
        return
      case 'start':
        harness.startCalls()
        return
      case 'sweep':
        harness.sweep()
        return
      case 'commit':
        harness.commit()
        return
      case 'abort':
        memory.startedAt.clear()
        harness.abort()
        return
      case 'restart':
        memory.startedAt.clear()
        harness.restart()
        return
      case 'lose':
        harness.loseTickets()
        return
    }
  }

  for (const step of steps) {
    play(step)
    check(harness, memory)
  }
  for (const endpointId of ['e1', 'e2']) {
    configure(configured(memory.config, endpointId, 'active'))
    harness.command(command('ENABLE', { endpoint_id: endpointId, delivery_id: null }))
  }
  configure({ ...memory.config, version: memory.config.version + 1 })
  drain(harness, memory)
}

const isAboutDelivery = (kind: (typeof kinds)[number]): boolean =>
  kind === 'RETRY_NOW' || kind === 'CANCEL' || kind === 'REDRIVE'

/** Everything waiting comes to an end when endpoints answer and time passes. */
function drain(harness: Harness, memory: Memory): void {
  const isWaiting = (): boolean =>
    [...harness.states().values()].some((status) => stateOf(status.phase) === 'waiting') ||
    [...harness.redrives().values()].some(({ ended_at }) => ended_at === null)
  for (let rounds = 0; isWaiting(); rounds++) {
    if (rounds > 100) throw new Error('a waiting delivery never comes to an end')
    for (const { intent } of harness.calls()) end(harness, intent.id, 'ok')
    harness.jump(minuteMs)
    harness.releaseTickets()
    check(harness, memory)
  }
  for (const [id, { redriven, delivered, dead, skipped }] of harness.redrives()) {
    if (redriven !== delivered + dead + skipped) fail(`redrive ${id} has lost a delivery`)
  }
}

/** Time passes until the next ticket comes due, and what is due is released. */
function passToNextTicket(harness: Harness): void {
  const dueAt = Math.min(...harness.tickets().map((held) => held.dueAt))
  if (Number.isFinite(dueAt)) harness.jump(Math.max(0, dueAt - harness.now()))
  harness.releaseTickets()
}

function end(harness: Harness, id: string, how: (typeof endings)[number]): void {
  switch (how) {
    case 'expired':
      harness.finish(id, { kind: 'expired' })
      return
    case 'failed':
      harness.finish(id, { kind: 'handler_failed', message: 'failed', starts: 1 })
      return
    case 'not_sent':
      harness.done(id, { kind: 'not_sent', reason: 'config_behind' })
      return
    default:
      harness.done(id, sent(how))
  }
}

function configured(
  config: PartnerConfig,
  endpointId: string,
  how: (typeof settings)[number],
): PartnerConfig {
  const version = config.version + 1
  const others = config.endpoints.filter((candidate) => candidate.endpoint_id !== endpointId)
  if (how === 'removed') return { ...config, version, endpoints: others }
  const state: EndpointState = how === 'paused' ? 'PAUSED' : how === 'disabled' ? 'DISABLED' : 'ACTIVE'
  const max_concurrent = how === 'narrow' ? 1 : 2
  const changed: Endpoint = endpoint({
    endpoint_id: endpointId,
    state,
    max_concurrent,
    strict_order: endpointId === strictEndpoint,
    auto_redrive: how === 'auto',
    rate_per_second: how === 'slow' ? slowPerSecond : null,
  })
  return { ...config, version, endpoints: [...others, changed] }
}

const isHeld = (harness: Harness, id: string): boolean =>
  harness.state(id) !== undefined || harness.keys('remembered').includes(`pair/${id}`)

function fail(what: string): never {
  throw new Error(`invariant broken: ${what}`)
}

/** What must hold when an intent is written: invariants 2, 3, 6 and 8, and that no retry is early. */
function checkStart(
  harness: Harness,
  memory: Memory,
  intent: Intent<WebhookCallRequest>,
  open: readonly Intent<WebhookCallRequest>[],
): void {
  const { config, routedUnder } = memory
  const { delivery_id: id, endpoint_id } = intent.request
  const settings = config.endpoints.find((candidate) => candidate.endpoint_id === endpoint_id)
  if (settings?.state !== 'ACTIVE') fail(`${id} is called although its endpoint is not active`)
  const ofEndpoint = open.filter((other) => other.key === endpoint_id)
  if (ofEndpoint.length > settings.max_concurrent) fail(`${endpoint_id} has more open calls than credits`)
  if (open.filter((other) => other.request.delivery_id === id).length > 1) fail(`${id} has two open calls`)
  if (config.version < (routedUnder.get(id) ?? 0)) fail(`${id} is called under an older config`)
  checkProtection(harness, memory, intent, ofEndpoint.length)
  checkRate(harness, memory, settings)
  if (settings.strict_order) checkOrder(harness, id)
  const past = incarnation(harness.history(id))
  if (past.some((entry) => entry.state === 'delivered')) fail(`${id} is called after a success`)
  checkNotEarly(harness, intent.request, past)
}

/** A breaker that is open lets nothing through; half open, or at an endpoint that does not answer, one call at a time. */
function checkProtection(
  harness: Harness,
  memory: Memory,
  { key: endpointId, pool }: Intent<WebhookCallRequest>,
  open: number,
): void {
  const records = harness.history().filter((entry) => entry.endpoint_id === endpointId)
  const last = records.findLast(({ change }) => change === 'BREAKER_OPENED' || change === 'BREAKER_CLOSED')
  const told = records.findLast(
    ({ attempt, change }) => change === 'ENABLED' || (attempt && faultOf(attempt.outcome.class) !== 'ours'),
  )
  const isSuspect = told?.attempt?.outcome.class === 'timeout_response'
  const isOpen = last?.change === 'BREAKER_OPENED'
  const wasProbed = (memory.probed.get(endpointId) ?? 0) >= (last?.at ?? 0)
  const wasEnabled = records.some(({ change, at }) => change === 'ENABLED' && at >= (last?.at ?? 0))
  if (isOpen && !wasProbed && !wasEnabled && harness.now() < (last.next_due_at ?? 0)) {
    fail(`${endpointId} is called although its breaker is open`)
  }
  if (isOpen && open > 1) fail(`${endpointId} gets more than one probe`)
  if ((pool === suspectPool) !== isSuspect) fail(`${endpointId} is called from the wrong pool`)
  if (isSuspect && open > 1) fail(`${endpointId} does not answer and gets more than one call`)
}

function checkRate(harness: Harness, { startedAt }: Memory, endpoint: Endpoint): void {
  const before = startedAt.get(endpoint.endpoint_id)
  startedAt.set(endpoint.endpoint_id, harness.now())
  if (endpoint.rate_per_second === null || before === undefined) return
  if (harness.now() - before < 1000 / endpoint.rate_per_second)
    fail(`${endpoint.endpoint_id} is called too often`)
}

/** Under strict order nothing overtakes an earlier event, and no two of an order are in flight. */
function checkOrder(harness: Harness, id: string): void {
  const status = harness.state(id)
  if (!status || status.order_id === null) return
  for (const [otherId, other] of harness.states()) {
    if (otherId === id || other.endpoint_id !== status.endpoint_id || other.order_id !== status.order_id)
      continue
    if (stateOf(other.phase) !== 'waiting') continue
    if (other.phase === 'in_flight') fail(`${id} and ${otherId} of one order are in flight together`)
    if ((other.order_sequence ?? 0) < (status.order_sequence ?? 0)) fail(`${id} overtakes ${otherId}`)
  }
}

/** A retry waits for its tier, and for as long as the receiver asked for, up to the longest tier. */
function checkNotEarly(
  harness: Harness,
  { delivery_id: id, retry_count, trigger }: WebhookCallRequest,
  past: readonly DeliveryHistory[],
): void {
  const last = past.findLast((entry) => entry.change === 'ATTEMPTED')
  if (trigger === 'MANUAL' || !last || past.at(-1)?.change === 'REDRIVEN') return
  if (
    past.slice(past.lastIndexOf(last)).some(({ change, reason }) => change === 'REDRIVEN' && reason === null)
  )
    return
  const tierMs = defaultRetryTiers[Math.max(1, retry_count) - 1]?.delayMs ?? 0
  const waitMs = last.attempt?.outcome.class === 'proxy' ? 30_000 : tierMs
  if (harness.now() < last.at + waitMs) fail(`${id} is retried early`)
  const askedMs = Math.min(last.attempt?.retry_after_ms ?? 0, 8 * minuteMs)
  if (harness.now() < last.at + askedMs) fail(`${id} is retried before the receiver wants it`)
}

/** The records since a delivery was accepted last; before, it was another one that is forgotten by now. */
function incarnation(history: readonly DeliveryHistory[]): readonly DeliveryHistory[] {
  return history.slice(history.findLastIndex((entry) => entry.change === 'ACCEPTED'))
}

/** What must hold between any two steps: invariants 1, 2, 5 and 7. */
function check(harness: Harness, { confirmed }: Memory): void {
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
}

/** accepted = delivered + waiting + dead + skipped, where the log and the stores speak of the same deliveries. */
function checkConservation(harness: Harness): void {
  for (let index = 0; index < deliveries; index++) {
    const id = idOf(index)
    const last = harness.history(id).at(-1)
    const status = harness.state(id)
    const stored = status && stateOf(status.phase)
    const isForgotten = last !== undefined && stored === undefined && harness.now() >= last.at + 7 * dayMs
    const isSettled = last?.state === 'dead' || last?.state === 'skipped'
    if (isForgotten && isSettled) continue
    const logged = last?.state === 'delivered' ? undefined : last?.state
    if (stored !== logged) fail(`${id} is ${stored ?? 'nowhere'} but was last seen ${last?.state ?? 'never'}`)
  }
}

function checkHistory(harness: Harness, id: string, confirmed: ReadonlySet<string>): void {
  const history = harness.history(id)
  for (const [index, entry] of history.entries()) {
    const before = history[index - 1]
    if (entry.change !== 'ACCEPTED') {
      if (entry.version !== (before?.version ?? Number.NaN) + 1) fail(`${id} skips or repeats a version`)
      continue
    }
    if (before && (before.state === 'waiting' || entry.at < before.at + 7 * dayMs)) {
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
