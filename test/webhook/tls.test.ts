/** The HTTP call over TLS: whom it trusts, and what it shows of itself. */
import { describe, expect, it } from 'vitest'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { systemClock } from '../../engine/index.ts'
import { closers, receiver, request, send, sender, signal } from './hostile-call.ts'
import type { HostileReceiver } from './hostile-receiver.ts'
import { clientCertificate } from './test-certificates.ts'

describe('TLS', () => {
  const resolve = async () => ['127.0.0.1']
  const secure = (hostile: HostileReceiver, host = 'receiver.test') => `https://${host}:${hostile.port}/hook`

  it('reaches a receiver by its name', async () => {
    const hostile = await receiver({ tls: true })
    expect(await send(secure(hostile), {}, { resolve })).toMatchObject({ class: 'acknowledged' })
    expect(hostile.requests[0]?.headers.host).toBe(`receiver.test:${hostile.port}`)
  })

  it('refuses a certificate of another name, and one of an authority that nobody knows', async () => {
    const hostile = await receiver({ tls: true })
    const other = await send(secure(hostile, 'other.test'), {}, { resolve })
    expect(other).toMatchObject({ class: 'tls', statusCode: null })
    const unknown = createHttpSender({ clock: systemClock, egress: loopbackEgress, resolve })
    closers.push(() => unknown.close())
    expect(await unknown.send(request(secure(hostile)), { signal })).toMatchObject({ class: 'tls' })
    expect(hostile.requests).toEqual([])
  })

  it('shows the endpoint’s certificate, and no other endpoint’s connection', async () => {
    const hostile = await receiver({ tls: true, wantsClientCertificate: true })
    const one = sender({ resolve })
    const url = secure(hostile)
    expect((await one.send(request(url), { signal })).class).not.toBe('acknowledged')
    expect(await one.send(request(url, { clientCertificate }), { signal })).toMatchObject({
      class: 'acknowledged',
    })
    expect((await one.send(request(url), { signal })).class).not.toBe('acknowledged')
    expect(await one.send(request(url, { clientCertificate }), { signal })).toMatchObject({
      class: 'acknowledged',
    })
    expect(hostile.requests.map(({ clientName }) => clientName)).toEqual(Array(2).fill('waybill test client'))
    // The second call with the certificate went over the first one's connection.
    expect(new Set(hostile.requests.map(({ remotePort }) => remotePort)).size).toBe(1)
  })

  it('with a certificate that is none is a failure of TLS, not of the process', async () => {
    const hostile = await receiver({ tls: true })
    const outcome = await send(
      secure(hostile),
      { clientCertificate: { certificate: 'none', privateKey: 'none' } },
      { resolve },
    )
    expect(outcome).toMatchObject({ class: 'tls', statusCode: null })
  })
})
