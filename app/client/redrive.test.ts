import { describe, expect, it } from 'vitest'
import { sampleAsOf, sampleRedrive } from '../../api/testing/sample-log.ts'
import { api, linesOf, waybill } from './testing/waybill-client.ts'

describe('waybill deliveries redrive', () => {
  it('asks for what its flags say, and names the redrive', async () => {
    const { sent } = await api
    const { code, out, err } = await waybill([
      ...['deliveries', 'redrive', '--endpoint', 'acme-orders', '--no-wait', '--json'],
      ...['--type', 'delivered', '--since', '24h', '--outcome', 'http_5xx', 'too_old', '--rate', '20'],
      '--confirm-out-of-order',
    ])
    expect(code).toBe(0)
    const [command] = sent.splice(0)
    expect(command).toMatchObject({
      kind: 'REDRIVE_MATCHING',
      endpoint_id: 'acme-orders',
      filter: {
        event: 'delivered',
        since: sampleAsOf - 24 * 3600_000,
        until: null,
        outcomes: ['http_5xx', 'too_old'],
      },
      per_second: 20,
      confirm_out_of_order: true,
      within_max_age: false,
    })
    expect(JSON.parse(out)).toMatchObject({ redrive_id: command?.command_id })
    expect(err).toBe(`redrive ${command?.command_id}\n`)
  })

  it('says all that is wrong with its flags at once', async () => {
    const { code, err } = await waybill(['deliveries', 'redrive', '--rate', 'fast', '--since', 'monday'])
    expect(code).toBe(2)
    expect(linesOf(err)).toEqual([
      'waybill: no endpoint is named — say whose deliveries with --endpoint <id>',
      'waybill: --rate "fast" is no rate — write how many a second, e.g. 20',
      expect.stringContaining('--since "monday" is not a time'),
    ])
  })

  it('lists redrives, and stops one', async () => {
    const { sent } = await api
    const { code, out } = await waybill(['deliveries', 'redrive', '--list', '--endpoint', 'acme-orders'])
    expect(code).toBe(0)
    expect(linesOf(out)).toEqual([
      expect.stringMatching(/^ASKED FOR +BY +ENDPOINT +STATE +SENT +DELIVERED +DEAD +REDRIVE ID$/),
      expect.stringMatching(/^11-22 08:00:00 +api +acme-orders +searching +4 +3 +1 +[0-9a-f-]{36}$/),
    ])
    const stopped = await waybill(['deliveries', 'redrive', '--stop', sampleRedrive.acme])
    expect(stopped.out).toBe(`${sampleRedrive.acme}  no more of it is sent again; 4 were\n`)
    expect(sent.splice(0)).toMatchObject([{ kind: 'STOP_REDRIVE', redrive_id: sampleRedrive.acme }])
  })
})
