/**
 * Sends one notice for WATCH: finds out where it goes as things are now, sees that it is not the failing endpoint
 * itself, and hands it to the channel's sender.
 */
import type { EffectHandler, EffectView } from '../../engine/index.ts'
import {
  decodeNotice,
  type EndpointNotice,
  type NoticeCallRequest,
  type NoticeChannel,
  type NoticeChannelKind,
  type NoticeResult,
  type NoticeSenders,
  noticeCallView,
} from '../../ports/notices.ts'
import type { Endpoint, PartnerConfig, PendingNotice, Sealer } from '../../schemas/index.ts'
import { isSameWay } from './webhook-notices.ts'

export interface NoticeCallHandlerOptions {
  readonly senders: NoticeSenders
  readonly sealer: Pick<Sealer, 'open'>
  /** The operator's own channels, opened. */
  readonly operator: { readonly [Kind in NoticeChannelKind]?: Extract<NoticeChannel, { kind: Kind }> }
  /** The sealed texts of what signs requests to an endpoint now; sign its partner's notices too, where they name no secret. */
  readonly signingSecretsOf: (endpoint: Endpoint) => readonly string[]
}

/** The handler of WATCH's effect `notify`. */
export function noticeCallHandler(
  options: NoticeCallHandlerOptions,
): EffectHandler<NoticeCallRequest, NoticeResult> {
  const { senders } = options
  return async ({ request: { key } }, view, { signal }) => {
    const pending = view.read<PendingNotice>(noticeCallView.notices, key)
    if (!pending) throw new Error(`notice ${key} has an open call but is not stored`)
    const notice = decodeNotice(pending.said)
    const endpoint = endpointNow(view, notice)
    const channel =
      pending.audience === 'OPERATOR'
        ? operatorChannel(pending, options)
        : partnerChannel(pending, endpoint, options)
    if (!channel) return notSent('gone', 'the channel, or the endpoint whose keys would sign, is gone')
    if (channel.kind === 'webhook' && endpoint && isSameWay(channel.url, endpoint.url)) {
      return notSent('same_way', 'it would leave by the endpoint that it is about')
    }
    return handOver(senders, notice, channel, signal)
  }
}

function handOver(
  senders: NoticeSenders,
  notice: EndpointNotice,
  channel: NoticeChannel,
  signal: AbortSignal,
): Promise<NoticeResult> | NoticeResult {
  switch (channel.kind) {
    case 'webhook':
      return senders.webhook?.send(notice, channel, { signal }) ?? noWay('webhook')
    case 'email':
      return senders.email?.send(notice, channel, { signal }) ?? noWay('email')
    case 'sms':
      return senders.sms?.send(notice, channel, { signal }) ?? noWay('sms')
  }
}

const notSent = (
  reason: Extract<NoticeResult, { kind: 'not_sent' }>['reason'],
  detail: string,
): NoticeResult => ({
  kind: 'not_sent',
  reason,
  detail,
})

const noWay = (kind: NoticeChannelKind): NoticeResult =>
  notSent('no_way', `nothing is configured that sends by ${kind}`)

function endpointNow(view: EffectView, { partner_id, endpoint_id }: EndpointNotice): Endpoint | undefined {
  const config = view.global<PartnerConfig>(noticeCallView.partners, partner_id)
  return config?.endpoints.find((candidate) => candidate.endpoint_id === endpoint_id)
}

function operatorChannel(
  { channel }: PendingNotice,
  { operator }: NoticeCallHandlerOptions,
): NoticeChannel | undefined {
  const known: Readonly<Record<string, NoticeChannel | undefined>> = operator
  return known[channel]
}

function partnerChannel(
  { channel, target, secret }: PendingNotice,
  endpoint: Endpoint | undefined,
  { sealer, signingSecretsOf }: NoticeCallHandlerOptions,
): NoticeChannel | undefined {
  if (target === null) return undefined
  const to = sealer.open(target)
  switch (channel) {
    case 'webhook': {
      const sealed = secret !== null ? [secret] : endpoint ? signingSecretsOf(endpoint) : []
      const secrets = sealed.map((text) => sealer.open(text))
      return secrets.length > 0 ? { kind: 'webhook', url: to, secrets } : undefined
    }
    case 'email':
      return { kind: 'email', to: [to] }
    case 'sms':
      return { kind: 'sms', to }
    default:
      return undefined
  }
}
