import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { attempted, batch, history, idOf, testStartMs } from '../../ports/testing/log-records.ts'
import { buildPayload, maskBody, renderBody } from '../../schemas/index.ts'
import { openDeliveryLog } from './open-delivery-log.ts'
import { createScratch, prepareTemplate, templateTimeoutMs } from './testing/scratch.ts'

const scratch = createScratch()
beforeAll(prepareTemplate, templateTimeoutMs)
afterAll(scratch.remove)

const otp = '778-SECRET-821'
const orderId = 'order-that-is-no-secret'

/** What the partner gets. */
function bodyInClear(): Uint8Array {
  const payload = buildPayload({
    event: 'out_for_delivery',
    event_id: idOf('event-1'),
    occurred_at: testStartMs,
    partner_id: 'partner-1',
    order_id: orderId,
    customer_id: 'c-1',
    sla_due_at: null,
    rider_name: 'Rajesh Kumar',
    rider_phone_masked: '+91 98xxx xx214',
    otp: 'sealed',
    eta_start: null,
    eta_end: null,
    delivered_at: null,
    address_confirmed: null,
    attempt_no: 1,
    failure_reason_code: null,
    rescheduled_for: null,
    return_reason_code: null,
    return_condition: null,
    return_pickup_eta: null,
    order_sequence: 3,
    previous_status: 'PACKED',
    order_ref: null,
    enrichment_status: 'COMPLETE',
  })
  return renderBody({ payload, version: 'v2', open: () => otp })
}

it('keeps no one-time password in the database: history carries bodies masked, and nothing else brings one', async () => {
  const directory = scratch.directory()
  const body = bodyInClear()
  expect(Buffer.from(body).includes(otp)).toBe(true)
  const log = await openDeliveryLog({ place: { directory } })
  await log.write(
    batch({
      history: [
        history({ order_id: orderId, payload: maskBody(body) }),
        attempted({ order_id: orderId, made: { outcome: { detail: 'refused' } } }),
      ],
    }),
  )
  const found = await log.getDelivery({ partnerId: 'partner-1' }, idOf('event-1 at ep-1'))
  expect(JSON.parse(found?.payload ?? '')).toMatchObject({
    delivery: { otp: expect.not.stringContaining('SECRET') },
  })
  await log.close()

  const holding = (text: string) => filesOf(directory).filter((file) => readFileSync(file).includes(text))
  expect(holding(otp)).toEqual([])
  // The search finds what is there: in the table and in the write-ahead log.
  expect(holding(orderId).length).toBeGreaterThan(1)
})

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
