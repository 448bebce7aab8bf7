/** Notices leave over real connections: signed webhooks, mails; and never by the endpoint that they are about. */
import { afterEach, describe, expect, it } from 'vitest'
import { verifyingKey, verifyRequest } from '../../app/listen/verify-request.ts'
import { openNotices } from '../../app/notices/open-notices.ts'
import { loopbackEgress, strictEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { type EffectView, systemClock, systemRandom } from '../../engine/index.ts'
import { type EndpointNotice, encodeNotice } from '../../ports/notices.ts'
import { noticeRules } from '../../processors/watch/watch.ts'
import { endpointDefaults, makeSealer, type PendingNotice } from '../../schemas/index.ts'
import { startHostileReceiver } from '../webhook/hostile-receiver.ts'
import { startMailServer } from './mail-server.ts'

const channelSecret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const endpointSecret = `whsec_${Buffer.alloc(32, 6).toString('base64')}`
const sealer = makeSealer({
  keys: [{ id: 'k1', key: new Uint8Array(32).fill(7) }],
  active: 'k1',
  random: systemRandom,
})
const madeAt = Date.UTC(2026, 10, 25, 12)

const notice: EndpointNotice = {
  notice_id: '6a1c6f0e-7d2b-5b0c-8a51-2f54c1b0a001',
  kind: 'failing',
  made_at: madeAt,
  partner_id: 'acme',
  endpoint_id: 'acme-orders',
  state: 'failing',
  reason: 'failures_in_a_row',
  since: madeAt,
  score: 100,
  percent: null,
  disables_at: madeAt + 5 * 86_400_000,
  ack_rate: { hour: 0.25, day: 0.9, week: 0.991 },
  latency_p95_ms: 180,
  consecutive_failures: 12,
  open: 3,
  last_success_at: madeAt - 600_000,
  last_failure_at: madeAt - 1000,
  last_failure_class: 'http_5xx',
}

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Sending {
  readonly pending: Partial<PendingNotice>
  readonly endpointUrl?: string
  readonly smtpUrl?: string
  readonly operatorUrl?: string
  readonly strict?: boolean
}

/** Has the handler send one notice, as WATCH stored it. */
function send({
  pending,
  endpointUrl = 'https://hooks.acme.example/',
  smtpUrl,
  operatorUrl,
  strict,
}: Sending) {
  const sender = createHttpSender({ clock: systemClock, egress: strict ? strictEgress : loopbackEgress })
  const { handler, close } = openNotices({
    settings: {
      partners: true,
      rules: noticeRules,
      webhook: operatorUrl === undefined ? undefined : { url: operatorUrl, secret: channelSecret },
      email: [],
      smtp: smtpUrl === undefined ? undefined : { url: smtpUrl, from: 'Waybill <waybill@example.com>' },
    },
    sender,
    sealer,
    clock: systemClock,
    version: 'test',
  })
  closers.push(() => sender.close(), close)
  const stored: PendingNotice = {
    notice_id: notice.notice_id,
    endpoint_id: notice.endpoint_id,
    partner_id: notice.partner_id,
    kind: notice.kind,
    made_at: madeAt,
    said: encodeNotice(notice),
    audience: 'PARTNER',
    channel: 'webhook',
    target: null,
    secret: null,
    tries: 1,
    next_at: null,
    ...pending,
  }
  const endpoint = {
    ...endpointDefaults,
    endpoint_id: notice.endpoint_id,
    url: endpointUrl,
    payload_version: 'v2',
    secrets: [sealer.seal(endpointSecret)],
  }
  const partner = { partner_id: 'acme', name: 'Acme', version: 1, endpoints: [endpoint], notice_channels: [] }
  const view: EffectView = {
    read: <V>() => stored as V,
    global: <V>() => partner as V,
  }
  const intent = { id: 'n', key: 'k', pool: 'p', priority: 0, notAfter: madeAt, request: { key: 'n' } }
  return handler(intent, view, { signal: new AbortController().signal, again: false, starts: 1 })
}

async function receiver(status = 200) {
  const started = await startHostileReceiver({ behave: () => ({ kind: 'answer', status }) })
  closers.push(() => started.close())
  return started
}

function verifiedBy(secret: string, request: Parameters<typeof verifyRequest>[0] | undefined) {
  const key = verifyingKey(secret)
  return request && key ? verifyRequest(request, [key], systemClock.now()).valid : false
}

describe('a webhook notice', () => {
  it('is signed with the secret of its channel, and says what is wrong in words', async () => {
    const { url, requests } = await receiver(204)
    const pending = { target: sealer.seal(url), secret: sealer.seal(channelSecret) }
    expect(await send({ pending })).toEqual({ kind: 'sent' })
    const [request] = requests
    expect(verifiedBy(channelSecret, request)).toBe(true)
    expect(request?.headers).toMatchObject({ 'webhook-id': notice.notice_id, 'waybill-trigger': 'notice' })
    expect(JSON.parse(String(request?.body))).toMatchObject({
      type: 'endpoint.failing',
      timestamp: '2026-11-25T12:00:00.000Z',
      data: {
        endpoint_id: 'acme-orders',
        disables_at: '2026-11-30T12:00:00.000Z',
        summary: 'Webhooks to acme-orders are failing. Its last 12 requests failed.',
      },
    })
  })

  it('without a secret of its own is signed as the endpoint’s requests are', async () => {
    const { url, requests } = await receiver()
    expect(await send({ pending: { target: sealer.seal(url) } })).toEqual({ kind: 'sent' })
    expect(verifiedBy(endpointSecret, requests[0])).toBe(true)
  })

  it('never leaves by the endpoint that it is about', async () => {
    const { url, requests } = await receiver()
    const pending = { target: sealer.seal(url.replace('/hook', '/notices')) }
    expect(await send({ pending, endpointUrl: url })).toMatchObject({ kind: 'not_sent', reason: 'same_way' })
    expect(requests).toEqual([])
  })

  it('reaches nothing that a webhook could not', async () => {
    const { url, connections } = await receiver()
    const sent = await send({
      pending: { target: sealer.seal(url.replace('http:', 'https:')) },
      strict: true,
    })
    expect(sent).toMatchObject({ kind: 'not_sent', reason: 'refused' })
    expect(connections()).toBe(0)
  })

  it('that fails is worth another try', async () => {
    const { url } = await receiver(503)
    expect(await send({ pending: { target: sealer.seal(url) } })).toEqual({
      kind: 'failed',
      detail: 'http_5xx 503',
    })
  })

  it('to the operator goes where the configuration says', async () => {
    const { url, requests } = await receiver()
    expect(await send({ pending: { audience: 'OPERATOR' }, operatorUrl: url })).toEqual({ kind: 'sent' })
    expect(verifiedBy(channelSecret, requests[0])).toBe(true)
    expect(await send({ pending: { audience: 'OPERATOR' } })).toMatchObject({ reason: 'gone' })
  })
})

describe('a notice by mail', () => {
  const pending = { channel: 'email', target: sealer.seal('integrations@acme.example') }

  it('is a mail that can be acted on', async () => {
    const server = await startMailServer()
    closers.push(() => server.close())
    expect(await send({ pending, smtpUrl: server.url })).toEqual({ kind: 'sent' })
    const [mail = ''] = server.mails
    expect(mail).toContain('To: integrations@acme.example')
    expect(mail).toContain('Subject: Webhooks to acme-orders are failing')
    expect(mail).toContain(`Message-ID: <${notice.notice_id}@example.com>`)
    expect(mail).toContain('Auto-Submitted: auto-generated')
    expect(mail.replaceAll('=\n', '')).toContain('Its last 12 requests failed.')
  })

  it('to an address that does not exist is not tried again', async () => {
    const server = await startMailServer({ recipient: () => '550 no such user' })
    closers.push(() => server.close())
    expect(await send({ pending, smtpUrl: server.url })).toMatchObject({
      kind: 'not_sent',
      reason: 'refused',
    })
  })

  it('waits for a mail server that is busy or away', async () => {
    const server = await startMailServer({ recipient: () => '451 later' })
    expect(await send({ pending, smtpUrl: server.url })).toMatchObject({ kind: 'failed' })
    await server.close()
    expect(await send({ pending, smtpUrl: server.url })).toMatchObject({ kind: 'failed' })
  })

  it('is counted as not sent where there is no mail server', async () => {
    expect(await send({ pending })).toMatchObject({ kind: 'not_sent', reason: 'no_way' })
  })
})

it('a notice by text message needs a gateway', async () => {
  const pending = { channel: 'sms', target: sealer.seal('+919812345678') }
  expect(await send({ pending })).toMatchObject({ kind: 'not_sent', reason: 'no_way' })
})
