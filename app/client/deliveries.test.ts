import { describe, expect, it } from 'vitest'
import { sample, sampleLog } from '../../api/testing/sample-log.ts'
import { attempted, batch, testStartMs } from '../../ports/testing/log-records.ts'
import { testOrderPrefix } from '../../schemas/index.ts'
import { api, linesOf, listeningApi, waybill } from './testing/waybill-client.ts'

describe('waybill deliveries', () => {
  it('list is one line per delivery', async () => {
    const { out, err } = await waybill(['deliveries', 'list', '--endpoint', 'acme-analytics'])
    expect(linesOf(out)[1]).toBe(
      `11-22 08:00:00  out_for_delivery  1101   acme-analytics  dead       4  http_5xx 503  ${sample.dead}`,
    )
    expect(err).toMatch(/^1 delivery, as of /)
  })

  it('show tells the life of a delivery, request by request', async () => {
    const { out } = await waybill(['deliveries', 'show', sample.dead])
    expect(out).toContain('state     dead: http_5xx\n')
    expect(out).toContain(
      '2026-11-22 08:00:00.950  first    http_5xx 503  166 ms  Service Unavailable\n' +
        '2026-11-22 08:01:00.950  retry 1  http_5xx 503  166 ms  Service Unavailable\n',
    )
    expect(out).toContain('body\n{')
  })

  it('marks what was sent to try an endpoint, and lists it alone or leaves it out', async () => {
    const log = await sampleLog()
    const test = { of: 'test', partner_id: 'acme', order_id: `${testOrderPrefix}0b8f7f3c`, by_hand: true }
    await log.write(batch({ history: [attempted({ ...test, endpoint_id: 'acme-orders' })] }))
    const { url } = await listeningApi({ deliveryLog: log })
    for (const [list, all] of [
      ['deliveries', 6],
      ['events', 5],
    ] as const) {
      const rows = async (...filter: string[]) =>
        linesOf((await waybill([list, 'list', ...filter, '--json'], { url })).out).map((line) =>
          JSON.parse(line),
        )
      expect(await rows()).toHaveLength(all)
      expect(await rows('--test')).toMatchObject([{ test: true, order_id: test.order_id }])
      expect((await rows('--no-test')).map((row) => row.test)).toEqual(Array(all - 1).fill(false))
      const { out } = await waybill([list, 'list', '--test'], { url })
      expect(linesOf(out)).toEqual([
        expect.stringMatching(/ HOW +(DELIVERY|EVENT) ID$/),
        expect.stringMatching(/ test +[0-9a-f-]{36}$/),
      ])
    }
  })

  it('tells what is not ordinary about a delivery, and only then', async () => {
    const log = await sampleLog()
    const again = { by_hand: true, out_of_order: true, waited_for_order_ms: 4200, redrive_id: 'redrive-7' }
    await log.write(
      batch({
        history: [
          attempted({
            ...{ of: 'out', partner_id: 'acme', endpoint_id: 'acme-orders', version: 9, queued_ms: 2500 },
            ...again,
            made: { trigger: 'REDRIVE', retry_after_ms: 90_000, started_at: testStartMs + 5000 },
          }),
        ],
      }),
    )
    const { url } = await listeningApi({ deliveryLog: log })
    const { out } = await waybill(['deliveries', 'show', sample.delivered], { url })
    expect(out).toContain(
      'how       redriven, by hand, out of order\nredrive   redrive-7\nwaited    4.2 s for earlier events of its order\n',
    )
    expect(out).toMatch(/OUTCOME +QUEUED +TOOK +RETRY AFTER +DETAIL\n/)
    expect(out).toMatch(/redrive +acknowledged 200 +2\.5 s +42 ms +1 m 30 s\n/)
    for (const filter of [['--redrive', 'redrive-7'], ['--out-of-order']]) {
      const listed = await waybill(['deliveries', 'list', ...filter], { url })
      expect(linesOf(listed.out)).toEqual([
        expect.stringMatching(/ HOW +DELIVERY ID$/),
        expect.stringMatching(/ redriven, by hand, out of order +[0-9a-f-]{36}$/),
      ])
    }
    const plain = await waybill(['deliveries', 'show', sample.dead], { url })
    expect(plain.out).not.toMatch(/^(how|redrive|waited) |QUEUED|RETRY AFTER/m)
  })

  it('retry and cancel say what will happen', async () => {
    const { sent } = await api
    const { code, out } = await waybill(['deliveries', 'retry', sample.dead, sample.waiting])
    expect(code).toBe(0)
    expect(linesOf(out)).toEqual([
      `${sample.dead}  it is sent again, the same bytes under the same webhook-id, with all its retries`,
      `${sample.waiting}  it is sent as soon as its endpoint may be called; a request that is running is left alone`,
    ])
    expect(sent.splice(0).map(({ kind }) => kind)).toEqual(['REDRIVE', 'RETRY_NOW'])
    const cancelled = await waybill(['deliveries', 'cancel', sample.waiting, '--json'])
    expect(JSON.parse(cancelled.out)).toMatchObject({ command: 'CANCEL', state: 'waiting' })
    expect(sent.splice(0)).toHaveLength(1)
  })

  it('retry goes on past one that cannot be retried, and exits with 2', async () => {
    const { sent } = await api
    const { code, out, err } = await waybill([
      'deliveries',
      'retry',
      sample.delivered,
      'nonsense',
      sample.dead,
    ])
    expect(code).toBe(2)
    expect(linesOf(out)).toHaveLength(1)
    expect(linesOf(err)).toEqual([
      `waybill: delivery ${sample.delivered} is delivered — there is nothing to do; what was acknowledged is never sent again`,
      'waybill: there is no delivery nonsense — check the id; what just happened shows up within seconds, see as_of',
    ])
    expect(sent.splice(0)).toHaveLength(1)
  })
})
