import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import type { SendOutcome } from '../../ports/sender.ts'
import { loopbackEgress } from './address-vetting.ts'
import { createHttpSender } from './http-sender.ts'
import { closers, longMs, receiver, request, send } from './testing/loopback.ts'

/** A deadline in real time, for what must fail by it. */
const shortMs = 120

/** Lets the loop turn: what one side has written over loopback, the other has read after a few turns. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('the deadline', () => {
  /** Sends under a clock of the test's own, which passes the deadline when the receiver says so. */
  async function sendUntil(
    answer: (response: ServerResponse, passDeadline: () => void) => void,
  ): Promise<SendOutcome> {
    const clock = manualClock(0)
    const url = await receiver((_request, response) => answer(response, () => clock.advance(longMs)))
    const one = createHttpSender({ clock, egress: loopbackEgress })
    closers.push(() => one.close())
    return one.send(request(url), { signal: new AbortController().signal })
  }

  it('ends a call whose response does not begin', async () => {
    expect(await sendUntil((_response, passDeadline) => passDeadline())).toEqual({
      class: 'timeout_response',
      statusCode: null,
      detail: 'no response within 5000 ms',
      durationMs: longMs,
      retryAfterMs: null,
    })
  })

  it('ends a call whose response does not end, although its status was fine', async () => {
    const outcome = await sendUntil((response, passDeadline) => {
      response.writeHead(200)
      response.write('half', () => void turns().then(passDeadline))
    })
    expect(outcome).toEqual({
      class: 'timeout_response',
      statusCode: 200,
      detail: 'the response did not end within 5000 ms',
      durationMs: longMs,
      retryAfterMs: null,
    })
  })

  it('is one for all of the call: bytes that drip in do not extend it', async () => {
    const outcome = await sendUntil((response, passDeadline) => {
      response.writeHead(200)
      let drips = 0
      const drip = (): void => {
        if (response.destroyed) return
        response.write('.')
        if (++drips === 200) passDeadline()
        setImmediate(drip)
      }
      drip()
    })
    expect(outcome).toMatchObject({ class: 'timeout_response', statusCode: 200, durationMs: longMs })
  })

  it('is kept in real time too', async () => {
    const url = await receiver(() => undefined)
    const outcome = await send(url, { timeoutMs: shortMs })
    expect(['timeout_response', 'timeout_connect']).toContain(outcome.class)
    expect(outcome.durationMs).toBeGreaterThanOrEqual(shortMs)
  })

  it('passes before a connection stands: nothing is sent afterwards', async () => {
    const seen: (string | undefined)[] = []
    const url = await receiver((incoming, response) => {
      seen.push(incoming.url)
      response.end()
    })
    const clock = manualClock(0)
    const one = createHttpSender({ clock, egress: loopbackEgress })
    closers.push(() => one.close())
    const { signal } = new AbortController()
    const late = one.send(request(`${url}/late`), { signal })
    clock.advance(longMs)
    expect(await late).toMatchObject({
      class: 'timeout_connect',
      statusCode: null,
      detail: 'no connection within 5000 ms',
      durationMs: longMs,
      retryAfterMs: null,
    })
    // The connection that was under way stands by the time this one is answered.
    await one.send(request(`${url}/next`), { signal })
    expect(seen).toEqual(['/next'])
  })
})
