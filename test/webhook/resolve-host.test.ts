import { afterEach, describe, expect, it } from 'vitest'
import { DialError } from '../../connectors/webhook/dial-error.ts'
import { type ResolveHost, systemResolver } from '../../connectors/webhook/resolve-host.ts'
import { manualClock, systemClock } from '../../engine/index.ts'
import { type NameServer, startNameServer } from './name-server.ts'

let server: NameServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const v4 = '198.51.100.7'
const v6 = '2001:db8:0:0:0:0:0:7'
const sorted = async (found: Promise<readonly string[]>) => [...(await found)].sort()

async function resolver(clock = systemClock): Promise<ResolveHost> {
  server = await startNameServer({
    'both.test': { A: [v4], AAAA: [v6] },
    'four.test': { A: [v4, '198.51.100.8'], AAAA: [] },
    'six.test': { A: [], AAAA: [v6] },
    'halfbroken.test': { A: [v4], AAAA: 'broken' },
    'halfsilent.test': { A: [v4], AAAA: 'silent' },
    'broken.test': { A: 'broken', AAAA: 'broken' },
  })
  return systemResolver(clock, [server.address])
}

const failure = async (found: Promise<unknown>): Promise<DialError> => {
  const error = await found.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof DialError) return error
  throw new Error(`no dial error: ${String(error)}`)
}

describe('looking a name up', () => {
  it('gives the addresses of both families', async () => {
    const resolve = await resolver()
    expect(await sorted(resolve('both.test'))).toEqual([v4, '2001:db8::7'])
    expect(await sorted(resolve('four.test'))).toEqual([v4, '198.51.100.8'])
    expect(await resolve('six.test')).toEqual(['2001:db8::7'])
    expect(server?.asked).toContain('AAAA four.test')
  })

  it('gives what one family has where the other’s question fails', async () => {
    expect(await (await resolver())('halfbroken.test')).toEqual([v4])
  })

  it('waits a moment for the other family and no longer', async () => {
    const clock = manualClock(0)
    const resolve = await resolver(clock)
    const found = resolve('halfsilent.test')
    while (clock.nextTimer() === undefined) await new Promise((resolved) => setImmediate(resolved))
    clock.advance(100)
    expect(await found).toEqual([v4])
  })

  it('fails as dns, naming the name and what the server said', async () => {
    const error = await failure((await resolver())('broken.test'))
    expect(error.outcome).toBe('dns')
    expect(error.message).toContain('broken.test could not be looked up: ESERVFAIL')
  })

  it('asks the system for a name that DNS does not know, and fails as dns when it does not either', async () => {
    const error = await failure((await resolver())('nobody.invalid'))
    expect(error.outcome).toBe('dns')
    expect(error.message).toContain('nobody.invalid is not known')
  })

  it('asks nobody for localhost', async () => {
    const resolve = await resolver()
    for (const name of ['localhost', 'LOCALHOST', 'app.localhost', 'localhost.'])
      expect(await resolve(name)).toEqual(['127.0.0.1', '::1'])
    expect(server?.asked).toEqual([])
  })
})
