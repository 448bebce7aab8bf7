/** The HTTP call against receivers that misbehave at every stage: how each ends, and what it costs. */
import { describe, expect, it } from 'vitest'
import { type ManualClock, manualClock } from '../../engine/index.ts'
import type { SendOutcome } from '../../ports/sender.ts'
import { receiver, request, send, sender, signal } from './hostile-call.ts'
import type { HostileOptions, HostileReceiver } from './hostile-receiver.ts'

/** Lets the loop turn: what one side has written over loopback, the other has read after a few turns. */
async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Sends under a clock that passes the deadline once the receiver has come to where it hangs. */
async function sendUntilDeadline(
  options: HostileOptions,
  stage: (hostile: HostileReceiver) => Promise<void>,
): Promise<{ outcome: SendOutcome; hostile: HostileReceiver }> {
  const clock = manualClock(0)
  const hostile = await receiver(options)
  const sent = sender({ clock }).send(request(hostile.url), { signal })
  await stage(hostile)
  await turns()
  clock.advance(10_000)
  return { outcome: await sent, hostile }
}

describe('a receiver that hangs', () => {
  it.each<[string, HostileOptions, 'connected' | 'got', Partial<SendOutcome>]>([
    ['when it should read', { connect: () => 'hang' }, 'connected', { class: 'timeout_response' }],
    ['in the handshake', { tls: true, connect: () => 'hang' }, 'connected', { class: 'timeout_connect' }],
    [
      'when it should answer',
      { behave: () => ({ kind: 'hang', at: 'headers' }) },
      'got',
      { class: 'timeout_response', statusCode: null, detail: 'no response within 10000 ms' },
    ],
    [
      'when it should answer, over TLS',
      { tls: true, behave: () => ({ kind: 'hang', at: 'headers' }) },
      'got',
      { class: 'timeout_response', statusCode: null },
    ],
    [
      'within its body',
      { behave: () => ({ kind: 'hang', at: 'body' }) },
      'got',
      { class: 'timeout_response', statusCode: 200, detail: 'the response did not end within 10000 ms' },
    ],
  ])('%s costs the deadline, and no more', async (_, options, stage, expected) => {
    const { outcome } = await sendUntilDeadline(options, (hostile) => hostile[stage](1))
    expect(outcome).toMatchObject({ ...expected, durationMs: 10_000, retryAfterMs: null })
  })

  it('has its connection broken off, so that nothing is kept for it', async () => {
    const { hostile } = await sendUntilDeadline({ behave: () => ({ kind: 'hang', at: 'headers' }) }, (one) =>
      one.got(1),
    )
    await hostile.closed(1)
    expect(hostile.connections()).toBe(1)
  })

  it('costs a call whose name is never looked up the deadline too', async () => {
    const clock = manualClock(0)
    const asked: string[] = []
    const one = sender({
      clock,
      resolve: (hostname) => {
        asked.push(hostname)
        return new Promise(() => undefined)
      },
    })
    const sent = one.send(request('http://receiver.test/hook', { timeoutMs: 3_000 }), { signal })
    await turns()
    clock.advance(3_000)
    expect(await sent).toMatchObject({ class: 'timeout_connect', durationMs: 3_000 })
    expect(asked).toEqual(['receiver.test'])
  })
})

describe('a receiver that is slow', () => {
  /** Moves time on, second by second, until the call has ended. */
  async function drive(clock: ManualClock, sent: Promise<SendOutcome>): Promise<SendOutcome> {
    let outcome: SendOutcome | undefined
    void sent.then((ended) => {
      outcome = ended
    })
    for (let second = 0; second < 20 && !outcome; second++) {
      await turns()
      clock.advance(1_000)
    }
    return sent
  }

  it('dripping one byte a second does not get more time than others', async () => {
    const clock = manualClock(0)
    const hostile = await receiver({ clock, behave: () => ({ kind: 'drip', everyMs: 1_000, bytes: 60 }) })
    const sent = sender({ clock }).send(request(hostile.url), { signal })
    await hostile.got(1)
    expect(await drive(clock, sent)).toMatchObject({
      class: 'timeout_response',
      statusCode: 200,
      durationMs: 10_000,
    })
  })

  it('answering after the deadline has not answered, and its answer is for nobody', async () => {
    const clock = manualClock(0)
    const behaviours = [{ kind: 'late', afterMs: 10_001, status: 200 } as const]
    const hostile = await receiver({
      clock,
      behave: () => behaviours.shift() ?? { kind: 'answer', status: 503 },
    })
    const one = sender({ clock })
    const sent = one.send(request(hostile.url), { signal })
    await hostile.got(1)
    expect(await drive(clock, sent)).toMatchObject({ class: 'timeout_response', statusCode: null })
    clock.advance(5_000)
    expect(await one.send(request(hostile.url), { signal })).toMatchObject({
      class: 'http_5xx',
      statusCode: 503,
    })
  })
})

describe('a receiver that breaks off', () => {
  it.each<[string, HostileOptions, Partial<SendOutcome>]>([
    ['when connected', { connect: () => 'reset' }, { class: 'reset', statusCode: null }],
    ['in the handshake', { tls: true, connect: () => 'reset' }, { class: 'reset', statusCode: null }],
    [
      'before its answer',
      { behave: () => ({ kind: 'reset', at: 'headers' }) },
      { class: 'reset', statusCode: null },
    ],
    [
      'within its answer',
      { behave: () => ({ kind: 'reset', at: 'body' }) },
      { class: 'reset', statusCode: 200 },
    ],
  ])('%s', async (_, options, expected) => {
    const hostile = await receiver(options)
    expect(await send(hostile.url)).toMatchObject(expected)
    // A hidden repeat would be a second delivery that nobody counts.
    expect(hostile.requests.length).toBeLessThanOrEqual(1)
    expect(hostile.connections()).toBe(1)
  })
})

describe('a receiver that answers something else than it should', () => {
  it.each([301, 302, 303, 307, 308])('redirecting with %i is not followed', async (status) => {
    const elsewhere = await receiver({})
    const hostile = await receiver({ behave: () => ({ kind: 'redirect', status, to: elsewhere.url }) })
    expect(await send(hostile.url)).toMatchObject({
      class: 'http_3xx',
      statusCode: status,
      detail: expect.stringMatching(/^redirects to http:\/\/127\.0\.0\.1:\S+\/hook$/),
      redirectsTo: new URL(elsewhere.url).href,
    })
    expect(elsewhere.connections()).toBe(0)
  })

  it('sending a gigabyte is read no further than the cap, and has taken the delivery', async () => {
    const hostile = await receiver({ behave: () => ({ kind: 'flood', bytes: 1024 ** 3 }) })
    expect(await send(hostile.url)).toMatchObject({ class: 'body_too_large', statusCode: 200 })
    await hostile.closed(1)
    expect(hostile.bytesWritten()).toBeLessThan(16 * 1024 ** 2)
  })

  it('saying more than it sends has not answered', async () => {
    const hostile = await receiver({ behave: () => ({ kind: 'lie', says: 100, sends: 4 }) })
    const outcome = await send(hostile.url)
    expect(['reset', 'http_invalid']).toContain(outcome.class)
    expect(outcome.statusCode).toBe(200)
  })

  it('sending more than it says has answered, and spoils nobody else’s connection', async () => {
    const behaviours = [{ kind: 'lie', says: 4, sends: 100 } as const]
    const hostile = await receiver({ behave: () => behaviours.shift() ?? { kind: 'answer', status: 200 } })
    const one = sender()
    expect(await one.send(request(hostile.url), { signal })).toMatchObject({
      class: 'acknowledged',
      statusCode: 200,
    })
    await hostile.closed(1)
    expect(await one.send(request(hostile.url), { signal })).toMatchObject({ class: 'acknowledged' })
  })

  it('speaking no HTTP', async () => {
    const hostile = await receiver({
      behave: () => ({ kind: 'garbage', text: '220 mail.example ESMTP\r\n' }),
    })
    expect((await send(hostile.url)).class).toBe('http_invalid')
  })
})

describe('an acknowledgement', () => {
  it.each([
    [200, 'ANY_2XX', 'acknowledged'],
    [202, 'ANY_2XX', 'acknowledged'],
    [204, 'ANY_2XX', 'acknowledged'],
    [200, 'ONLY_200', 'acknowledged'],
    [202, 'ONLY_200', 'not_200'],
    [204, 'ONLY_200', 'not_200'],
    [302, 'ONLY_200', 'http_3xx'],
    [410, 'ONLY_200', 'http_410'],
  ] as const)('of %i where the endpoint says %s: %s', async (status, acknowledgeOn, expected) => {
    const hostile = await receiver({ behave: () => ({ kind: 'answer', status }) })
    expect(await send(hostile.url, { acknowledgeOn })).toMatchObject({ class: expected, statusCode: status })
  })

  it('is the status line’s, whatever stands in a long body', async () => {
    const hostile = await receiver({
      behave: () => ({ kind: 'answer', status: 500, body: 'x'.repeat(100_000) }),
    })
    expect((await send(hostile.url)).class).toBe('http_5xx')
  })
})

describe('the wish to be left alone', () => {
  const date = 'Wed, 25 Nov 2026 08:00:00 GMT'
  it.each([
    [429, { 'retry-after': '120' }, 120_000],
    [503, { 'retry-after': 'Wed, 25 Nov 2026 08:05:00 GMT', date }, 300_000],
    [503, { 'retry-after': 'soon' }, null],
    [500, {}, null],
    // Who has taken it has nothing to ask for.
    [200, { 'retry-after': '120' }, null],
  ])('of %i with %j is %s ms', async (status, headers, expected) => {
    const hostile = await receiver({ behave: () => ({ kind: 'answer', status, headers }) })
    expect((await send(hostile.url)).retryAfterMs).toBe(expected)
  })
})
