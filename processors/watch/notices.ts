/**
 * Sees to it that people are told: makes a notice when one is due, and has it sent by each channel until that took it
 * or is given up. What waits lies in the store, so a notice is made once and leaves at least once.
 *
 *   due ─► one entry per channel ─► call open ──sent, or no use──► (gone)
 *                                    ▲    │ failed
 *                                    └────┴─ waits: 30 s, 2 m, 8 m, 30 m, 2 h, 6 h, 12 h; then given up
 */
import { v5 } from 'uuid'
import type { EffectResult, Intent } from '../../engine/index.ts'
import {
  encodeNotice,
  type NoticeCallRequest,
  type NoticeResult,
  noticeOf,
  noticePool,
} from '../../ports/notices.ts'
import type { EndpointHealth, EndpointWatch, NoticeChannel, PendingNotice } from '../../schemas/index.ts'
import { decideNotice, type NoticeDecision } from './notice-decision.ts'
import { type NoticeOptions, type WatchContext, watchCounters } from './shape.ts'

export interface Notices {
  /** Tells of this report what people do not know yet; answers the endpoint with what they know now. */
  consider(health: EndpointHealth, endpoint: EndpointWatch, nowMs: number): EndpointWatch
  load(key: string, notice: PendingNotice): void
  /** Has sent again what waited long enough. */
  send(nowMs: number): void
  ended(intent: Intent<NoticeCallRequest>, result: EffectResult<NoticeResult>): void
}

const minuteMs = 60_000
/** About a day together: a channel that is gone for longer is not coming back by itself. */
const pausesMs = [0.5, 2, 8, 30, 120, 360, 720].map((minutes) => minutes * minuteMs)
/** A call that finds no free place for so long is tried again later. */
const callPatienceMs = 10 * minuteMs

/** So that a notice has the same id whoever makes it. */
const noticeNamespace = '5a0f4a52-66d1-5b0e-9d0c-0f6f0a6c53b1'

/** The notices of one task. */
export function makeNotices(context: WatchContext, options: NoticeOptions): Notices {
  const { notices } = context.stores
  /** When what waits is tried again, by key. */
  const waiting = new Map<string, number>()

  const count = ({ kind, channel }: Pick<PendingNotice, 'kind' | 'channel'>, outcome: string): void =>
    context.count(watchCounters.notices, { kind, channel, outcome })

  const call = (key: string, notice: PendingNotice, nowMs: number): void => {
    waiting.delete(key)
    notices.put(key, { ...notice, tries: notice.tries + 1, next_at: null })
    context.effects.notify.start({
      id: `${key}#${notice.tries}`,
      key: notice.endpoint_id,
      pool: noticePool,
      priority: 0,
      notAfter: nowMs + callPatienceMs,
      request: { key },
    })
  }

  const make = (health: EndpointHealth, due: NonNullable<NoticeDecision['notice']>, nowMs: number): void => {
    const { endpoint_id, partner_id } = health
    const { kind, percent } = due
    const notice_id = v5(`${endpoint_id}|${kind}|${percent ?? ''}|${health.version}`, noticeNamespace)
    const said = encodeNotice(noticeOf(health, { notice_id, kind, percent, made_at: nowMs }))
    const common = { notice_id, endpoint_id, partner_id, kind, made_at: nowMs, said, tries: 0, next_at: null }
    const channels = context.globals.partners.get(partner_id)?.notice_channels ?? []
    const own = options.partners ? channels.flatMap(partnerChannel) : []
    const operators = options.operator.map(
      (channel) => ({ audience: 'OPERATOR', channel, target: null, secret: null }) as const,
    )
    for (const [index, to] of [...own, ...operators].entries()) {
      const notice = { ...common, ...to }
      count(notice, 'made')
      call(`${notice_id}/${index}`, notice, nowMs)
    }
  }

  return {
    consider(health, endpoint, nowMs) {
      const { level, notice } = decideNotice({ health, told: endpoint, nowMs, rules: options.rules })
      if (level === endpoint.notice_level) return endpoint
      if (notice) make(health, notice, nowMs)
      const sent = notice ? { ...endpoint.notices_sent, [level]: nowMs } : endpoint.notices_sent
      return { ...endpoint, notice_level: level, notices_sent: sent }
    },
    load(key, notice) {
      if (notice.next_at !== null) waiting.set(key, notice.next_at)
    },
    send(nowMs) {
      for (const [key, nextAt] of waiting) {
        if (nextAt > nowMs) continue
        const notice = notices.get(key)
        if (notice) call(key, notice, nowMs)
        else waiting.delete(key)
      }
    },
    ended({ request: { key } }, result) {
      const notice = notices.get(key)
      if (!notice) return
      const ended = result.kind === 'done' ? result.result : undefined
      if (ended?.kind === 'sent' || ended?.kind === 'not_sent') {
        count(notice, ended.kind === 'sent' ? 'sent' : ended.reason)
        notices.delete(key)
        return
      }
      const pauseMs = pausesMs[notice.tries - 1]
      count(notice, pauseMs === undefined ? 'given_up' : 'failed')
      if (pauseMs === undefined) return notices.delete(key)
      const next_at = context.now() + pauseMs
      notices.put(key, { ...notice, next_at })
      waiting.set(key, next_at)
    },
  }
}

const channelKinds = { WEBHOOK: 'webhook', EMAIL: 'email', SMS: 'sms', UNKNOWN: undefined } as const

/** A kind that only a newer release knows is for that one to use. */
function partnerChannel({ kind, target, secret }: NoticeChannel) {
  const channel = channelKinds[kind]
  return channel === undefined ? [] : [{ audience: 'PARTNER', channel, target, secret } as const]
}
