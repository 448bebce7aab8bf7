import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { type DeliveryLog, everything } from '../../ports/delivery-log.ts'
import { attempted, batch, history, idOf, verdict } from '../../ports/testing/log-records.ts'
import { createPostgresDeliveryLog } from './delivery-log.ts'
import { type EmbeddedDatabase, openEmbeddedDatabase } from './embedded-database.ts'
import { openDeliveryLog } from './open-delivery-log.ts'
import { createScratch, prepareTemplate, templateTimeoutMs } from './testing/scratch.ts'

const scratch = createScratch()
beforeAll(prepareTemplate, templateTimeoutMs)
afterAll(scratch.remove)

const records = batch({ verdicts: [verdict()], history: [history({ payload: '{}' }), attempted()] })

describe('the embedded database', () => {
  it('copies the template, finds its own data again, and is only read when the disk is full', async () => {
    const directory = scratch.directory()
    const first = await openEmbeddedDatabase({ directory })
    expect(first.origin).toBe('template')
    const log = await createPostgresDeliveryLog({ database: first })
    await log.write(records)
    const before = await log.counts(everything)
    await first.close()
    await expect(first.query({ text: 'select 1' })).rejects.toMatchObject({ reason: 'closed' })
    const again = await openEmbeddedDatabase({ directory })
    expect(again.origin).toBe('existing')
    const same = await createPostgresDeliveryLog({ database: again })
    expect(await same.counts(everything)).toEqual(before)
    await expect(openDeliveryLog({ place: { directory } })).rejects.toMatchObject({ reason: 'held' })
    await again.close()

    // No disk has so much room: nothing is written, everything can be read.
    const full = await openEmbeddedDatabase({ directory, freeBytesMin: Number.MAX_SAFE_INTEGER })
    const readable = await createPostgresDeliveryLog({ database: full })
    expect(await readable.counts(everything)).toEqual(before)
    expect(await readable.listEvents(everything, {}, { limit: 1 })).toMatchObject({ events: [{}] })
    await expect(readable.write(records)).rejects.toMatchObject({
      reason: 'unavailable',
      message: expect.stringContaining('make room, and it goes on'),
    })
    await full.close()
  })
})

describe('an embedded database at work', () => {
  const clock = manualClock(0)
  let database: EmbeddedDatabase
  beforeAll(async () => {
    database = await openEmbeddedDatabase({ directory: scratch.directory(), clock })
  })
  afterAll(() => database.close())

  it('fails what is under way when its thread dies, and starts it again for the next', async () => {
    const log = await createPostgresDeliveryLog({ database, schema: 'under_way' })
    await log.write(records)
    const before = await log.counts(everything)
    const underWay = database.query({ text: 'select pg_sleep(20)' })
    const refused = expect(underWay).rejects.toMatchObject({ reason: 'unavailable' })
    await database.crash()
    await refused
    expect(await log.counts(everything)).toEqual(before)
    expect(clock.nextTimer()).toBeUndefined()
  })

  it('ends a thread that does not answer, and starts another', async () => {
    const endless = database.query({ text: 'select pg_sleep(600)' })
    const refused = expect(endless).rejects.toMatchObject({ reason: 'unavailable' })
    await expect.poll(() => clock.nextTimer()).toBeDefined()
    clock.advance(5 * 60_000)
    await refused
    expect(await database.query({ text: 'select 1 as one' })).toEqual([{ one: 1 }])
  })

  it('holds all of a batch or nothing, wherever its thread dies', async () => {
    const log = await createPostgresDeliveryLog({ database, schema: 'torn' })
    const written: string[] = []
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 3; n++) {
        const name = `event-${round}-${n}`
        await log.write(manyOf(name))
        written.push(name)
      }
      const torn = log.write(manyOf(`torn-${round}`)).then(
        () => true,
        () => false,
      )
      await new Promise((resolve) => setImmediate(resolve))
      await database.crash()
      await expectWhole(log, `torn-${round}`, await torn)
    }
    for (const name of written) await expectWhole(log, name, true)
  })

  it('gives bigint as a number, and leaves a failed statement without consequences', async () => {
    expect(await database.query({ text: 'select 8640000000000000::bigint as late' })).toEqual([
      { late: 8_640_000_000_000_000 },
    ])
    await expect(database.query({ text: 'select * from nothing_here' })).rejects.toMatchObject({
      code: '42P01',
    })
    await expect(
      database.transaction([{ text: 'create table t (n integer)' }, { text: "insert into t values ('x')" }]),
    ).rejects.toThrow()
    expect(await database.query({ text: "select to_regclass('t') as t" })).toEqual([{ t: null }])
  })
})

/** An event for many endpoints, in one batch. */
function manyOf(name: string) {
  const endpoints = Array.from({ length: 200 }, (_, n) => `ep-${n}`)
  return batch({ history: endpoints.map((endpoint_id) => attempted({ of: name, endpoint_id })) })
}

async function expectWhole(log: DeliveryLog, name: string, acknowledged: boolean): Promise<void> {
  const found = await log.getEvent(everything, idOf(name))
  const rows = found?.deliveries.length ?? 0
  expect(acknowledged ? [200] : [0, 200], name).toContain(rows)
}
