/** An event made up to try an endpoint, on the wire: marked, signed, and sent once. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTestDesk } from '../../app/endpoint-tests/test-desk.ts'
import { appendRecord } from '../../app/pipeline/append-record.ts'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { systemClock } from '../../engine/index.ts'
import { everything } from '../../ports/delivery-log.ts'
import { commandDefaults } from '../../schemas/index.ts'
import { type HostileReceiver, startHostileReceiver } from '../webhook/hostile-receiver.ts'
import { readAccounts } from './accounts.ts'
import { eventIdOf, makeDelivery, openProduct, type Product, testSealer } from './product.ts'

let directory: string
let receiver: HostileReceiver
let product: Product
let status = 200
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'waybill-test-event-'))
  receiver = await startHostileReceiver({ behave: () => ({ kind: 'answer', status }) })
  product = await openProduct({
    directory,
    egress: loopbackEgress,
    pipelineClock: systemClock,
    endpoints: [{ id: 'e1', url: receiver.url }],
  })
})
afterEach(async () => {
  await product.stop()
  await receiver.close()
  await rm(directory, { recursive: true, force: true })
})

/** As the API asks for it. */
async function sendTest(number: number): Promise<void> {
  const { log, topics, writer } = product.pipeline
  const desk = createTestDesk({
    partners: async () =>
      new Map((await readTopic(log, topics.partnerConfig)).map(({ key, value }) => [key, value])),
    sealer: testSealer,
  })
  const now = systemClock.now()
  const eventId = eventIdOf(number)
  const made = await desk.make({ scope: everything, endpointId: 'e1', event: 'delivered', eventId, now })
  if ('refused' in made) throw new Error(made.refused)
  await appendRecord(log, writer, topics.deliveryCommands, {
    key: 'e1',
    value: {
      ...commandDefaults,
      ...{ command_id: eventId, kind: 'TEST', endpoint_id: 'e1', requested_at: now, requested_by: 'api' },
      test: made.test,
    },
    timestamp: now,
  })
}

it('is marked and signed, and made once whatever comes of it', async () => {
  await product.append([makeDelivery(1, 'e1', systemClock.now())])
  await receiver.got(1)
  status = 503
  await sendTest(2)
  await receiver.got(2)
  await product.pipeline.application.settled()
  const [, request] = receiver.requests
  expect(request?.headers).toMatchObject({
    'webhook-id': eventIdOf(2),
    'webhook-signature': expect.stringMatching(/^v1,/),
    'waybill-trigger': 'test',
    'waybill-attempt': '1',
  })
  expect(JSON.parse(request?.body.toString() ?? '')).toMatchObject({
    event: 'delivered',
    order_id: expect.stringMatching(/^waybill-test-/),
  })
  const { accounts } = await readAccounts(product.pipeline.log, product.pipeline.topics)
  expect(accounts.get('e1')).toMatchObject({ routed: 2, delivered: 1, dead: 1, waiting: 0 })
})
