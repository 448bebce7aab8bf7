import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../ports/delivery-log.ts'
import { attempted, batch, verdict } from '../../ports/testing/log-records.ts'
import { createPostgresDeliveryLog } from './delivery-log.ts'
import { migrate } from './migrate.ts'
import { type Migration, migrations } from './migrations.ts'
import { openDeliveryLog } from './open-delivery-log.ts'
import { openServerDatabase } from './server-database.ts'
import type { SqlDatabase } from './sql-database.ts'
import { findPostgres, type PostgresServer, startPostgres } from './testing/postgres-server.ts'

const found = findPostgres()

/** Waits until so many sleeps run on the server. */
async function started(database: SqlDatabase, count: number): Promise<void> {
  const text = "select from pg_stat_activity where state = 'active' and query = 'select pg_sleep(20)'"
  while ((await database.query({ text })).length < count)
    await new Promise((resolve) => setImmediate(resolve))
}

describe('a server that is not there', () => {
  it('is said to be unreachable, without its password', async () => {
    const opening = openDeliveryLog({ place: { url: 'postgres://me:secret@127.0.0.1:1/waybill' } })
    const error = await opening.catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'DeliveryLogError', reason: 'unavailable' })
    expect(String(error)).toContain('PostgreSQL at 127.0.0.1:1/waybill')
    expect(String(error)).not.toContain('secret')
  })

  it('is said to be malformed, without the URL', () => {
    expect(() => openServerDatabase({ url: 'host=secret' })).toThrow('write postgres://')
    expect(() => openServerDatabase({ url: 'host=secret' })).not.toThrow('secret')
  })
})

describe.skipIf('skip' in found)(
  `a PostgreSQL server${'skip' in found ? ` (skipped: ${found.skip})` : ''}`,
  () => {
    let server: PostgresServer
    let database: SqlDatabase
    beforeAll(async () => {
      if ('skip' in found) return
      server = await startPostgres(found.bin)
      database = openServerDatabase({ url: server.url })
    })
    afterAll(async () => {
      await database.close()
      await server.stop()
    })

    it('is migrated once, however many start at the same moment, and not again', async () => {
      const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database, 'at_once')))
      expect(applied.flat()).toEqual(migrations.map(({ number }) => number))
      expect(await migrate(database, 'at_once')).toEqual([])
    })

    it('is taken forward by the migrations that it lacks, and refused when it is newer', async () => {
      const next: Migration = {
        number: migrations.length + 1,
        name: 'one more',
        statements: (schema) => [`alter table ${schema}.events add column note text`],
      }
      await migrate(database, 'forward')
      expect(await migrate(database, 'forward', [...migrations, next])).toEqual([next.number])
      await expect(migrate(database, 'forward')).rejects.toMatchObject({
        reason: 'unusable',
        message: expect.stringContaining('made by a newer version'),
      })
    })

    it('keeps a failing migration from leaving anything behind', async () => {
      const broken: Migration = {
        number: migrations.length + 1,
        name: 'broken',
        statements: (schema) => [`create table ${schema}.half (n integer)`, 'this is no SQL'],
      }
      await expect(migrate(database, 'half_way', [...migrations, broken])).rejects.toThrow('syntax error')
      const rows = await database.query({ text: "select to_regclass('half_way.half') as half" })
      expect(rows).toEqual([{ half: null }])
      expect(await migrate(database, 'half_way')).toEqual([])
    })

    it('refuses a schema name that is none', async () => {
      await expect(migrate(database, 'a; drop table b')).rejects.toMatchObject({ reason: 'unusable' })
    })

    it('lets several instances write overlapping rows at once', async () => {
      const logs = await Promise.all(
        Array.from({ length: 4 }, () => createPostgresDeliveryLog({ database, schema: 'overlap' })),
      )
      const names = Array.from({ length: 60 }, (_, n) => `event-${n}`)
      const records = (order: readonly string[], endpoint: number) =>
        batch({
          verdicts: order.map((of) => verdict({ of, endpoint_id: `ep-${endpoint}` })),
          history: order.map((of) => attempted({ of, endpoint_id: `ep-${endpoint}` })),
        })
      for (let round = 0; round < 5; round++) {
        // Each in another order: without sorting, two of them wait for each other and one is sacrificed.
        const writes = logs.map((log, n) => {
          const order = n % 2 === 0 ? names : names.toReversed()
          return log.write(records(order, n))
        })
        await Promise.all(writes)
      }
      expect(await logs[0]?.counts(everything)).toMatchObject({ events: 60, attempts: 240, verdicts: 240 })
    })

    it('fails retriably while it is down, and goes on when it is back', async () => {
      const log = await createPostgresDeliveryLog({ database, schema: 'downtime' })
      await log.write(batch({ history: [attempted()] }))
      const underWay = database.query({ text: 'select pg_sleep(20)' })
      const refused = expect(underWay).rejects.toMatchObject({ reason: 'unavailable' })
      // Its connection is ours alone, and breaks where nobody but us would hear it: that ended the process once.
      const inTransaction = database.transaction([{ text: 'select pg_sleep(20)' }])
      const undone = expect(inTransaction).rejects.toMatchObject({ reason: 'unavailable' })
      await started(database, 2)
      await server.crash()
      await Promise.all([refused, undone])
      await expect(log.ping()).rejects.toMatchObject({ reason: 'unavailable' })
      await expect(log.write(batch({ history: [attempted({ of: 'event-2' })] }))).rejects.toMatchObject({
        reason: 'unavailable',
      })
      await server.start()
      await log.write(batch({ history: [attempted({ of: 'event-2' })] }))
      expect((await log.counts(everything)).events).toBe(2)
    })

    it('says what lasts: a database that does not exist', async () => {
      const url = server.url.replace('/postgres', '/no_such_database')
      await expect(openDeliveryLog({ place: { url } })).rejects.toMatchObject({
        reason: 'unusable',
        message: expect.stringContaining('create the database, or correct its name'),
      })
    })
  },
)
