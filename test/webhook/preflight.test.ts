/** Checks receivers that do right and wrong, over real connections. */
import { afterEach, describe, expect, it } from 'vitest'
import { verifyingKey, verifyRequest } from '../../app/listen/verify-request.ts'
import type { PreflightReport } from '../../app/preflight/finding.ts'
import { preflightText } from '../../app/preflight/report-text.ts'
import {
  type PreflightOptions,
  type PreflightTarget,
  runPreflight,
} from '../../app/preflight/run-preflight.ts'
import { loopbackEgress, strictEgress } from '../../connectors/webhook/address-vetting.ts'
import { seededRandom, systemClock } from '../../engine/index.ts'
import { type Behaviour, type HostileReceiver, startHostileReceiver } from './hostile-receiver.ts'
import type { HostileRequest } from './request-reader.ts'
import { testAuthority } from './test-certificates.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const key = verifyingKey(secret)
if (!key) throw new Error('the secret of the test is none')

const receivers: HostileReceiver[] = []
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()))
})

async function receiver(
  behave: (request: HostileRequest) => Behaviour,
  tls = false,
): Promise<HostileReceiver> {
  const started = await startHostileReceiver({ behave, tls })
  receivers.push(started)
  return started
}

const answer = (status: number): Behaviour => ({ kind: 'answer', status })
/** What a receiver should do. */
const verifying = (request: HostileRequest): Behaviour =>
  answer(verifyRequest(request, [key], systemClock.now()).valid ? 204 : 401)

const check = (
  url: string,
  target: Partial<PreflightTarget> = {},
  options: Partial<PreflightOptions> = {},
): Promise<PreflightReport> =>
  runPreflight(
    {
      url,
      endpointId: null,
      partnerId: 'acme',
      version: 'v2',
      timeoutMs: 5000,
      acknowledgeOn: 'ANY_2XX',
      headers: {},
      clientCertificate: null,
      secrets: [secret],
      ...target,
    },
    {
      egress: loopbackEgress,
      clock: systemClock,
      random: seededRandom(1),
      programVersion: 'test',
      signal: new AbortController().signal,
      ...options,
    },
  )

const statuses = ({ checks }: PreflightReport): Record<string, string> =>
  Object.fromEntries(checks.map(({ check: name, status }) => [name, status]))

const mendOf = ({ checks }: PreflightReport, name: string): string | null | undefined =>
  checks.find((finding) => finding.check === name)?.mend

const plainColors = Object.fromEntries(
  ['bold', 'dim', 'green', 'yellow', 'red'].map((name) => [name, (text: string) => text]),
) as unknown as Parameters<typeof preflightText>[1]

describe('the check of an endpoint', () => {
  it('finds nothing to change in a receiver that does right, over TLS', async () => {
    const { url, requests } = await receiver(verifying, true)
    const report = await check(url, {}, { trusted: testAuthority })
    expect(report.checks.filter(({ status }) => status !== 'ok')).toEqual([])
    expect(report.result).toBe('ok')
    expect(report.checks[1]?.came).toMatch(
      /^TLSv1\.3, chain complete, issued by .+, valid until \d{4}-\d\d-\d\d$/,
    )
    const [first, second] = requests
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(second?.body).toEqual(first?.body)
    expect(requests.every(({ headers }) => headers['waybill-trigger'] === 'test')).toBe(true)
    expect(JSON.parse(String(first?.body))).toMatchObject({
      event: 'order_confirmed',
      order_id: expect.stringMatching(/^waybill-check-/),
    })
  })

  it('tells a receiver that takes everything that anybody can send to it', async () => {
    const { url } = await receiver(() => answer(200))
    const report = await check(url)
    expect(statuses(report)).toEqual({
      address: 'ok',
      connection: 'warn',
      signed_event: 'ok',
      duplicate: 'ok',
      rotation: 'ok',
      wrong_signature: 'fail',
      no_signature: 'fail',
      changed_body: 'fail',
      old_timestamp: 'warn',
      in_time: 'ok',
      redirects: 'ok',
    })
    expect(mendOf(report, 'wrong_signature')).toContain('anybody can send you events')
  })

  it('finds out who refuses repeats, and who knows one signature only', async () => {
    const seen = new Set<string>()
    const { url } = await receiver((request) => {
      const id = String(request.headers['webhook-id'])
      const isRepeat = seen.has(id)
      seen.add(id)
      const [first = ''] = String(request.headers['webhook-signature']).split(' ')
      const only = { ...request, headers: { ...request.headers, 'webhook-signature': first } }
      return isRepeat ? answer(409) : verifying(only)
    })
    const report = await check(url)
    expect(statuses(report)).toMatchObject({ signed_event: 'ok', duplicate: 'fail', rotation: 'fail' })
    expect(report.checks.find(({ check: name }) => name === 'duplicate')?.came).toMatch(/^409 in \d+ ms/)
  })

  it('does not ask for more when a signed event is not taken', async () => {
    const { url, requests } = await receiver(() => ({
      kind: 'redirect',
      status: 308,
      to: 'https://elsewhere.example/waybill/?token=abc',
    }))
    const report = await check(url)
    expect(statuses(report)).toMatchObject({
      signed_event: 'fail',
      duplicate: 'skipped',
      changed_body: 'skipped',
      redirects: 'fail',
    })
    expect(mendOf(report, 'signed_event')).toContain('redirects are never followed')
    expect(report.checks.find(({ check: name }) => name === 'redirects')).toMatchObject({
      came: '3 were redirects, to https://elsewhere.example/waybill/',
      mend: 'register https://elsewhere.example/waybill/: redirects are never followed',
    })
    expect(requests).toHaveLength(3)
  })

  it('calls a 5xx to a bad signature no refusal, and a 410 what it is', async () => {
    const failing = await receiver((request) =>
      (verifying(request) as { status: number }).status === 204 ? answer(200) : answer(500),
    )
    expect(statuses(await check(failing.url))).toMatchObject({ signed_event: 'ok', wrong_signature: 'warn' })
    const gone = await receiver(() => answer(410))
    expect(mendOf(await check(gone.url), 'signed_event')).toContain('410 switches the endpoint off')
  })

  it('insists on 200 where the endpoint does', async () => {
    const { url } = await receiver(verifying)
    const report = await check(url, { acknowledgeOn: 'ONLY_200' })
    expect(mendOf(report, 'signed_event')).toContain('exactly 200')
  })

  it('needs the secret for half of it, and says so', async () => {
    const { url } = await receiver(verifying)
    const report = await check(url, { secrets: [] })
    expect(statuses(report)).toMatchObject({
      signed_event: 'skipped',
      wrong_signature: 'ok',
      no_signature: 'ok',
    })
    expect(report.result).toBe('findings')
    expect(preflightText(report, plainColors)).toContain('give the secret with --secret-file')
  })

  it('names what is wrong with a certificate, and sends nothing then', async () => {
    const { url, requests } = await receiver(verifying, true)
    const report = await check(url)
    expect(statuses(report)).toEqual({ address: 'ok', connection: 'fail' })
    expect(mendOf(report, 'connection')).toMatch(/whole chain|public authority/)
    expect(report.result).toBe('findings')
    expect(requests).toEqual([])
  })

  it('does not call what may not be called', async () => {
    const { url, connections } = await receiver(verifying)
    const report = await check(url, {}, { egress: { ...strictEgress, allowHttp: true } })
    expect(report.checks).toEqual([
      expect.objectContaining({
        check: 'address',
        status: 'fail',
        came: expect.stringContaining('not public'),
      }),
    ])
    expect(connections()).toBe(0)
  })

  it('says that nobody is there', async () => {
    const { url, close } = await receiver(verifying)
    await close()
    const report = await check(url)
    expect(report.result).toBe('unreachable')
    expect(report.checks.map(({ mend }) => mend)).toEqual(['start the receiver, or open the port'])
  })

  it('is a page that a partner can act on', async () => {
    const { url } = await receiver((request) =>
      request.headers['webhook-signature'] ? answer(200) : answer(401),
    )
    const text = preflightText(await check(url), plainColors)
      .replaceAll(/\d+ ms/g, 'N ms')
      .replace(/:\d+\//, ':PORT/')
    expect(text).toMatchInlineSnapshot(`
      "http://127.0.0.1:PORT/hook

      ok    address          it may be called
      warn  connection       it stands, without TLS
                             tried: made a connection
                             → offer https: everybody on the way can read along
      ok    signed event     200 in N ms
      ok    duplicate        200 in N ms
      ok    rotation         200 in N ms
      FAIL  wrong signature  200 in N ms
                             tried: sent an event signed with another secret
                             → anybody can send you events: verify webhook-signature over the bytes as
                               they came, and answer 401 where it does not fit
      ok    no signature     401 in N ms
      FAIL  changed body     200 in N ms
                             tried: sent another body than was signed
                             → what was changed on the way is taken: verify webhook-signature over the
                               bytes as they came, and answer 401 where it does not fit
      warn  old timestamp    200 in N ms
                             tried: sent an event signed ten minutes ago
                             → refuse a webhook-timestamp more than five minutes off: whoever recorded
                               a request can send it again
      ok    in time          the slowest took N ms of N ms
      ok    redirects        none was a redirect

      2 to mend, 2 to look at.
      "
    `)
  })
})
