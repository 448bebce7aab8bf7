/** What is changed of an endpoint while everything runs is so for the next request: secrets that are replaced, and pauses. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEndpointDesk } from '../../app/endpoint-settings/endpoint-desk.ts'
import { createSecretDesk } from '../../app/endpoint-settings/secret-desk.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { systemClock } from '../../engine/index.ts'
import { everything } from '../../ports/delivery-log.ts'
import { type HostileReceiver, startHostileReceiver } from '../webhook/hostile-receiver.ts'
import { readAccounts } from './accounts.ts'
import { makeDelivery, openProduct, type Product, testSealer } from './product.ts'

let directory: string
let receiver: HostileReceiver
let product: Product
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'waybill-settings-'))
  receiver = await startHostileReceiver()
  product = await open()
})
afterEach(async () => {
  await product.stop()
  await receiver.close()
  await rm(directory, { recursive: true, force: true })
})

/** With a secret that is made for it, as for an endpoint that states none. */
const open = (): Promise<Product> =>
  openProduct({
    directory,
    egress: loopbackEgress,
    pipelineClock: systemClock,
    endpoints: [{ id: 'e1', url: receiver.url, secrets: [] }],
  })

const deliver = async (number: number): Promise<void> => {
  await product.append([makeDelivery(number, 'e1', systemClock.now())])
}

const rotate = async (commandId: string, overlapMs: number): Promise<string> => {
  const desk = createSecretDesk({ register: product.pipeline.partners, sealer: testSealer })
  const now = systemClock.now()
  const rotated = await desk.rotate({ scope: everything, endpointId: 'e1', commandId, overlapMs, now })
  if ('refused' in rotated) throw new Error(rotated.refused)
  return rotated.secret
}

/** Whether a receiver that has this secret takes the request: by the public library. */
const verifies = (secret: string, at: number): boolean => {
  const request = receiver.requests[at]
  if (!request) throw new Error(`there is no request ${at}`)
  try {
    new Webhook(secret).verify(request.body.toString(), request.headers as Record<string, string>)
    return true
  } catch {
    return false
  }
}

describe('a secret that is replaced', () => {
  it('is verified beside the former one at once, over a restart, and alone when the overlap is over', async () => {
    const first = await rotate('c1', 3_600_000)
    await product.pipeline.application.settled()
    await deliver(1)
    await receiver.got(1)
    const second = await rotate('c2', 3_600_000)
    await product.pipeline.application.settled()
    await deliver(2)
    await receiver.got(2)
    expect([verifies(first, 0), verifies(second, 0)]).toEqual([true, false])
    expect([verifies(first, 1), verifies(second, 1)]).toEqual([true, true])

    await product.stop()
    product = await open()
    const third = await rotate('c3', 0)
    await product.pipeline.application.settled()
    await deliver(3)
    await receiver.got(3)
    // The one that was replaced without overlap signs no more, the one before that has its hour.
    expect([first, second, third].map((secret) => verifies(secret, 2))).toEqual([true, false, true])
  })
})

describe('an endpoint that is paused', () => {
  it('keeps what comes, over a restart, and gets it when it is resumed', async () => {
    const setPaused = (paused: boolean) => {
      const { partners: register } = product.pipeline
      const desk = createEndpointDesk({ register, partners: async () => new Map() })
      return desk.setPaused({ scope: everything, endpointId: 'e1', paused })
    }
    expect(await setPaused(true)).toMatchObject({ state: 'paused', stated_state: 'active' })
    await product.pipeline.application.settled()
    await deliver(1)
    await product.pipeline.application.settled()
    await product.stop()
    product = await open()
    await deliver(2)
    await product.pipeline.application.settled()
    const { accounts } = await readAccounts(product.pipeline.log, product.pipeline.topics)
    expect(accounts.get('e1')).toMatchObject({ routed: 2, waiting: 2, attempts: 0 })
    expect(receiver.requests).toHaveLength(0)
    expect(await setPaused(false)).toMatchObject({ state: 'active', stated_state: null })
    await receiver.got(2)
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
  })
})
