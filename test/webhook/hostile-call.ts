/** One HTTP call to a hostile receiver: both are closed after the test. */
import { afterEach } from 'vitest'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import {
  createHttpSender,
  type HttpSender,
  type HttpSenderOptions,
} from '../../connectors/webhook/http-sender.ts'
import { systemClock } from '../../engine/index.ts'
import type { SendRequest } from '../../ports/sender.ts'
import { type HostileOptions, type HostileReceiver, startHostileReceiver } from './hostile-receiver.ts'
import { testAuthority } from './test-certificates.ts'

/** What is closed after the test, the latest first. */
export const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export async function receiver(options: HostileOptions): Promise<HostileReceiver> {
  const started = await startHostileReceiver(options)
  closers.push(() => started.close())
  return started
}

export function sender(options: Partial<HttpSenderOptions> = {}): HttpSender {
  const made = createHttpSender({
    clock: systemClock,
    egress: loopbackEgress,
    trusted: testAuthority,
    ...options,
  })
  closers.push(() => made.close())
  return made
}

export const request = (url: string, changes: Partial<SendRequest> = {}): SendRequest => ({
  deliveryId: 'd1',
  endpointId: 'e1',
  partnerId: 'p1',
  url,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{"event":"delivered"}'),
  timeoutMs: 10_000,
  secrets: [],
  ...changes,
})

/** Nobody calls off. */
export const signal: AbortSignal = new AbortController().signal

export const send = (to: string, changes?: Partial<SendRequest>, options?: Partial<HttpSenderOptions>) =>
  sender(options).send(request(to, changes), { signal })
