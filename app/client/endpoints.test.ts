import { describe, expect, it } from 'vitest'
import { sampleLog } from '../../api/testing/sample-log.ts'
import { attempted, batch, history } from '../../ports/testing/log-records.ts'
import { api, linesOf, listeningApi, waybill } from './testing/waybill-client.ts'

describe('waybill endpoints', () => {
  it.each([
    ['enable', 'ENABLE'],
    ['probe', 'PROBE'],
  ])('%s gives one another chance', async (wish, kind) => {
    const { sent } = await api
    const { code, out } = await waybill(['endpoints', wish, 'acme-orders'])
    expect([code, out]).toEqual([0, expect.stringMatching(/^acme-orders {2}(an endpoint|the oldest) /)])
    expect(sent.splice(0)).toMatchObject([{ kind, endpoint_id: 'acme-orders' }])
  })
})

describe('waybill endpoints test', () => {
  /** An API whose endpoint answers at once: the outcome is in the log when the command has been taken. */
  async function answering(outcome: { class: string; status_code: number | null; detail: string | null }) {
    const log = await sampleLog()
    return listeningApi({
      deliveryLog: log,
      commands: {
        async send(command) {
          const { test } = command
          if (!test) throw new Error('a test without an event')
          const acknowledged = outcome.class === 'acknowledged'
          const { body: _, config_version: __, ...facts } = test
          const state = acknowledged ? 'delivered' : 'dead'
          const record = attempted({ ...facts, endpoint_id: command.endpoint_id, state, made: { outcome } })
          // Of ids that do not follow from a name.
          await log.write(batch({ history: [{ ...record, ...facts }] }))
        },
      },
    })
  }

  it('shows that the endpoint took it', async () => {
    const { url } = await answering({ class: 'acknowledged', status_code: 200, detail: '{}' })
    const { code, out, err } = await waybill(['endpoints', 'test', 'acme-orders', '--event', 'delivered'], {
      url,
    })
    expect([code, out]).toEqual([0, 'acme-orders  acknowledged 200 in 42 ms\n'])
    expect(err).toMatch(/^delivered, payload v2, delivery [0-9a-f-]{36}\n$/)
  })

  it('shows what went wrong, and exits with 100', async () => {
    const { url } = await answering({ class: 'http_4xx', status_code: 401, detail: 'bad signature' })
    const { code, out } = await waybill(['endpoints', 'test', 'acme-orders'], { url })
    expect([code, out]).toEqual([100, 'acme-orders  http_4xx 401 in 42 ms: bad signature\n'])
    const json = await waybill(['endpoints', 'test', 'acme-orders', '--json'], { url })
    expect([json.code, JSON.parse(json.out)]).toMatchObject([100, { delivery: { state: 'dead' } }])
  })

  it('says how to switch an endpoint on that the system disabled', async () => {
    const deliveryLog = await sampleLog()
    const { url } = await listeningApi({
      deliveryLog,
      commands: {
        async send({ test, endpoint_id }) {
          if (!test) throw new Error('a test without an event')
          const { body: _, config_version: __, ...facts } = test
          const state = { state: 'skipped', change: 'SKIPPED' } as const
          const record = history({ endpoint_id, ...state, reason: 'endpoint_auto_disabled' })
          await deliveryLog.write(batch({ history: [{ ...record, ...facts }] }))
        },
      },
    })
    const { code, out } = await waybill(['endpoints', 'test', 'acme-orders'], { url })
    expect([code, out]).toEqual([
      100,
      'acme-orders  skipped: endpoint_auto_disabled; switch it on with waybill endpoints enable acme-orders\n',
    ])
  })

  it('need not be waited for, and is refused for what is none', async () => {
    const { sent } = await api
    const { code, out } = await waybill(['endpoints', 'test', 'acme-orders', '--no-wait', '--json'])
    const [command] = sent.splice(0)
    expect([code, JSON.parse(out)]).toMatchObject([0, { delivery_id: command?.test?.delivery_id }])
    const none = await waybill(['endpoints', 'test', 'nobody'])
    expect([none.code, none.err]).toEqual([
      2,
      'waybill: there is no such endpoint — check the id; an endpoint is there once its settings are published\n',
    ])
  })
})

describe('waybill endpoints list, pause, resume', () => {
  it('show how endpoints are set up, and what became of the wish', async () => {
    const { out, err } = await waybill(['endpoints', 'list', '--partner', 'acme'])
    expect(linesOf(out)).toEqual([
      expect.stringMatching(/^ENDPOINT +PARTNER +STATE +PAYLOAD +EVENTS +SIGNS WITH +URL$/),
      expect.stringMatching(/^acme-analytics +acme +disabled +v1 /),
      expect.stringMatching(/^acme-orders +acme +active +v2 +\* +made-1 +https:/),
    ])
    expect(err).toBe('2 endpoints\n')
    const paused = await waybill(['endpoints', 'pause', 'acme-orders'])
    expect(paused.out).toBe('acme-orders  paused (settings: active)\n')
    expect((await waybill(['endpoints', 'resume', 'acme-orders', '--json'])).out).toContain(
      '"state":"active"',
    )
    expect((await waybill(['endpoints', 'resume', 'acme-analytics'])).err).toContain('partners.yaml')
  })
})

describe('waybill endpoints rotate-secret', () => {
  it('prints the new secret alone on stdout, and beside it until when the former one signs', async () => {
    const { code, out, err } = await waybill(['endpoints', 'rotate-secret', 'acme-orders', '--overlap', '2h'])
    expect(code).toBe(0)
    expect(out).toMatch(/^whsec_[A-Za-z0-9+/=]+\n$/)
    expect(err).toBe(
      'acme-orders  signs with it as made-1.1, and with the former secret until 2026-11-22 10:10:00.000 UTC\n',
    )
    const refused = await waybill(['endpoints', 'rotate-secret', 'acme-analytics'])
    expect([refused.code, refused.out]).toEqual([2, ''])
    expect(refused.err).toContain('replace it in partners.yaml')
    expect((await waybill(['endpoints', 'rotate-secret', 'acme-orders', '--overlap', 'soon'])).code).toBe(2)
  })
})
