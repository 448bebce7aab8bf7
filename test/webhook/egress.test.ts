/** Where calls may go, seen from outside: names that flip, addresses that are refused, and the way through a proxy. */
import { afterEach, describe, expect, it } from 'vitest'
import { loopbackEgress, strictEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender, type HttpSenderOptions } from '../../connectors/webhook/http-sender.ts'
import { systemClock } from '../../engine/index.ts'
import { outcomeClasses, type SendOutcome } from '../../ports/sender.ts'
import { type ConnectProxyOptions, startConnectProxy } from './connect-proxy.ts'
import { type HostileOptions, startHostileReceiver } from './hostile-receiver.ts'
import { testAuthority } from './test-certificates.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function receiver(options: HostileOptions = {}) {
  const started = await startHostileReceiver(options)
  closers.push(() => started.close())
  return started
}

async function proxy(options: ConnectProxyOptions = {}) {
  const started = await startConnectProxy(options)
  closers.push(() => started.close())
  return started
}

function sender(options: Partial<HttpSenderOptions>): (url: string) => Promise<SendOutcome> {
  const made = createHttpSender({
    clock: systemClock,
    egress: loopbackEgress,
    trusted: testAuthority,
    ...options,
  })
  closers.push(() => made.close())
  return (url) =>
    made.send(
      {
        deliveryId: 'd1',
        endpointId: 'e1',
        partnerId: 'p1',
        url,
        headers: {},
        body: Buffer.from('{}'),
        timeoutMs: 10_000,
        secrets: [],
      },
      { signal: new AbortController().signal },
    )
}

/** A call ends a moment before its connection is free again. */
const putBack = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** This one machine of the loopback network; its other addresses stand for the private network. */
const onlyOne = { allowHttp: true, allowedNetworks: ['127.0.0.1/32'] }

describe('a name', () => {
  it('that stands for a forbidden address among good ones is not called at all', async () => {
    const hostile = await receiver()
    const send = sender({ egress: onlyOne, resolve: async () => ['127.0.0.1', '10.0.0.7'] })
    const outcome = await send(`http://partner.test:${hostile.port}/`)
    expect(outcome).toMatchObject({ class: 'blocked_address', statusCode: null })
    expect(outcome.detail).toContain('10.0.0.7 is not public (private)')
    expect(hostile.connections()).toBe(0)
    expect(outcomeClasses[outcome.class].retries).toBe(false)
  })

  it('that flips to a forbidden address is refused at the next connection, and not looked up in between', async () => {
    const inside = await receiver({ host: '127.0.0.2' })
    const outside = await receiver({ port: inside.port, behave: () => ({ kind: 'lie', says: 2, sends: 2 }) })
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']]
    let lookups = 0
    const send = sender({ egress: onlyOne, resolve: async () => answers[lookups++] ?? [] })
    const url = `http://partner.test:${inside.port}/`
    // Each answer closes its connection, so that each call needs a new one.
    expect((await send(url)).class).toBe('acknowledged')
    await outside.closed(1)
    expect((await send(url)).class).toBe('blocked_address')
    expect((await send(url)).class).toBe('acknowledged')
    expect(lookups).toBe(3)
    expect(inside.connections()).toBe(0)
    expect(outside.requests).toHaveLength(2)
  })

  it('that flips while its connection is kept goes where it was vetted to go', async () => {
    const hostile = await receiver()
    const answers = [['127.0.0.1'], ['127.0.0.2']]
    let lookups = 0
    const send = sender({ egress: onlyOne, resolve: async () => answers[lookups++] ?? [] })
    const url = `http://partner.test:${hostile.port}/`
    for (let call = 0; call < 3; call++) {
      expect((await send(url)).class).toBe('acknowledged')
      await putBack()
    }
    expect(lookups).toBe(1)
    expect(hostile.connections()).toBe(1)
  })

  it('with several good addresses is tried at each of them', async () => {
    const hostile = await receiver({ host: '127.0.0.2' })
    const send = sender({ resolve: async () => ['127.0.0.1', '127.0.0.2'] })
    expect((await send(`http://partner.test:${hostile.port}/`)).class).toBe('acknowledged')
  })

  it('without addresses is unknown', async () => {
    expect((await sender({ resolve: async () => [] })('http://partner.test/')).class).toBe('dns')
  })
})

describe('a URL', () => {
  it.each([
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.1/',
    'http://partner.example/',
  ])('like %s is refused before anything is opened', async (url) => {
    let lookups = 0
    const send = sender({
      egress: strictEgress,
      resolve: async () => {
        lookups++
        return ['127.0.0.1']
      },
    })
    expect((await send(url)).class).toBe('blocked_address')
    expect(lookups).toBe(0)
  })

  it('with localhost is refused, whoever is asked for it', async () => {
    expect((await sender({ egress: strictEgress })('https://localhost/')).class).toBe('blocked_address')
  })
})

describe('through a proxy', () => {
  const resolve = async () => ['127.0.0.1']

  it('the proxy is told the address that was vetted, and TLS is with the receiver', async () => {
    const hostile = await receiver({ tls: true })
    const between = await proxy()
    const send = sender({
      egress: { ...onlyOne, proxy: { url: between.url, resolvesNames: false } },
      resolve,
    })
    expect(await send(`https://receiver.test:${hostile.port}/hook`)).toMatchObject({ class: 'acknowledged' })
    expect(between.targets).toEqual([`127.0.0.1:${hostile.port}`])
    expect(hostile.requests[0]?.headers.host).toBe(`receiver.test:${hostile.port}`)
  })

  it('plain http goes by CONNECT too, and connections are kept', async () => {
    const hostile = await receiver()
    const between = await proxy()
    const send = sender({
      egress: { ...onlyOne, proxy: { url: between.url, resolvesNames: false } },
      resolve,
    })
    for (let call = 0; call < 2; call++) {
      expect((await send(`http://partner.test:${hostile.port}/`)).class).toBe('acknowledged')
      await putBack()
    }
    expect(between.targets).toHaveLength(1)
  })

  it('a forbidden address does not even reach the proxy', async () => {
    const between = await proxy()
    const send = sender({
      egress: { ...onlyOne, proxy: { url: between.url, resolvesNames: false } },
      resolve: async () => ['10.0.0.7'],
    })
    expect((await send('http://partner.test/')).class).toBe('blocked_address')
    expect(between.targets).toEqual([])
  })

  it('a proxy that resolves names is told the name; addresses are judged here all the same', async () => {
    const hostile = await receiver()
    const between = await proxy({ reach: () => ({ host: '127.0.0.1', port: hostile.port }) })
    let lookups = 0
    const send = sender({
      egress: { ...onlyOne, proxy: { url: between.url, resolvesNames: true } },
      resolve: async () => {
        lookups++
        return []
      },
    })
    expect((await send('http://partner.test/')).class).toBe('acknowledged')
    expect((await send('http://10.0.0.7/')).class).toBe('blocked_address')
    expect(between.targets).toEqual(['partner.test:80'])
    expect(lookups).toBe(0)
  })

  it('shows the credentials in its URL', async () => {
    const hostile = await receiver()
    const between = await proxy()
    const url = between.url.replace('//', '//me:p%40ss@')
    const send = sender({ egress: { ...onlyOne, proxy: { url, resolvesNames: false } }, resolve })
    expect((await send(`http://partner.test:${hostile.port}/`)).class).toBe('acknowledged')
    expect(between.credentials).toEqual(['me:p@ss'])
  })

  it.each([
    ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 'proxy'],
    ['HTTP/1.1 500 Oops\r\n\r\n', 'proxy'],
    ['SSH-2.0-OpenSSH\r\n\r\n', 'proxy'],
    ['', 'proxy'],
    ['HTTP/1.1 403 Forbidden\r\n\r\n', 'blocked_address'],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'unreachable'],
    ['HTTP/1.1 503 Service Unavailable\r\n\r\n', 'unreachable'],
  ] as const)('an answer of %j is %s', async (answer, expected) => {
    const between = await proxy({ answer: () => answer })
    const send = sender({
      egress: { ...onlyOne, proxy: { url: between.url, resolvesNames: false } },
      resolve,
    })
    expect((await send('http://partner.test/')).class).toBe(expected)
  })

  it('a proxy that is not there is our fault, and uses none of the partner’s retries', async () => {
    const gone = await startConnectProxy()
    await gone.close()
    const send = sender({ egress: { ...onlyOne, proxy: { url: gone.url, resolvesNames: false } }, resolve })
    const outcome = await send('http://partner.test/')
    expect(outcome.class).toBe('proxy')
    expect(outcomeClasses[outcome.class]).toMatchObject({ fault: 'ours', spendsRetry: false, retries: true })
  })
})
