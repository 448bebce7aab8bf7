/** One HTTP call to a hostile receiver: both are closed after the test. */

import type { HttpSender, HttpSenderOptions } from '../../connectors/webhook/http-sender.ts'
import {
  closers,
  request as loopbackRequest,
  sender as loopbackSender,
} from '../../connectors/webhook/testing/loopback.ts'
import type { SendRequest } from '../../ports/sender.ts'
import { type HostileOptions, type HostileReceiver, startHostileReceiver } from './hostile-receiver.ts'
import { testAuthority } from './test-certificates.ts'

export { closers }

export const request = (url: string, changes: Partial<SendRequest> = {}): SendRequest =>
  loopbackRequest(url, { timeoutMs: 10_000, ...changes })

export async function receiver(options: HostileOptions): Promise<HostileReceiver> {
  const started = await startHostileReceiver(options)
  closers.push(() => started.close())
  return started
}

export const sender = (options: Partial<HttpSenderOptions> = {}): HttpSender =>
  loopbackSender({ trusted: testAuthority, ...options })

/** Nobody calls off. */
export const signal: AbortSignal = new AbortController().signal

export const send = (to: string, changes?: Partial<SendRequest>, options?: Partial<HttpSenderOptions>) =>
  sender(options).send(request(to, changes), { signal })
