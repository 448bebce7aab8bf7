import { describe, expect, it } from 'vitest'
import { manualClock } from '../engine/index.ts'
import { DeliveryLogError } from '../ports/delivery-log.ts'
import { readiness } from './readiness.ts'
import { sampleLog } from './testing/sample-log.ts'
import { testApi } from './testing/test-api.ts'

/** One API for all tests that change nothing of it. */
const plain = testApi()

describe('readiness', () => {
  it('is 503 with the reasons while something keeps it from its work', async () => {
    const api = await plain
    api.state.findings = [
      { part: 'pipeline', what: 'restoring state: 3 of 8 tasks are ready', severity: 'blocking' },
      { part: 'partners', what: 'nobody is configured', mend: 'give --partners', severity: 'degraded' },
    ]
    const answer = await api.app.inject('/readyz')
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(answer.json()).toEqual({
      ready: false,
      reasons: [{ part: 'pipeline', what: 'restoring state: 3 of 8 tasks are ready' }],
      degraded: [{ part: 'partners', what: 'nobody is configured', mend: 'give --partners' }],
      version: '0.0.0-test',
    })
    api.state.findings = []
    expect((await api.app.inject('/readyz')).statusCode).toBe(200)
  })

  it('survives the loss of the delivery log: webhooks do not wait for it', async () => {
    const deliveryLog = {
      ...(await sampleLog()),
      ping: () => Promise.reject(new DeliveryLogError('unavailable', 'no connection')),
    }
    const { app } = await testApi({ deliveryLog })
    const answer = await app.inject('/readyz')
    expect([answer.statusCode, answer.json().degraded]).toEqual([
      200,
      [
        {
          part: 'delivery_log',
          what: 'unavailable: no connection',
          mend: 'webhooks go on; what happens meanwhile is written when it is back',
        },
      ],
    ])
  })

  it('says what hangs, instead of hanging', async () => {
    const clock = manualClock(0)
    const never = new Promise<never>(() => undefined)
    const answer = readiness({
      health: { findings: () => never },
      deliveryLog: { ...(await sampleLog()), ping: () => never },
      clock,
      version: '1',
    })
    clock.advance(2000)
    expect(await answer).toMatchObject({
      ready: false,
      reasons: [{ part: 'process' }],
      degraded: [{ part: 'delivery_log', what: 'no answer within 2 s' }],
    })
  })

  it('is not given by a process that cannot tell, and leaves no timer behind', async () => {
    const clock = manualClock(0)
    const answer = await readiness({
      health: { findings: () => Promise.reject(new Error('closed')) },
      deliveryLog: await sampleLog(),
      clock,
      version: '1',
    })
    expect(answer.reasons).toEqual([{ part: 'process', what: 'it cannot say how it does: closed' }])
    expect(clock.nextTimer()).toBeUndefined()
  })
})

describe('metrics', () => {
  it('are passed on as they are, with their own type', async () => {
    const { app } = await testApi({ auth: 'none' })
    const answer = await app.inject({ url: '/metrics', headers: { host: 'localhost' } })
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.body).toContain('\nwaybill_up 1\n')
  })
})
