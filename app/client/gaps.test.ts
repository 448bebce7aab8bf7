import { describe, expect, it } from 'vitest'
import { sample } from '../../api/testing/sample-log.ts'
import { tokens } from '../../api/testing/test-api.ts'
import { api, linesOf, waybill } from './testing/waybill-client.ts'

describe('waybill gaps', () => {
  it('lists what was missed', async () => {
    const { code, out, err } = await waybill(['gaps'])
    expect([code, err]).toEqual([0, '2 missed, 1 can be sent with --send\n'])
    expect(linesOf(out)).toEqual([
      'OCCURRED        ORDER  PARTNER  FROM              TO         EVENT      STATE',
      '11-22 08:00:00  1101   acme     OUT_FOR_DELIVERY  DELIVERED  delivered  pending',
      '11-22 08:00:00  2201   bharat   OUT_FOR_DELIVERY  DELIVERED  delivered  sent',
    ])
    const some = await waybill(['gaps', '--state', 'sent', '--json'])
    expect(JSON.parse(some.out)).toMatchObject({ order_id: '2201', state: 'SENT' })
  })

  it('sends those that can be sent, and says how many it left alone', async () => {
    const { gapsSent } = await api
    const { code, out, err } = await waybill(['gaps', '--send'])
    expect([code, err]).toEqual([0, '1 sent; 1 left alone\n'])
    expect(out).toBe(
      '1101  delivered  the event is sent to every endpoint that takes it, as if the change had just come\n',
    )
    expect(gapsSent.splice(0)).toEqual([[expect.any(String), '1101', sample.event]])
    await waybill(['gaps', '--send', '--order', '2201'])
    expect(gapsSent).toEqual([])
  })

  it('is for operators', async () => {
    const { code, err } = await waybill(['gaps'], { env: { WAYBILL_TOKEN: tokens.acme } })
    expect([code, err]).toEqual([2, 'waybill: this token may not do that — use a token of an operator\n'])
  })
})
