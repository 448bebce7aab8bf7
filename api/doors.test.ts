import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { idOf } from '../ports/testing/log-records.ts'
import { sample } from './testing/sample-log.ts'
import { showing, testApi } from './testing/test-api.ts'

/** One API for all tests that change nothing of it. */
const plain = testApi()

describe('POST /ingest', () => {
  it('hands bodies on as they were sent, whatever they are', async () => {
    const { app, taken } = await plain
    for (const type of [
      'application/json',
      'application/cloudevents+json; charset=utf-8',
      'text/plain',
      undefined,
    ]) {
      const answer = await app.inject({
        method: 'POST',
        url: '/ingest?topic=oms.shop.orders',
        headers: type === undefined ? {} : { 'content-type': type },
        payload: '{"not": json',
      })
      expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 1, repeated: 0, ignored: {} }])
      expect(taken.pop()).toEqual({ text: '{"not": json', topic: 'oms.shop.orders' })
    }
    const zipped = gzipSync('[]')
    await app.inject({
      method: 'POST',
      url: '/ingest',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      payload: zipped,
    })
    expect(taken.pop()).toEqual({ text: zipped.toString('utf8'), topic: undefined })
  })

  it('takes bodies far larger than the rest of the API, up to an end', async () => {
    const { app } = await plain
    const post = async (bytes: number) =>
      (await app.inject({ method: 'POST', url: '/ingest', payload: Buffer.alloc(bytes, 32) })).statusCode
    expect([await post(1_000_000), await post(17 * 1024 * 1024)]).toEqual([200, 413])
  })

  it('passes refusals on, with the time to wait', async () => {
    const { app } = await testApi({
      ingest: {
        handle: async () => ({
          status: 503,
          headers: { 'retry-after': '30' },
          body: { error: { code: 'pipeline_behind', message: 'too slow', mend: 'send again later' } },
        }),
      },
    })
    const answer = await app.inject({ method: 'POST', url: '/ingest', payload: 'x' })
    expect([answer.statusCode, answer.headers['retry-after'], answer.json().error.code]).toEqual([
      503,
      '30',
      'pipeline_behind',
    ])
  })

  it('is not there where nobody takes changes', async () => {
    const { app } = await plain
    const closed = await testApi({ ingest: undefined, gaps: undefined })
    expect((await closed.app.inject({ method: 'POST', url: '/ingest' })).statusCode).toBe(404)
    expect((await closed.app.inject({ url: '/v1/gaps', headers: showing('operator') })).statusCode).toBe(404)
    expect((await app.inject({ method: 'POST', url: '/ingest' })).statusCode).toBe(200)
  })
})

describe('missed transitions', () => {
  const get = async (query: string) => {
    const { app } = await plain
    const answer = await app.inject({ url: `/v1/gaps${query}`, headers: showing('operator') })
    return answer.json<{ gaps: { order_id: string }[] }>().gaps.map(({ order_id }) => order_id)
  }

  it('are listed, all or some', async () => {
    expect(await get('')).toEqual(['1101', '2201'])
    expect(await get('?state=PENDING')).toEqual(['1101'])
    expect(await get('?partner=bharat&order=2201')).toEqual(['2201'])
    expect(await get('?partner=bharat&order=1101')).toEqual([])
  })

  it('are sent when an operator asks for it, those that can be', async () => {
    const { app, gapsSent } = await plain
    const send = async (order: string, event: string) => {
      const url = `/v1/gaps/${order}/${event}/send`
      const answer = await app.inject({ method: 'POST', url, headers: showing('operator') })
      return { status: answer.statusCode, body: answer.json() }
    }
    const taken = await send('1101', sample.event)
    expect(taken).toMatchObject({ status: 202, body: { command: 'SEND_GAP', order_id: '1101' } })
    expect(gapsSent).toEqual([[taken.body.command_id, '1101', sample.event]])
    expect(await send('2201', sample.bharatEvent)).toMatchObject({
      status: 409,
      body: { error: { code: 'not_pending' } },
    })
    expect(await send('2201', idOf('none'))).toMatchObject({
      status: 404,
      body: { error: { code: 'no_such_gap' } },
    })
    expect(gapsSent.splice(0)).toHaveLength(1)
  })
})
