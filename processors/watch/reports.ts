/**
 * When an endpoint's health is reported, and what the report says. An endpoint that changed is reported at the next
 * tick, but not again within `reportEveryMs`; as its windows roll on, every minute, it is looked at again and reported
 * if that changed anything. A task that opens reports all its endpoints once: it cannot know what was the last.
 */
import { isDeepStrictEqual } from 'node:util'
import { healthWindow } from '../../ports/endpoint-health.ts'
import type { EndpointHealth, EndpointWatch, EndpointWindows } from '../../schemas/index.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { EndpointSetting, HealthFacts } from './health-facts.ts'
import { type HealthRules, judge } from './judge.ts'
import type { Notices } from './notices.ts'
import { type WatchContext, type WatchTimes, watchCounters } from './shape.ts'
import { ackTrend } from './signals.ts'
import { countWindow, minuteOf, noWindows } from './windows.ts'

export interface Reports {
  /** Something about this endpoint changed. */
  changed(endpointId: string): void
  load(endpointId: string): void
  /** Writes the reports that are due. */
  write(nowMs: number): void
}

export interface ReportParts {
  readonly context: WatchContext
  readonly book: EndpointBook
  readonly notices: Pick<Notices, 'consider'>
  readonly rules: HealthRules
  readonly times: WatchTimes
  /** After how long without success an endpoint is disabled. */
  readonly disabledAfterMs: number
}

/** How many endpoints one tick looks at: some 20 ms of work. The rest comes a second later. */
const lookedAtPerTickMax = 1000

/** The newest part of the hour, which tells first that an endpoint has recovered. */
const newestMinutes = 10

/** The reports of one task. */
export function makeReports(parts: ReportParts): Reports {
  const { context, book, notices, rules, times, disabledAfterMs } = parts
  const latest = new Map<string, EndpointHealth | undefined>()
  const waiting = new Set<string>()
  let minute: number | undefined

  const report = (endpointId: string, nowMs: number): void => {
    const endpoint = book.find(endpointId)
    if (!endpoint) throw new Error(`endpoint ${endpointId} is to be reported but has no entry`)
    const setting = book.setting(endpointId, endpoint.partner_id)
    const health = makeHealth(endpointId, endpoint, {
      windows: context.stores.windows.get(endpointId) ?? noWindows,
      setting,
      timeoutMs: book.timeoutMs(endpointId, endpoint.partner_id),
      disabledAfterMs,
      rules,
      nowMs,
    })
    const told = notices.consider(health, endpoint, nowMs)
    if (saysTheSame(latest.get(endpointId), health)) {
      if (told !== endpoint) book.put(endpointId, told)
      return
    }
    latest.set(endpointId, health)
    const { state, reason, since, version } = health
    book.put(endpointId, { ...told, state, reason, since, version })
    if (state !== endpoint.state) context.count(watchCounters.stateChanges, { state })
    context.count(watchCounters.reports)
    context.emit.health(endpointId, health, { timestamp: nowMs })
  }

  /** A clock that was set back must not silence an endpoint until it has caught up again. */
  const mayReport = (endpointId: string, nowMs: number): boolean => {
    const at = latest.get(endpointId)?.at
    return at === undefined || nowMs < at || nowMs >= at + times.reportEveryMs
  }

  return {
    changed(endpointId) {
      if (!latest.has(endpointId)) latest.set(endpointId, undefined)
      waiting.add(endpointId)
    },
    load(endpointId) {
      latest.set(endpointId, undefined)
      waiting.add(endpointId)
    },
    write(nowMs) {
      if (minuteOf(nowMs) !== minute) {
        minute = minuteOf(nowMs)
        for (const endpointId of latest.keys()) waiting.add(endpointId)
      }
      let lookedAt = 0
      for (const endpointId of waiting) {
        if (!mayReport(endpointId, nowMs)) continue
        if (++lookedAt > lookedAtPerTickMax) break
        waiting.delete(endpointId)
        report(endpointId, nowMs)
      }
    },
  }
}

export interface HealthParts {
  readonly windows: EndpointWindows
  readonly setting: EndpointSetting
  readonly timeoutMs: number
  readonly disabledAfterMs: number
  readonly rules: HealthRules
  readonly nowMs: number
}

/** The report on an endpoint. Pure. */
export function makeHealth(endpointId: string, endpoint: EndpointWatch, parts: HealthParts): EndpointHealth {
  const { windows, rules, nowMs, disabledAfterMs } = parts
  const { minute, failing_since } = endpoint
  const newest = countWindow('hour', windows, minute, nowMs, newestMinutes)
  const hour = countWindow('hour', windows, minute, nowMs)
  const day = countWindow('day', windows, minute, nowMs)
  const week = countWindow('week', windows, minute, nowMs)
  const facts = factsOf(endpoint, { ...parts, spans: [newest, hour, day, week], hour })
  const judgement = judge(endpoint.state, facts, rules)
  const disabledAt = failing_since === null ? null : failing_since + disabledAfterMs
  const isDoomed = judgement.state === 'failing' && Number.isFinite(disabledAfterMs)
  return {
    endpoint_id: endpointId,
    partner_id: endpoint.partner_id,
    at: nowMs,
    state: judgement.state,
    reason: judgement.reason,
    score: judgement.score,
    signals: Object.fromEntries(Object.entries(judgement.signals).filter(([, score]) => score > 0)),
    ack_trend: rounded(ackTrend(facts, rules.limits)?.change),
    since: judgement.state === endpoint.state ? endpoint.since : nowMs,
    version: endpoint.version + 1,
    open: endpoint.open,
    consecutive_failures: endpoint.consecutive_failures,
    failing_since,
    disables_at: isDoomed ? disabledAt : null,
    last_success_at: endpoint.last_success_at,
    last_failure_at: endpoint.last_failure_at,
    last_failure_class: endpoint.last_failure_class,
    auto_disabled_at: endpoint.auto_disabled_at,
    auto_disabled_reason: endpoint.auto_disabled_reason,
    hour: healthWindow(hour),
    day: healthWindow(day),
    week: healthWindow(week),
    deadlines: endpoint.deadlines,
  }
}

function factsOf(
  endpoint: EndpointWatch,
  { setting, timeoutMs, nowMs, spans, hour }: HealthParts & Pick<HealthFacts, 'spans' | 'hour'>,
): HealthFacts {
  const { failing_since, last_failure_at } = endpoint
  const takesDeliveries =
    (setting === 'active' || setting === 'unknown') && endpoint.auto_disabled_at === null
  return {
    setting,
    autoDisabled: endpoint.auto_disabled_at !== null,
    takesDeliveries,
    consecutiveFailures: endpoint.consecutive_failures,
    failingForMs: failing_since === null ? 0 : (last_failure_at ?? failing_since) - failing_since,
    noSuccessMs: failing_since === null || !takesDeliveries ? 0 : Math.max(0, nowMs - failing_since),
    timeoutMs,
    open: endpoint.open,
    spans,
    hour,
  }
}

/** To a hundredth of a percent: finer is noise, and would make a new report of it. */
const rounded = (change: number | undefined): number | null =>
  change === undefined ? null : Math.round(change * 10_000) / 10_000

/** All but when it was said. */
function saysTheSame(before: EndpointHealth | undefined, health: EndpointHealth): boolean {
  if (!before) return false
  return isDeepStrictEqual({ ...before, at: 0, version: 0 }, { ...health, at: 0, version: 0 })
}
