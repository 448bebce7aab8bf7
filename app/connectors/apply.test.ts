import { describe, expect, it } from 'vitest'
import { connectors, ownFile, shipped, worker, writes } from './testing/connect-worker.ts'

describe('applying connectors', () => {
  it('makes them, waits until they run, and does nothing the second time', async () => {
    const fake = await worker()
    const first = await connectors(fake, ['apply', ...shipped])
    expect(first.code).toBe(0)
    expect(first.err).toMatch(
      /mariadb-assignments: created\nmariadb-orders: created\n.*running\n.*running\n$/s,
    )
    expect(writes(fake)).toEqual([
      'PUT /connectors/mariadb-assignments/config',
      'PUT /connectors/mariadb-orders/config',
    ])
    const second = await connectors(fake, ['apply', ...shipped])
    expect(second.code).toBe(0)
    expect(writes(fake)).toHaveLength(2)
    expect((await connectors(fake, ['plan', ...shipped])).code).toBe(0)
  })

  it('changes none when one of them is refused', async () => {
    const fake = await worker()
    const { code } = await connectors(fake, [
      'apply',
      ownFile({}, 'good'),
      ownFile(
        {
          'include.query': 'true',
          'topic.prefix': 'b',
          'database.server.id': '9',
          'schema.history.internal.kafka.topic': 'b',
        },
        'bad',
      ),
    ])
    expect(code).toBe(2)
    expect(writes(fake)).toEqual([])
  })

  it('waits for a rebalance to end', async () => {
    const fake = await worker()
    fake.rebalance(5)
    expect((await connectors(fake, ['apply', ...shipped])).code).toBe(0)
    fake.rebalance(1_000_000)
    const { code, err } = await connectors(fake, ['apply', ...shipped])
    expect(code).toBe(3)
    expect(err).toMatch(/409 Cannot complete request.*rebalancing for long/)
  })

  it('says why a connector does not run, and what mends it', async () => {
    const fake = await worker()
    const gone = `org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
Caused by: io.debezium.DebeziumException: The connector is trying to read change stream starting at … but this is no longer available on the server.`
    fake.failWith('mariadb-orders', gone)
    const { code, err } = await connectors(fake, ['apply', ...shipped])
    expect(code).toBe(100)
    expect(err).toMatch(
      /mariadb-orders {7}failed: DebeziumException: The connector is trying.*When the log is gone/,
    )
    expect(err).toContain('mariadb-assignments: running')
  })
})

describe('mending a connector', () => {
  it('does not take the failure of before for one of the mended one', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ownFile({})])
    fake.failUntilChanged('orders', 'java.lang.Exception: Access denied')
    expect((await connectors(fake, ['status'])).code).toBe(100)
    const mended = await connectors(fake, ['apply', ownFile({ 'poll.interval.ms': '20' })])
    expect(mended).toMatchObject({ code: 0, err: 'orders: changed\norders: running\n' })
  })

  it('tells a failure that stays, and does not wait for one that it did nothing about', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ownFile({})])
    fake.failWith('orders', 'java.lang.Exception: Access denied')
    const looks = () => fake.requests.filter((request) => request.endsWith('/status')).length
    const before = looks()
    expect((await connectors(fake, ['apply', ownFile({})])).code).toBe(100)
    expect(looks()).toBe(before + 1)
    expect((await connectors(fake, ['restart', 'orders'])).code).toBe(100)
    expect(looks()).toBeGreaterThan(before + 10)
  })
})
