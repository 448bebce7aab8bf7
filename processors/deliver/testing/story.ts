/**
 * A story is a list of things that may happen to DELIVER, in any order; `tell` plays it and checks the invariants
 * of deliver.ts after every step, from what is seen outside: history, open intents and what the stores hold.
 */
import type { Endpoint, EndpointState, PartnerConfig } from '../../../schemas/index.ts'
import { stateOf } from '../lifecycle.ts'
import { jitterMs } from '../retry-jitter.ts'
import type { DeliverRules } from '../rules.ts'
import { command, delivery, endpoint, partner, sent } from './builders.ts'
import { type Harness, makeHarness } from './harness.ts'
import { checkStart, fail, type StoryMemory } from './start-checks.ts'
import { check } from './state-checks.ts'
import {
  breaker,
  deliveries,
  type endings,
  endpointOf,
  idOf,
  type kinds,
  minuteMs,
  type Step,
  type settings,
  slowPerSecond,
  strictEndpoint,
} from './steps.ts'

/** Plays a story under given rules. Throws at the first step after which an invariant does not hold. */
export function tell(steps: readonly Step[], rules: Partial<DeliverRules> = {}): void {
  const memory: StoryMemory = {
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
  let committedRoutes: ReadonlyMap<string, number> = new Map()
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
        committedRoutes = new Map(routedUnder)
        harness.commit()
        return
      case 'abort':
        memory.startedAt.clear()
        routedUnder.clear()
        for (const [id, version] of committedRoutes) routedUnder.set(id, version)
        harness.abort()
        return
      case 'restart':
        memory.startedAt.clear()
        committedRoutes = new Map(routedUnder)
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
function drain(harness: Harness, memory: StoryMemory): void {
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
