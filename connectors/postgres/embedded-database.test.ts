import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type DeliveryLog, everything } from '../../ports/delivery-log.ts'
import { attempted, batch, history, idOf, verdict } from '../../ports/testing/log-records.ts'
import { createPostgresDeliveryLog } from './delivery-log.ts'
import { type EmbeddedDatabase, openEmbeddedDatabase } from './embedded-database.ts'
import { openDeliveryLog } from './open-delivery-log.ts'
import { createScratch, prepareTemplate } from './testing/scratch.ts'

const scratch = createScratch()
const opened: EmbeddedDatabase[] = []

async function open(directory: string): Promise<EmbeddedDatabase> {
  const database = await openEmbeddedDatabase({ directory })
  opened.push(database)
  return database
}

beforeAll(prepareTemplate)
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})
afterAll(scratch.remove)

const records = batch({ verdicts: [verdict()], history: [history({ payload: '{}' }), attempted()] })

describe('the embedded database', () => {
  it('copies the template at the first start and finds its own data at the next', async () => {
    const directory = scratch.directory()
    const first = await open(directory)
    expect(first.origin).toBe('template')
    const log = await createPostgresDeliveryLog({ database: first })
    await log.write(records)
    const before = await log.counts(everything)
    await first.close()
    await expect(first.query({ text: 'select 1' })).rejects.toMatchObject({ reason: 'closed' })
    const again = await open(directory)
    expect(again.origin).toBe('existing')
    const same = await createPostgresDeliveryLog({ database: again })
    expect(await same.counts(everything)).toEqual(before)
  })

  it('refuses a directory that is open already, and names who holds it', async () => {
    const directory = scratch.directory()
    await open(directory)
    await expect(openEmbeddedDatabase({ directory })).rejects.toMatchObject({
      name: 'DeliveryLogError',
      reason: 'held',
      message: expect.stringContaining(`the database in ${directory} is in use by this process`),
    })
  })

  it('refuses a directory that another process has open', async () => {
    const directory = scratch.directory()
    await (await open(directory)).close()
    // What the other process does at first: it takes the lock and says who it is.
    const script = `
      const { ClassicLevel } = require('classic-level')
      const lock = new ClassicLevel(${JSON.stringify(join(directory, 'lock'))})
      lock.open().then(() => {
        require('fs').writeFileSync(${JSON.stringify(join(directory, 'holder'))}, process.pid + '\\n')
        console.log('held')
      })
      setInterval(() => {}, 1000)`
    const running = promisify(execFile)(process.execPath, ['-e', script])
    const { child } = running
    const ended = running.catch(() => undefined)
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    try {
      await expect(openEmbeddedDatabase({ directory })).rejects.toMatchObject({
        reason: 'held',
        message: expect.stringContaining(`process ${child.pid}`),
      })
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    // The lock died with its holder.
    await open(directory)
  })

  it('takes no half-copied template for a database', async () => {
    const directory = scratch.directory()
    mkdirSync(join(directory, 'data.new', 'base'), { recursive: true })
    mkdirSync(join(directory, 'data', 'base'), { recursive: true })
    const database = await open(directory)
    expect(database.origin).toBe('template')
    expect(existsSync(join(directory, 'data.new'))).toBe(false)
    await expect(database.query({ text: 'select 1 as one' })).resolves.toEqual([{ one: 1 }])
  })

  it('refuses data of another PostgreSQL, and lets the directory go', async () => {
    const directory = scratch.directory()
    mkdirSync(join(directory, 'data'))
    writeFileSync(join(directory, 'data', 'PG_VERSION'), '19\n')
    for (let n = 0; n < 2; n++) {
      await expect(openEmbeddedDatabase({ directory })).rejects.toMatchObject({
        reason: 'unusable',
        message: expect.stringContaining('written by PostgreSQL 19'),
      })
    }
    expect(readFileSync(join(directory, 'data', 'PG_VERSION'), 'utf8')).toBe('19\n')
  })

  it.skipIf(process.getuid?.() === 0)('says that a directory is not writable', async () => {
    const directory = scratch.directory()
    chmodSync(directory, 0o500)
    await expect(openEmbeddedDatabase({ directory: join(directory, 'log') })).rejects.toMatchObject({
      reason: 'unusable',
      message: expect.stringContaining('make the directory writable'),
    })
  })

  it('says that a file stands where the directory should be', async () => {
    const file = join(scratch.directory(), 'log')
    writeFileSync(file, '')
    await expect(openDeliveryLog({ place: { directory: file } })).rejects.toMatchObject({
      reason: 'unusable',
      message: expect.stringContaining(file),
    })
  })
})

describe('an embedded database at work', () => {
  let database: EmbeddedDatabase
  beforeAll(async () => {
    database = await openEmbeddedDatabase({ directory: scratch.directory() })
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
