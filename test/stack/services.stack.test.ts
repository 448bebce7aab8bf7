/** The fixture itself: what every other stack test leans on. */
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { ownService, service } from './services.ts'

const port = (address: string | undefined) => Number(address?.split(':')[1])

/** Whether somebody takes a connection there. */
const listens = (at: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: at })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

it('gives everybody the same broker', async () => {
  const [one, other] = await Promise.all([service('kafka'), service('kafka')])
  expect(one.brokers).toEqual(other.brokers)
  expect(await listens(port(one.brokers[0]))).toBe(true)
})

it('gives an own one, that can be killed and started, to who asks for it', async () => {
  const shared = await service('kafka')
  const own = await ownService('kafka', { secured: true })
  const at = port(own.brokers[0])
  expect(own.brokers).not.toEqual(shared.brokers)
  expect(await listens(port(own.secured?.saslBrokers[0]))).toBe(true)
  expect(await listens(port(own.secured?.tlsBrokers[0]))).toBe(true)
  await own.kill()
  expect(await listens(at)).toBe(false)
  await own.start()
  expect(await listens(at)).toBe(true)
  await own.release()
  expect(await listens(at)).toBe(false)
})

it('starts what a service needs before it', async () => {
  const [worker, broker] = await Promise.all([service('connect'), service('kafka')])
  expect(worker.brokers).toEqual(broker.brokers)
  const plugins = (await (await fetch(`${worker.url}/connector-plugins`)).json()) as { class: string }[]
  expect(plugins.map((plugin) => plugin.class)).toContain('io.debezium.connector.mariadb.MariaDbConnector')
})

it('has a registry that refuses what is incompatible', async () => {
  const { url } = await service('registry')
  const level = (await (await fetch(`${url}/config`)).json()) as { compatibilityLevel: string }
  expect(level.compatibilityLevel).toBe('BACKWARD')
})
