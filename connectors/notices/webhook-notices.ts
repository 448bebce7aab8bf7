/**
 * Notices as operational webhooks: signed like every webhook, through the same sender, so that a partner's URL cannot
 * reach what a webhook could not.
 */
import type { Clock } from '../../engine/index.ts'
import type { NoticeResult, NoticeSender } from '../../ports/notices.ts'
import { isAcknowledged, type OutcomeTraits, outcomeClasses, type Sender } from '../../ports/sender.ts'
import { noticeBody } from './notice-words.ts'

export interface WebhookNoticesOptions {
  readonly sender: Sender
  /** The headers that sign a body, by these secrets, at this real time. */
  readonly sign: (
    message: { readonly id: string; readonly atMs: number; readonly body: Uint8Array },
    secrets: readonly string[],
  ) => Readonly<Record<string, string>>
  /** Real time: receivers compare the signature's time with theirs. */
  readonly clock: Clock
  /** `waybill/<version>` is what receivers see. */
  readonly version: string
}

const timeoutMs = 10_000

/** Makes the sender of webhook notices. */
export function createWebhookNotices(options: WebhookNoticesOptions): NoticeSender<'webhook'> {
  const { sender, sign, clock, version } = options
  return {
    async send(notice, { url, secrets }, { signal }) {
      const body = Buffer.from(noticeBody(notice))
      const outcome = await sender.send(
        {
          deliveryId: notice.notice_id,
          endpointId: notice.endpoint_id,
          partnerId: notice.partner_id,
          url,
          headers: {
            'content-type': 'application/json',
            'user-agent': `waybill/${version}`,
            ...sign({ id: notice.notice_id, atMs: clock.now(), body }, secrets),
            'waybill-trigger': 'notice',
          },
          body,
          timeoutMs,
          secrets,
        },
        { signal },
      )
      if (isAcknowledged(outcome.class)) return { kind: 'sent' }
      const status = outcome.statusCode === null ? '' : ` ${outcome.statusCode}`
      return failure(outcome.class, `${outcome.class}${status}`)
    },
  }
}

/** 410 and what may not be called will not be better next time; all else may be. */
function failure(outcome: keyof typeof outcomeClasses, detail: string): NoticeResult {
  const traits: OutcomeTraits = outcomeClasses[outcome]
  return traits.retries ? { kind: 'failed', detail } : { kind: 'not_sent', reason: 'refused', detail }
}

/**
 * Whether a notice about an endpoint would leave by that endpoint: the same scheme, host and port. Whoever does not get
 * webhooks there does not get notices there.
 */
export function isSameWay(noticeUrl: string, endpointUrl: string): boolean {
  if (!URL.canParse(noticeUrl) || !URL.canParse(endpointUrl)) return false
  return new URL(noticeUrl).origin === new URL(endpointUrl).origin
}
