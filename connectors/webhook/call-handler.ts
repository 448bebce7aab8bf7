/**
 * Makes one webhook call for DELIVER: reads the settings as they are now, opens the body, signs it, sends it. What
 * the network does comes back as a value; what throws here is a missing key or a bug, and becomes `handler_failed`.
 */
import { v7 } from 'uuid'
import type { Clock, EffectHandler, EffectView, Random } from '../../engine/index.ts'
import {
  type NotSentReason,
  type Sender,
  type WebhookCallRequest,
  type WebhookCallResult,
  webhookCallView,
} from '../../ports/sender.ts'
import {
  type DeliveryBody,
  type Endpoint,
  isPayloadVersion,
  type PartnerConfig,
  type Sealer,
  versionHeaders,
} from '../../schemas/index.ts'
import { remembering } from './remembering.ts'
import { openEndpointSecrets, signingSecrets } from './sealed-settings.ts'
import { sign, signer } from './standard-webhooks.ts'

export interface WebhookCallHandlerOptions {
  readonly sender: Sender
  readonly sealer: Pick<Sealer, 'open' | 'openBytes'>
  /** Real time: receivers compare the signature's time with theirs. */
  readonly clock: Clock
  readonly random: Random
  /** `waybill/<version>` is what receivers see. */
  readonly version: string
}

/** The handler of DELIVER's effect `call`. */
export function webhookCallHandler(
  options: WebhookCallHandlerOptions,
): EffectHandler<WebhookCallRequest, WebhookCallResult> {
  const { sender, sealer, clock, random } = options
  const userAgent = `waybill/${options.version}`
  const open = remembering((sealed: string) => sealer.open(sealed), rememberedMax)
  const signerOf = remembering(signer, rememberedMax)
  const idBytes = drawnTogether(random)
  return async (intent, view, { signal }) => {
    const call = intent.request
    const stored = view.read<DeliveryBody>(webhookCallView.bodies, call.delivery_id)
    if (!stored) throw new Error(`delivery ${call.delivery_id} has an open call but no stored body`)
    const endpoint = settingsNow(call, stored, view)
    if (typeof endpoint === 'string') return { kind: 'not_sent', reason: endpoint }

    const startedAt = clock.now()
    const body = sealer.openBytes(stored.body)
    const secrets = signingSecrets(endpoint, startedAt).map(open)
    const { headers, clientCertificate } = openEndpointSecrets(endpoint, open)
    const outcome = await sender.send(
      {
        deliveryId: call.delivery_id,
        endpointId: call.endpoint_id,
        partnerId: call.partner_id,
        url: endpoint.url,
        headers: {
          // First, so that nothing of the partner's can take the place of ours.
          ...headers,
          'content-type': 'application/json',
          'user-agent': userAgent,
          ...versionsOf(stored, startedAt),
          ...sign(stored.event_id, startedAt, body, secrets.map(signerOf)),
          'waybill-attempt': String(call.attempt_no),
          'waybill-trigger': call.trigger.toLowerCase(),
          'waybill-first-attempted-at': new Date(call.first_attempted_at ?? startedAt).toISOString(),
        },
        body,
        timeoutMs: endpoint.timeout_ms,
        acknowledgeOn: endpoint.acknowledge_on,
        clientCertificate,
        secrets: [...secrets, ...Object.values(headers), ...secretsIn(body)],
      },
      { signal },
    )
    const attemptId = v7({ msecs: startedAt, random: idBytes() })
    return { kind: 'sent', attemptId, startedAt, outcome }
  }
}

/** The version of the body, and its dates where it is on the way out: of the body as it was rendered, whatever is pinned now. */
const versionsOf = ({ payload_version: version }: DeliveryBody, nowMs: number) =>
  isPayloadVersion(version) ? versionHeaders(version, nowMs) : {}

const idBytesEach = 16
/** Asking the system for random bytes costs 2 µs, however few they are. */
const idsPerDraw = 256

/** The random part of one attempt's id after another. */
function drawnTogether(random: Pick<Random, 'bytes'>): () => Uint8Array {
  let drawn = random.bytes(0)
  let used = 0
  return () => {
    if (used === drawn.length) {
      drawn = random.bytes(idBytesEach * idsPerDraw)
      used = 0
    }
    used += idBytesEach
    return drawn.subarray(used - idBytesEach, used)
  }
}

/** Far more than a deployment has endpoints; a rotated secret is another text and drops out in time. */
const rememberedMax = 10_000

/** The endpoint's settings at this moment, or why nothing may be sent under them. */
function settingsNow(
  call: WebhookCallRequest,
  stored: DeliveryBody,
  view: EffectView,
): Endpoint | NotSentReason {
  const config = view.global<PartnerConfig>(webhookCallView.partners, call.partner_id)
  if (!config || config.version < stored.config_version) return 'config_behind'
  const endpoint = config.endpoints.find((candidate) => candidate.endpoint_id === call.endpoint_id)
  if (!endpoint) return 'endpoint_gone'
  switch (endpoint.state) {
    case 'ACTIVE':
      return endpoint
    case 'PAUSED':
      return 'endpoint_paused'
    case 'DISABLED':
      return 'endpoint_disabled'
  }
}

const otpField = Buffer.from('"otp":"')

/** What a receiver might echo and nobody may keep: the OTP. */
function secretsIn(body: Uint8Array): string[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  // Most bodies have none, and a search among the bytes costs a tenth of making text of them.
  if (!bytes.includes(otpField)) return []
  const otp = /"otp":"((?:[^"\\]|\\.)+)"/.exec(bytes.toString('utf8'))?.[1]
  return otp === undefined ? [] : [otp]
}
