import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { manualClock, seededRandom, systemClock } from '../../engine/index.ts'
import { dispatchContract } from '../../ports/dispatch.contract.ts'
import { isAbout, messageOf } from './assignment-message.ts'
import { circuitBreaker } from './circuit-breaker.ts'
import {
  type DispatchServer,
  type DispatchServerOptions,
  type FindRider,
  startDispatchServer,
} from './dispatch-server.ts'
import { createGrpcDispatch, type GrpcDispatch, type GrpcDispatchOptions } from './grpc-dispatch.ts'
import { certificates } from './testing/certificates.ts'
import { findAmong, someRiders } from './testing/riders.ts'

dispatchContract({
  name: 'a dispatch system over gRPC',
  open: async () => {
    const server = await startDispatchServer({ find: findAmong(someRiders) })
    const dispatch = clientOf(server)
    const close = async () => {
      dispatch.close()
      await server.close()
    }
    return { dispatch, known: someRiders, cutOff: server.close, close }
  },
})

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** So long that only what never answers meets it; a busy machine must not. */
const patientMs = 20_000

function clientOf(
  server: Pick<DispatchServer, 'address'>,
  options: Partial<GrpcDispatchOptions> = {},
): GrpcDispatch {
  const dispatch = createGrpcDispatch({
    address: server.address,
    clock: systemClock,
    random: seededRandom(1),
    deadlineMs: patientMs,
    ...options,
  })
  cleanups.push(dispatch.close)
  return dispatch
}

async function serverOf(options: Partial<DispatchServerOptions> = {}): Promise<DispatchServer> {
  const server = await startDispatchServer({ find: findAmong(someRiders), ...options })
  cleanups.push(server.close)
  return server
}

const signal = new AbortController().signal
const ask = (dispatch: GrpcDispatch) => dispatch.lookup('1101', 1, { signal })
const kindOf = async (dispatch: GrpcDispatch) => (await ask(dispatch)).kind

/** Fails with a code so often, then answers. Counts what it was asked. */
function failing(code: number, times: number): { find: FindRider; asked: () => number } {
  let asked = 0
  return {
    asked: () => asked,
    find: (orderId, attemptNo) => {
      asked++
      if (asked <= times) throw Object.assign(new Error('busy with OTP 004213'), { code })
      return findAmong(someRiders)(orderId, attemptNo)
    },
  }
}

describe('a question over gRPC', () => {
  it('is repeated once when dispatch is unavailable', async () => {
    const once = failing(status.UNAVAILABLE, 1)
    expect(await kindOf(clientOf(await serverOf(once)))).toBe('found')
    expect(once.asked()).toBe(2)
    const always = failing(status.UNAVAILABLE, 99)
    expect(await kindOf(clientOf(await serverOf(always)))).toBe('unavailable')
    expect(always.asked()).toBe(2)
  })

  it('is repeated for no other reason', async () => {
    for (const code of [
      status.INTERNAL,
      status.RESOURCE_EXHAUSTED,
      status.PERMISSION_DENIED,
      status.ABORTED,
    ]) {
      const once = failing(code, 1)
      expect(await kindOf(clientOf(await serverOf(once)))).toBe('unavailable')
      expect(once.asked()).toBe(1)
    }
  })

  it('has one deadline, which the server is told too', async () => {
    const silent: FindRider = () => new Promise(() => undefined)
    const dispatch = clientOf(await serverOf({ find: silent }), { deadlineMs: 50 })
    expect(await ask(dispatch)).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('DEADLINE_EXCEEDED'),
    })
  })

  it('ends when it is withdrawn', async () => {
    const withdrawn = new AbortController()
    const find: FindRider = () => {
      withdrawn.abort()
      return new Promise(() => undefined)
    }
    const dispatch = clientOf(await serverOf({ find }))
    const answer = await dispatch.lookup('1101', 1, { signal: withdrawn.signal })
    expect(answer).toMatchObject({ kind: 'unavailable' })
    expect(dispatch.state()).toBe('closed')
  })

  it('does not take an answer that says it is about another order or attempt', () => {
    const [first] = someRiders
    if (!first) throw new Error('no riders')
    const said = messageOf(first.rider, { orderId: '1101', attemptNo: 1 })
    expect(isAbout(said, { orderId: '1101', attemptNo: 1 })).toBe(true)
    expect(isAbout(said, { orderId: '1101', attemptNo: null })).toBe(true)
    expect(isAbout(said, { orderId: '1101', attemptNo: 2 })).toBe(false)
    expect(isAbout(said, { orderId: '1102', attemptNo: 1 })).toBe(false)
  })

  it('that the server cannot look up is told without the reason, which may hold anything', async () => {
    const find: FindRider = () => {
      throw new Error('no connection as user dispatch with password hunter2')
    }
    const answer = await ask(clientOf(await serverOf({ find })))
    expect(answer).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('INTERNAL') })
    expect(JSON.stringify(answer)).not.toContain('hunter2')
  })

  it('shows its token, and says where to mend it when it is refused', async () => {
    const server = await serverOf({ token: 'right' })
    expect(await kindOf(clientOf(server, { token: 'right' }))).toBe('found')
    const refused = await ask(clientOf(server, { token: 'wrong' }))
    expect(refused).toMatchObject({ message: expect.stringMatching(/UNAUTHENTICATED.*check dispatch\.t/) })
  })
})

describe('the breaker before dispatch', () => {
  async function broken(code: number) {
    const { find, asked } = failing(code, 3)
    const clock = manualClock(0)
    const breaker = circuitBreaker({ clock, failuresMax: 3, openMs: 1_000 })
    return { asked, clock, dispatch: clientOf(await serverOf({ find }), { breaker }) }
  }

  it('leaves a failing dispatch alone, tries it after a while, and asks again when it answers', async () => {
    const { dispatch, clock, asked } = await broken(status.INTERNAL)
    for (let question = 0; question < 10; question++) expect(await kindOf(dispatch)).toBe('unavailable')
    expect(asked()).toBe(3)
    expect(await ask(dispatch)).toMatchObject({ message: expect.stringContaining('left alone') })
    clock.advance(1_000)
    expect(await kindOf(dispatch)).toBe('found')
    expect(dispatch.state()).toBe('closed')
  })

  it('is not moved by questions that are wrong or that nobody is assigned to', async () => {
    for (const code of [status.INVALID_ARGUMENT, status.NOT_FOUND, status.FAILED_PRECONDITION]) {
      const { dispatch } = await broken(code)
      for (let question = 0; question < 3; question++) await ask(dispatch)
      expect(await kindOf(dispatch)).toBe('found')
    }
  })

  it('gets a new connection where the old one died without a word', async () => {
    const server = await serverOf()
    const wire = await startWire(server.port)
    cleanups.push(wire.close)
    const clock = manualClock(0)
    const breaker = circuitBreaker({ clock, failuresMax: 1, openMs: 1_000 })
    const dispatch = clientOf(wire, { breaker, deadlineMs: 500 })
    // Whether the first question meets its deadline is the machine's business; the connection it made is ours.
    await ask(dispatch)
    wire.freeze()
    clock.advance(60_000)
    expect(await kindOf(dispatch)).toBe('unavailable')
    expect(dispatch.state()).toBe('open')
    clock.advance(60_000)
    expect(await kindOf(clientOf(wire, { deadlineMs: patientMs }))).toBe('found')
    expect(await kindOf(dispatch)).toBe('found')
    expect(wire.connections()).toBeGreaterThan(1)
  })
})

describe('dispatch over TLS', () => {
  it('is asked by who knows its authority, and lets in whom its own authority signed', async () => {
    const { ca, server: own, client, stranger } = certificates
    const server = await serverOf({ tls: { ...own, ca } })
    expect(await kindOf(clientOf(server, { tls: { ca, ...client, serverName: 'dispatch.test' } }))).toBe(
      'found',
    )
    const refused = async (options: Partial<GrpcDispatchOptions>) =>
      (await ask(clientOf(server, options))).kind
    const soon = { deadlineMs: 2_000 }
    expect(await refused({ ...soon, tls: { ca, serverName: 'dispatch.test' } })).toBe('unavailable')
    expect(await refused({ ...soon, tls: { ca, ...stranger, serverName: 'dispatch.test' } })).toBe(
      'unavailable',
    )
    expect(await refused({ ...soon, tls: { ca, ...client, serverName: 'other.test' } })).toBe('unavailable')
    expect(await refused({ ...soon, tls: { ...client } })).toBe('unavailable')
    expect(await refused(soon)).toBe('unavailable')
  })
})

/** A wire to a port whose present connections can be frozen; later ones work. */
async function startWire(port: number) {
  const pairs: [Socket, Socket][] = []
  const wire: TcpServer = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port })
    pairs.push([socket, onward])
    for (const end of [socket, onward]) end.on('error', () => undefined)
    socket.pipe(onward).pipe(socket)
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(wire.address() as AddressInfo).port}`,
    connections: () => pairs.length,
    freeze() {
      for (const [socket, onward] of pairs) {
        socket.unpipe(onward)
        onward.unpipe(socket)
        socket.pause()
        onward.pause()
      }
    },
    close: () =>
      new Promise<void>((resolve) => {
        wire.close(() => resolve())
        for (const pair of pairs) for (const end of pair) end.destroy()
      }),
  }
}
