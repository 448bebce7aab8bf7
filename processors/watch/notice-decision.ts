/**
 * Decides whether people are told about an endpoint, from its report and what they were told before. Pure.
 *
 * What they know is a level:
 *
 *   none ─► at_risk ─► failing ─► disabling_50 ─► disabling_70 ─► disabling_90 ─► disabled
 *
 * Up: told at once, unless the same was told within `againAfterMs`; then at the end of that, if it still holds. Down:
 * only that it is well again, once that has lasted `steadyMs`. So an endpoint that goes to and fro is told of once in
 * that time, and whoever was told of trouble is told of its end.
 */
import type { NoticeKind } from '../../ports/notices.ts'
import type { EndpointHealth, EndpointWatch } from '../../schemas/index.ts'

export interface NoticeRules {
  /** The same is not told again within this. */
  readonly againAfterMs: number
  /** How long an endpoint has to be well before it is called that. */
  readonly steadyMs: number
}

export const noticeRules: NoticeRules = { againAfterMs: 3_600_000, steadyMs: 5 * 60_000 }

export interface NoticeQuestion {
  readonly health: Pick<EndpointHealth, 'state' | 'reason' | 'since' | 'failing_since' | 'disables_at'>
  readonly told: Pick<EndpointWatch, 'notice_level' | 'notices_sent'>
  readonly nowMs: number
  readonly rules: NoticeRules
}

export interface NoticeDecision {
  /** What people know from now on. */
  readonly level: string
  readonly notice: { readonly kind: NoticeKind; readonly percent: number | null } | undefined
}

/** What people know after this, and what they are told for it. */
export function decideNotice({ health, told, nowMs, rules }: NoticeQuestion): NoticeDecision {
  const before = rankOf(told.notice_level)
  const is = levelOf(health, nowMs)
  const stays: NoticeDecision = { level: told.notice_level, notice: undefined }
  if (is === undefined) return stays
  if (rankOf(is) > before) {
    const sentAt = told.notices_sent[is]
    // A clock that was set back must not silence anybody.
    const wasJustTold = sentAt !== undefined && sentAt <= nowMs && nowMs < sentAt + rules.againAfterMs
    return wasJustTold ? stays : { level: is, notice: noticeOfLevel(is) }
  }
  if (is !== 'none') return { level: is, notice: undefined }
  if (before === 0) return stays
  // Its partner knows why, having switched it off.
  if (health.state === 'disabled') return { level: 'none', notice: undefined }
  const isSteady = nowMs - health.since >= rules.steadyMs
  return isSteady ? { level: 'none', notice: { kind: 'recovered', percent: null } } : stays
}

/** The share of the way to being disabled at which people are told again, in percent. */
const disablingSteps = [90, 70, 50] as const

const levels = [
  'none',
  'at_risk',
  'failing',
  'disabling_50',
  'disabling_70',
  'disabling_90',
  'disabled',
] as const
type Level = (typeof levels)[number]

const rankOf = (level: string): number => Math.max(0, (levels as readonly string[]).indexOf(level))

/** `undefined`: too little is known to say anything new. */
function levelOf(health: NoticeQuestion['health'], nowMs: number): Level | undefined {
  switch (health.state) {
    case 'unknown':
      return undefined
    case 'healthy':
      return 'none'
    case 'at_risk':
      return 'at_risk'
    case 'failing':
      return failingLevel(health, nowMs)
    case 'disabled':
      return health.reason === 'auto_disabled' ? 'disabled' : 'none'
  }
}

function failingLevel({ failing_since, disables_at }: NoticeQuestion['health'], nowMs: number): Level {
  if (failing_since === null || disables_at === null || disables_at <= failing_since) return 'failing'
  const percent = (100 * (nowMs - failing_since)) / (disables_at - failing_since)
  const step = disablingSteps.find((reached) => percent >= reached)
  return step === undefined ? 'failing' : `disabling_${step}`
}

function noticeOfLevel(level: Level): NoticeDecision['notice'] {
  switch (level) {
    case 'none':
      return undefined
    case 'at_risk':
    case 'failing':
    case 'disabled':
      return { kind: level, percent: null }
    case 'disabling_50':
    case 'disabling_70':
    case 'disabling_90':
      return { kind: 'disabling', percent: Number(level.slice('disabling_'.length)) }
  }
}
