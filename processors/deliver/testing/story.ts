/**
 * A story is a list of things that may happen to DELIVER, in any order; `tell` plays it and checks the invariants
 * of deliver.ts after every step, from what is seen outside: history, open intents and what the stores hold.
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Intent } from '../../../engine/index.ts'
import type { WebhookCallRequest } from '../../../ports/sender.ts'
import type { DeliveryHistory, Endpoint, EndpointState, PartnerConfig } from '../../../schemas/index.ts'
import { defaultRetryTiers } from '../deliver.ts'
import { stateOf } from '../lifecycle.ts'
import type { DeliverRules } from '../rules.ts'
import { command, delivery, endpoint, partner, sent } from './builders.ts'
import { type Harness, makeHarness } from './harness.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

type Step =
  | { readonly do: 'deliver'; readonly which: number; readonly newerConfig: boolean }
  | { readonly do: 'finish'; readonly which: number; readonly how: (typeof endings)[number] }
  | { readonly do: 'command'; readonly which: number; readonly kind: (typeof kinds)[number] }
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
  'expired',
  'failed',
  'not_sent',
] as const
const kinds = ['RETRY_NOW', 'CANCEL', 'REDRIVE', 'ENABLE'] as const
const settings = ['active', 'active', 'paused', 'disabled', 'removed', 'narrow'] as const
const plain = [
  'due',
  'due',
  'due',
  'fail_all',
  'fail_all',
  'release',
  'start',
  'sweep',
  'commit',
  'abort',
  'restart',
  'lose',
] as const

const deliveries = 5
const which = fc.nat(deliveries - 1)

/** Random stories, short enough to be read when one fails. */
export const stories: fc.Arbitrary<readonly Step[]> = fc.array(
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
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('command' as const), which, kind: fc.constantFrom(...kinds) }),
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

const idOf = (index: number): string => `d${index}`
const endpointOf = (index: number): string => `e${(index % 2) + 1}`

/** Plays a story under given rules. Throws at the first step after which an invariant does not hold. */
export function tell(steps: readonly Step[], rules: Partial<DeliverRules> = {}): void {
  let config: PartnerConfig = partner({ endpoints: [endpoint(), endpoint({ endpoint_id: 'e2' })] })
  const routedUnder = new Map<string, number>()
  const harness = makeHarness({
    rules,
    onStart: (intent, open) => checkStart(harness, config, routedUnder, intent, open),
  })
  const configure = (next: PartnerConfig): void => {
    config = next
    harness.partners.set('p1', next)
  }
  configure(config)

  const play = (step: Step): void => {
    switch (step.do) {
      case 'deliver': {
        const id = idOf(step.which)
        const version = config.version + (step.newerConfig ? 1 : 0)
        if (!isHeld(harness, id)) routedUnder.set(id, version)
        harness.deliver(
          delivery({
            delivery_id: id,
            endpoint_id: endpointOf(step.which),
            event: step.which < 2 ? 'out_for_delivery' : 'delivered',
            occurred_at: harness.now(),
            config_version: version,
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
        harness.command(
          command(step.kind, {
            delivery_id: step.kind === 'ENABLE' ? null : idOf(step.which),
            endpoint_id: endpointOf(step.which),
          }),
        )
        return
      case 'pass':
        harness.jump(step.ms)
        return
      case 'configure':
        configure(configured(config, endpointOf(step.which), step.how))
        return
      case 'due':
        passToNextTicket(harness)
        return
      case 'fail_all':
        for (const { intent } of harness.calls()) end(harness, intent.id, 'broken')
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
        harness.abort()
        return
      case 'restart':
        harness.restart()
        return
      case 'lose':
        harness.loseTickets()
        return
    }
  }

  for (const step of steps) {
    play(step)
    check(harness)
  }
  for (const endpointId of ['e1', 'e2']) {
    configure(configured(config, endpointId, 'active'))
    harness.command(command('ENABLE', { endpoint_id: endpointId, delivery_id: null }))
  }
  configure({ ...config, version: config.version + 1 })
  drain(harness)
}

/** Everything waiting comes to an end when endpoints answer and time passes. */
function drain(harness: Harness): void {
  const isWaiting = (): boolean =>
    [...harness.states().values()].some((status) => stateOf(status.phase) === 'waiting')
  for (let rounds = 0; isWaiting(); rounds++) {
    if (rounds > 100) throw new Error('a waiting delivery never comes to an end')
    for (const { intent } of harness.calls()) end(harness, intent.id, 'ok')
    harness.jump(minuteMs)
    harness.releaseTickets()
    check(harness)
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
  const changed: Endpoint = endpoint({ endpoint_id: endpointId, state, max_concurrent })
  return { ...config, version, endpoints: [...others, changed] }
}

const isHeld = (harness: Harness, id: string): boolean =>
  harness.state(id) !== undefined || harness.keys('remembered').includes(`pair/${id}`)

function fail(what: string): never {
  throw new Error(`invariant broken: ${what}`)
}

/** What must hold when an intent is written: invariants 2, 3 and 6, and that no retry is early. */
function checkStart(
  harness: Harness,
  config: PartnerConfig,
  routedUnder: ReadonlyMap<string, number>,
  intent: Intent<WebhookCallRequest>,
  open: readonly Intent<WebhookCallRequest>[],
): void {
  const { delivery_id: id, endpoint_id, retry_count, trigger } = intent.request
  const settings = config.endpoints.find((candidate) => candidate.endpoint_id === endpoint_id)
  if (settings?.state !== 'ACTIVE') fail(`${id} is called although its endpoint is not active`)
  const ofEndpoint = open.filter((other) => other.key === endpoint_id)
  if (ofEndpoint.length > settings.max_concurrent) fail(`${endpoint_id} has more open calls than credits`)
  if (open.filter((other) => other.request.delivery_id === id).length > 1) fail(`${id} has two open calls`)
  if (config.version < (routedUnder.get(id) ?? 0)) fail(`${id} is called under an older config`)
  const past = incarnation(harness.history(id))
  if (past.some((entry) => entry.state === 'delivered')) fail(`${id} is called after a success`)
  const last = past.findLast((entry) => entry.change === 'ATTEMPTED')
  const delayMs = defaultRetryTiers[retry_count - 1]?.delayMs
  if (trigger === 'MANUAL' || delayMs === undefined || !last) return
  if (harness.now() < last.at + delayMs) fail(`${id} is retried early`)
}

/** The records since a delivery was accepted last; before, it was another one that is forgotten by now. */
function incarnation(history: readonly DeliveryHistory[]): readonly DeliveryHistory[] {
  return history.slice(history.findLastIndex((entry) => entry.change === 'ACCEPTED'))
}

/** What must hold between any two steps: invariants 1, 2, 5 and 7. */
function check(harness: Harness): void {
  const states = harness.states()
  const inFlight = [...states].filter(([, status]) => status.phase === 'in_flight')
  const expectedCalls = inFlight.map(([id, status]) => `${id}#${status.calls}`).sort()
  const openCalls = harness.calls().map((call) => call.intent.id)
  if (!isDeepStrictEqual(openCalls.sort(), expectedCalls)) fail('open calls and deliveries in flight differ')
  if (!isDeepStrictEqual(harness.keys('bodies').sort(), [...states.keys()].sort())) {
    fail('bodies and states differ')
  }
  for (let index = 0; index < deliveries; index++) checkHistory(harness, idOf(index))
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

function checkHistory(harness: Harness, id: string): void {
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
  const attempts = round.filter((entry) => entry.change === 'ATTEMPTED')
  for (const [retry, { attempt, state }] of attempts.entries()) {
    if ((attempt?.outcome.class === 'acknowledged') !== (state === 'delivered')) {
      fail(`${id} is ${state} after ${attempt?.outcome.class}`)
    }
    if (attempt?.retry_count !== retry) fail(`${id} counts its retries wrong`)
    if (
      (state === 'dead') !==
      (retry === defaultRetryTiers.length && state !== 'delivered' && state !== 'skipped')
    )
      fail(`${id} is dead at the wrong attempt`)
  }
  if (attempts.length > defaultRetryTiers.length + 1) fail(`${id} has too many attempts`)
}
