import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import { manualClock, seededRandom, systemClock } from '../../engine/index.ts'
import { verifyingKey, verifyRequest } from '../listen/verify-request.ts'
import { demoEndpoints, demoPartnerSettings, demoSecret, demoShares } from './demo-partners.ts'
import { type Receivers, startReceivers } from './receivers.ts'

let receivers: Receivers | undefined
afterEach(async () => {
  await receivers?.stop()
  receivers = undefined
})

const endpoints = demoEndpoints.map(({ id, behaviour }) => ({ id, behaviour, secret: demoSecret(id) }))

async function start(clock = systemClock) {
  receivers = await startReceivers({ endpoints, clock, random: seededRandom(1) })
  return receivers
}

/** Signs with the reference library. */
function signed(endpointId: string, id: string, nowMs = Date.now()) {
  const body = `{"event":"delivered","order_id":"${id}"}`
  const signature = new Webhook(demoSecret(endpointId)).sign(id, new Date(nowMs), body)
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    'webhook-signature': signature,
  }
  return { body, headers }
}

async function post(
  url: string,
  request: { body: string; headers: Record<string, string> },
  signal?: AbortSignal,
) {
  const response = await fetch(url, { method: 'POST', ...request, ...(signal && { signal }) })
  await response.arrayBuffer()
  return response.status
}

describe('demo receivers', () => {
  it('accept what the reference library signed, and count repeats', async () => {
    const { url, counts } = await start()
    for (const id of ['e1', 'e2', 'e1']) {
      expect(await post(url('acme-orders'), signed('acme-orders', id))).toBe(200)
    }
    expect(counts('acme-orders')).toMatchObject({
      requests: 3,
      accepted: 3,
      events: 2,
      repeats: 1,
      badSignatures: 0,
    })
    expect(counts('bharat-main').requests).toBe(0)
  })

  it('refuse another endpoint’s signature, a changed body, and missing headers', async () => {
    const { url, counts } = await start()
    const good = signed('acme-orders', 'e1')
    expect(await post(url('bharat-main'), good)).toBe(401)
    expect(
      await post(url('acme-orders'), { ...good, body: good.body.replace('delivered', 'deliverex') }),
    ).toBe(401)
    expect(await post(url('acme-orders'), { body: good.body, headers: {} })).toBe(401)
    expect(counts('acme-orders')).toMatchObject({ badSignatures: 2, accepted: 0 })
  })

  it('fail now and then where they are flaky', async () => {
    const { url, counts } = await start()
    const statuses = new Map<number, number>()
    for (let at = 0; at < 60; at++) {
      const status = await post(url('chai-flaky'), signed('chai-flaky', `e${at}`))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect([...statuses.keys()].sort()).toEqual([200, 500])
    expect(counts('chai-flaky').failed).toBe(statuses.get(500))
    expect(statuses.get(500)).toBeGreaterThan(8)
    expect(statuses.get(500)).toBeLessThan(30)
  })

  it('answer late where they are slow, by the clock', async () => {
    const clock = manualClock(Date.now())
    const { url, counts } = await start(clock)
    const answered = post(url('dosa-slow'), signed('dosa-slow', 'e1', clock.now()))
    while (clock.nextTimer() === undefined) await new Promise((resolve) => setImmediate(resolve))
    expect((clock.nextTimer() ?? 0) - clock.now()).toBeGreaterThanOrEqual(1000)
    expect(counts('dosa-slow').accepted).toBe(0)
    clock.advance(2500)
    expect(await answered).toBe(200)
  })

  it('hang, refuse connections, and can all the same be stopped', async () => {
    const { url, counts, stop } = await start()
    await expect(post(url('falcon-dead'), signed('falcon-dead', 'e1'))).rejects.toThrow()
    const hanging = post(url('everest-hanging'), signed('everest-hanging', 'e1'))
    const ended = expect(hanging).rejects.toThrow()
    while (counts('everest-hanging').requests === 0) await new Promise((resolve) => setImmediate(resolve))
    await stop()
    await ended
  })
})

describe('the demo’s partners', () => {
  it('keep their ids and secrets from run to run and differ only in address', () => {
    const at = (port: number) => demoPartnerSettings((id) => `http://127.0.0.1:${port}/${id}`)
    const withoutUrl = (port: number) => JSON.stringify(at(port)).replaceAll(`:${port}/`, '/')
    expect(withoutUrl(1000)).toBe(withoutUrl(2000))
    expect(at(1000).length).toBeGreaterThanOrEqual(5)
    expect(demoShares.map(([id]) => id)).toEqual(at(1000).map(({ id }) => id))
  })

  it('show every kind of endpoint and both payload versions', () => {
    expect(new Set(demoEndpoints.map(({ behaviour }) => behaviour)).size).toBe(5)
    expect(new Set(demoEndpoints.map(({ version }) => version)).size).toBe(2)
  })
})

describe('verifying a signature', () => {
  it('refuses an old or a future timestamp, and takes any of several signatures', () => {
    const nowMs = 1_795_322_369_000
    const { body, headers } = signed('acme-orders', 'e1', nowMs)
    const request = { headers, body: Buffer.from(body) }
    const keys = [verifyingKey(demoSecret('acme-orders'))].flatMap((key) => key ?? [])
    const check = (atMs: number, over = {}) =>
      verifyRequest({ ...request, headers: { ...headers, ...over } }, keys, atMs).valid
    expect(check(nowMs)).toBe(true)
    expect(check(nowMs + 299_000)).toBe(true)
    expect(check(nowMs + 301_000)).toBe(false)
    expect(check(nowMs - 301_000)).toBe(false)
    expect(check(nowMs, { 'webhook-signature': `v1,AAAA v2,x ${headers['webhook-signature']}` })).toBe(true)
    expect(check(nowMs, { 'webhook-signature': 'v1,AAAA v1 nonsense' })).toBe(false)
  })
})
