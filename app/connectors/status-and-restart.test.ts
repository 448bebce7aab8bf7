import { describe, expect, it } from 'vitest'
import { connectors, ownFile, shipped, worker } from './testing/connect-worker.ts'

describe('starting a connector from a snapshot', () => {
  it('stops it, forgets its position, and lets it read the tables anew', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ownFile({})])
    fake.requests.length = 0
    const { code, err } = await connectors(fake, ['restart', '--from-snapshot', 'orders'])
    expect(code).toBe(0)
    expect(err).toMatch(/snapshot\.mode is initial now.*restarting.*running/s)
    expect(fake.requests.filter((request) => !request.startsWith('GET'))).toEqual([
      'PUT /connectors/orders/stop',
      'DELETE /connectors/orders/offsets',
      'PUT /connectors/orders/config',
      'PUT /connectors/orders/resume',
    ])
    expect(fake.configs.get('orders')).toMatchObject({ 'snapshot.mode': 'initial' })
  })

  it('is only done to connectors that are named', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ownFile({})])
    const refused = await connectors(fake, ['restart', '--from-snapshot', '--all'])
    expect(refused).toMatchObject({
      code: 2,
      err: expect.stringContaining('name the connectors to read anew'),
    })
  })
})

describe('looking at connectors and restarting them', () => {
  it('shows what runs and why the rest does not', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ...shipped])
    const { code, out } = await connectors(fake, ['status'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /CONNECTOR +STATE +TASKS +PLUGIN +WORKER\nmariadb-assignments +running +RUNNING +MariaDbConnector/,
    )
    fake.failWith('mariadb-orders', 'java.lang.Exception: Access denied for user')
    fake.stop('mariadb-assignments')
    const ill = await connectors(fake, ['status'])
    expect(ill.code).toBe(100)
    expect(ill.err).toMatch(/mariadb-assignments {2}stopped: somebody/)
    expect(ill.err).toMatch(/mariadb-orders {7}failed: Exception: Access denied.*lacks a right/)
    const one = await connectors(fake, ['status', 'mariadb-orders', '--json'])
    expect(JSON.parse(one.out)).toMatchObject({
      name: 'mariadb-orders',
      health: { kind: 'failed' },
      tasks: [{ id: 0, state: 'FAILED' }],
    })
  })

  it('restarts those named, or what failed', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ...shipped])
    const restarted = await connectors(fake, ['restart', 'mariadb-orders'])
    expect(restarted).toMatchObject({ code: 0, err: 'mariadb-orders: restarting\nmariadb-orders: running\n' })
    expect(fake.requests).toContain(
      'POST /connectors/mariadb-orders/restart?includeTasks=true&onlyFailed=false',
    )
    expect((await connectors(fake, ['restart', '--failed'])).code).toBe(0)
    expect(fake.requests).toContain(
      'POST /connectors/mariadb-assignments/restart?includeTasks=true&onlyFailed=true',
    )
    expect(await connectors(fake, ['restart'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('say --all or --failed'),
    })
    expect(await connectors(fake, ['restart', 'nope'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('it has mariadb-assignments, mariadb-orders'),
    })
  })
})
