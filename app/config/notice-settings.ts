/** Reads who is told about failing endpoints beside the partners' own channels, how mails leave, and how often. */
import { makeVetting } from '../../connectors/webhook/address-vetting.ts'
import type { EgressSettings } from '../../connectors/webhook/http-sender.ts'
import { type NoticeRules, noticeRules } from '../../processors/watch/watch.ts'
import type { Problem } from '../cli/cli-error.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { isSecret } from './endpoint-secrets.ts'
import type { GivenSecret } from './secret-settings.ts'
import { readSwitch, wrong } from './setting-values.ts'
import type { Given, GivenSetting } from './settings-file.ts'
import { noticeDefaults } from './watch-defaults.ts'

export interface NoticeWays {
  /** Whether partners are told by the channels that they have. */
  readonly partners: boolean
  readonly rules: NoticeRules
  /** Where the operator is told. */
  readonly webhook: { readonly url: string; readonly secret: string } | undefined
  readonly email: readonly string[]
  /** The mail server; `undefined`: no mails leave. */
  readonly smtp: { readonly url: string; readonly from: string } | undefined
}

/** The settings as they were given, by whoever found out who wins. */
export interface GivenNotices {
  readonly of: (key: 'partners' | 'again_after' | 'steady_for' | 'webhook' | 'from') => Given
  /** Already taken apart; `undefined`: nobody named any. */
  readonly email: { readonly names: readonly string[]; readonly given: GivenSetting } | undefined
  readonly secret: GivenSecret | undefined
  readonly smtpUrl: GivenSecret | undefined
  readonly egress: EgressSettings
}

const timeLimitsMs = { min: 1000, max: 7 * 86_400_000 } as const

export function readNoticeWays(given: GivenNotices, problems: Problem[]): NoticeWays {
  const time = (key: 'again_after' | 'steady_for', fallback: number) =>
    readTime(given.of(key), fallback, problems)
  const smtp = readSmtp(given, problems)
  return Object.freeze({
    partners: readSwitch(given.of('partners'), noticeDefaults.partners, problems),
    rules: {
      againAfterMs: time('again_after', noticeRules.againAfterMs),
      steadyMs: time('steady_for', noticeRules.steadyMs),
    },
    webhook: readWebhook(given, problems),
    email: readAddresses(given, smtp !== undefined, problems),
    smtp,
  })
}

function readTime(given: Given, fallback: number, problems: Problem[]): number {
  if (given === undefined) return fallback
  const ms = parseDuration(given.text)
  if (ms !== undefined && ms >= timeLimitsMs.min && ms <= timeLimitsMs.max) return ms
  problems.push(wrong(given, 'will not do', `write a time from 1s to 7d, e.g. ${formatDuration(fallback)}`))
  return fallback
}

function readWebhook({ of, secret, egress }: GivenNotices, problems: Problem[]): NoticeWays['webhook'] {
  const url = of('webhook')
  if (!url) return undefined
  const isUrl = /^https?:\/\//.test(url.text) && URL.canParse(url.text)
  const forbidden = isUrl ? makeVetting(egress).url(new URL(url.text)) : 'it is not a URL'
  if (forbidden !== undefined) {
    problems.push(wrong(url, `will not be called: ${forbidden}`, 'write https://…, or see docs/egress.md'))
    return undefined
  }
  if (secret === undefined) {
    const mend = 'name a file with a whsec_… in notices.webhook_secret_file, or set WAYBILL_NOTICE_SECRET'
    problems.push(wrong(url, 'has no secret to sign with', mend))
    return undefined
  }
  if (isSecret(secret.text)) return { url: url.text, secret: secret.text }
  problems.push({
    what: `${secret.name} holds no signing secret`,
    mend: 'write "whsec_" and 24 to 64 bytes in base64',
  })
  return undefined
}

function readAddresses({ email }: GivenNotices, hasServer: boolean, problems: Problem[]): readonly string[] {
  if (!email) return []
  if (!email.names.every((name) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(name))) {
    problems.push(wrong(email.given, 'does not name mail addresses', 'write them like ops@example.com'))
    return []
  }
  if (hasServer) return email.names
  const mend = 'name a file with its address in notices.smtp_url_file, or set WAYBILL_SMTP_URL'
  problems.push(wrong(email.given, 'needs a mail server', mend))
  return []
}

/** The address holds a password: no message quotes it. */
function readSmtp({ smtpUrl, of }: GivenNotices, problems: Problem[]): NoticeWays['smtp'] {
  const from = of('from')
  if (!smtpUrl) {
    if (from)
      problems.push(wrong(from, 'has no effect without a mail server', 'set notices.smtp_url_file too'))
    return undefined
  }
  if (!/^smtps?:\/\/./.test(smtpUrl.text) || !URL.canParse(smtpUrl.text)) {
    const mend = 'write it like smtp://user:password@mail.example.com:587, or smtps://…'
    problems.push({ what: `${smtpUrl.name} is not the address of a mail server`, mend })
    return undefined
  }
  if (!from) {
    const mend = 'set notices.from, e.g. "Waybill <waybill@example.com>"'
    problems.push({ what: `${smtpUrl.name} is given, but nobody to send as`, mend })
    return undefined
  }
  if (/^[^\r\n]*[^\s@<]+@[^\s@>]+\.[^\s@>]+>?$/.test(from.text)) return { url: smtpUrl.text, from: from.text }
  problems.push(wrong(from, 'is nobody to send as', 'write it like "Waybill <waybill@example.com>"'))
  return undefined
}
