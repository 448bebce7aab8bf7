/** What a notice says to people: one subject, one sentence why, and what to do, for every kind of channel. */
import type { EndpointNotice } from '../../ports/notices.ts'

/** A few words, e.g. for the subject of a mail. */
export function noticeSubject({ kind, endpoint_id, percent }: EndpointNotice): string {
  switch (kind) {
    case 'at_risk':
      return `Webhooks to ${endpoint_id} are at risk`
    case 'failing':
      return `Webhooks to ${endpoint_id} are failing`
    case 'disabling':
      return `Webhooks to ${endpoint_id} have been failing for ${percent} % of the time after which they end`
    case 'disabled':
      return `Webhooks to ${endpoint_id} have been switched off`
    case 'recovered':
      return `Webhooks to ${endpoint_id} are well again`
  }
}

/** Why, in a sentence. A reason that only a newer release knows is given as its word. */
export function noticeReason(notice: EndpointNotice): string {
  const { reason, kind, consecutive_failures: failures } = notice
  if (kind === 'recovered') return 'Its requests are acknowledged again.'
  switch (reason) {
    case 'ack_rate':
      return `It acknowledged ${percentOf(notice.ack_rate.hour)} of its requests in the last hour.`
    case 'ack_trend':
      return `It acknowledges fewer requests than it used to: ${percentOf(notice.ack_rate.hour)} in the last hour, ${percentOf(notice.ack_rate.week)} in the last week.`
    case 'failures_in_a_row':
      return `Its last ${failures} requests failed.`
    case 'no_success':
      return `It has acknowledged nothing since ${timeText(notice.last_success_at) ?? 'it was set up'}, and ${failures} requests failed meanwhile.`
    case 'missed_deadlines':
      return 'More than a few events were acknowledged too late in the last hour.'
    case 'slow':
      return `Its answers come close to its time-out: one in twenty takes ${secondsText(notice.latency_p95_ms)} or longer.`
    case 'backlog':
      return `${notice.open} deliveries wait: more comes in than it takes.`
    case 'auto_disabled':
      return notice.last_failure_class === 'http_410'
        ? 'It answered 410, which asks for no more requests.'
        : `It has acknowledged nothing since ${timeText(notice.last_success_at) ?? 'it was set up'}.`
    case 'recovering':
      return 'It has begun to acknowledge requests again.'
    default:
      return `Reason: ${reason}.`
  }
}

/** What comes of it, and what to do. */
export function noticeAdvice({ kind, disables_at, open, endpoint_id }: EndpointNotice): string {
  const ends =
    disables_at === null ? '' : ` If it takes nothing until ${timeText(disables_at)}, it is switched off.`
  switch (kind) {
    case 'at_risk':
      return 'Nothing is lost so far. Look at the receiver before it fails for good.'
    case 'failing':
    case 'disabling':
      return `Failed deliveries are tried again three times within eleven minutes, and kept for a redrive after that.${ends} ${waitText(open)}`
    case 'disabled':
      return `New deliveries are kept and not sent. When the receiver is well, switch it on with: waybill endpoints enable ${endpoint_id}`
    case 'recovered':
      return 'What it missed can be sent again with: waybill deliveries redrive'
  }
}

/** All of it as text, for a mail. Ends in a newline. */
export function noticeText(notice: EndpointNotice): string {
  const facts = [
    ['endpoint', notice.endpoint_id],
    ['partner', notice.partner_id],
    ['state', `${notice.state} since ${timeText(notice.since)}`],
    ['score', `${notice.score} of 100 (at risk from 50, failing at 100)`],
    [
      'acknowledged',
      `${percentOf(notice.ack_rate.hour)} in the last hour, ${percentOf(notice.ack_rate.day)} in 24 h, ${percentOf(notice.ack_rate.week)} in 7 d`,
    ],
    ['failed in a row', String(notice.consecutive_failures)],
    ['last success', timeText(notice.last_success_at) ?? 'none'],
    [
      'last failure',
      notice.last_failure_at === null
        ? 'none'
        : `${timeText(notice.last_failure_at)} (${notice.last_failure_class})`,
    ],
    ['waiting', String(notice.open)],
  ]
  const table = facts.map(([name = '', value]) => `  ${name.padEnd(16)}${value}`).join('\n')
  return `${noticeSubject(notice)}.\n\n${noticeReason(notice)} ${noticeAdvice(notice)}\n\n${table}\n\nNotice ${notice.notice_id} of ${timeText(notice.made_at)}.\n`
}

/** What fits into one text message. */
const smsCharactersMax = 160

export function noticeSms(notice: EndpointNotice): string {
  const text = `${noticeSubject(notice)}. ${noticeReason(notice)}`
  return text.length <= smsCharactersMax ? text : `${text.slice(0, smsCharactersMax - 3)}...`
}

/** The body of a webhook notice, as Standard Webhooks recommends it: type, timestamp, data. */
export function noticeBody(notice: EndpointNotice): string {
  const { kind, made_at, notice_id, ...facts } = notice
  return JSON.stringify({
    type: `endpoint.${kind}`,
    timestamp: timeText(made_at),
    data: {
      notice_id,
      ...facts,
      since: timeText(notice.since),
      disables_at: timeText(notice.disables_at),
      last_success_at: timeText(notice.last_success_at),
      last_failure_at: timeText(notice.last_failure_at),
      summary: `${noticeSubject(notice)}. ${noticeReason(notice)}`,
      advice: noticeAdvice(notice),
    },
  })
}

const timeText = (timeMs: number | null): string | null =>
  timeMs === null ? null : new Date(timeMs).toISOString()

const percentOf = (share: number | null): string =>
  share === null ? 'none' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`

const secondsText = (ms: number | null): string => (ms === null ? 'long' : `${(ms / 1000).toFixed(1)} s`)

const waitText = (open: number): string =>
  open === 0 ? 'Nothing waits for it now.' : `${open} deliveries wait for it now.`
