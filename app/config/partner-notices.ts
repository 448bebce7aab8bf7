/** Reads where notices about a partner's failing endpoints go: another way than the endpoints themselves. */
import type { Vetting } from '../../connectors/webhook/address-vetting.ts'
import { suggestion } from '../cli/nearest.ts'
import { isSecret } from './endpoint-secrets.ts'
import type { Fields } from './fields.ts'
import type { NoticeSettings } from './partner-settings.ts'

export const noticeKeys = ['kind', 'to', 'secret'] as const

const kinds = ['webhook', 'email', 'sms'] as const

/** The channel, or `undefined` when something in it is wrong; the problems are reported on `fields`. */
export function readNotice(fields: Fields, vetting: Vetting): NoticeSettings | undefined {
  const kind = kinds.find((word) => word === String(fields.raw('kind')).toLowerCase())
  if (kind === undefined) {
    fields.problem('kind', `"${String(fields.raw('kind'))}" is no kind of notice`, suggestion('', kinds))
    return undefined
  }
  const target = fields.text('to', 'write the URL, the e-mail address or the number')
  if (target === undefined) return undefined
  const wrong = targetProblem(kind, target, vetting)
  if (wrong !== undefined) {
    fields.problem('to', wrong, 'write https://…, name@example.com or +919812345678')
    return undefined
  }
  const secret = fields.has('secret') ? fields.raw('secret') : null
  if (secret !== null && (kind !== 'webhook' || !isSecret(secret))) {
    fields.problem('secret', 'this is not a signing secret of a webhook', 'write "whsec_…", or leave it out')
    return undefined
  }
  return { kind, target, secret }
}

function targetProblem(kind: NoticeSettings['kind'], target: string, vetting: Vetting): string | undefined {
  switch (kind) {
    case 'webhook': {
      if (!/^https?:\/\//.test(target) || !URL.canParse(target)) return 'this is not a URL'
      const forbidden = vetting.url(new URL(target))
      return forbidden && `the url will not be called: ${forbidden}`
    }
    case 'email':
      return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(target) ? undefined : 'this is not an e-mail address'
    case 'sms':
      return /^\+\d{8,15}$/.test(target) ? undefined : 'this is not a number with its country code'
  }
}
