/** Puts together what sends notices: the webhook sender, the operator's mail server, and the operator's own channels. */
import { createEmailNotices } from '../../connectors/notices/email-notices.ts'
import { noticeCallHandler } from '../../connectors/notices/notice-call-handler.ts'
import { createSmsNotices } from '../../connectors/notices/sms-notices.ts'
import { createWebhookNotices } from '../../connectors/notices/webhook-notices.ts'
import { signingSecrets } from '../../connectors/webhook/sealed-settings.ts'
import { sign, signer } from '../../connectors/webhook/standard-webhooks.ts'
import type { Clock, EffectHandler } from '../../engine/index.ts'
import type { NoticeCallRequest, NoticeResult, SmsGateway } from '../../ports/notices.ts'
import type { Sender } from '../../ports/sender.ts'
import type { NoticeOptions } from '../../processors/watch/watch.ts'
import type { Sealer } from '../../schemas/index.ts'
import type { NoticeWays } from '../config/notice-settings.ts'

export interface NoticesOptions {
  readonly settings: NoticeWays
  readonly sender: Sender
  readonly sealer: Pick<Sealer, 'open'>
  /** Real time. */
  readonly clock: Clock
  readonly version: string
  /** Sends text messages. Default: nothing does, and such notices are counted as not sent. */
  readonly sms?: SmsGateway
}

export interface OpenNotices {
  /** The handler of WATCH's effect `notify`. */
  readonly handler: EffectHandler<NoticeCallRequest, NoticeResult>
  close(): void
}

/** What WATCH has to know of it: who is told, and when. */
export const noticesOf = ({ partners, rules, webhook, email }: NoticeWays): NoticeOptions => ({
  partners,
  rules,
  operator: [...(webhook ? (['webhook'] as const) : []), ...(email.length > 0 ? (['email'] as const) : [])],
})

/** Opens what sends notices; connections are made when they are needed. */
export function openNotices({ settings, sender, sealer, clock, version, sms }: NoticesOptions): OpenNotices {
  const { webhook, email, smtp } = settings
  const mails = smtp && createEmailNotices(smtp)
  const handler = noticeCallHandler({
    senders: {
      webhook: createWebhookNotices({
        sender,
        sign: ({ id, atMs, body }, secrets) => ({ ...sign(id, atMs, body, secrets.map(signer)) }),
        clock,
        version,
      }),
      ...(mails && { email: mails }),
      ...(sms && { sms: createSmsNotices(sms) }),
    },
    sealer,
    operator: {
      ...(webhook && { webhook: { kind: 'webhook', url: webhook.url, secrets: [webhook.secret] } }),
      ...(email.length > 0 && { email: { kind: 'email', to: email } }),
    },
    signingSecretsOf: (endpoint) => signingSecrets(endpoint, clock.now()),
  })
  return { handler, close: () => mails?.close() }
}
