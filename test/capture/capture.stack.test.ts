/** The connectors that ship, on a real Kafka Connect and real databases, with the rights that the SQL files give. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { shippedConnectorPaths } from '../../connectors/debezium/connector-files.ts'
import { capturedTopics } from '../../topology/topics.ts'
import { purgeBinlog } from '../stack/binlog.ts'
import { type OwnService, ownService, serviceBeside } from '../stack/services.ts'
import { readUntil } from './topic-reader.ts'

let worker: OwnService<'connect'>
let folder = ''

beforeAll(async () => {
  worker = await ownService('connect')
  folder = mkdtempSync(join(tmpdir(), 'waybill-capture-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await worker.release()
})

async function connectors(...args: string[]) {
  const surroundings = capturedSurroundings({ cwd: folder, env: { WAYBILL_CONNECT_URL: worker.url } })
  const code = await runCommand(['connectors', ...args], surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

/** The files that ship for a database, changed and put aside under their names. */
function filesOf(
  database: 'mariadb' | 'postgresql',
  change: (config: Record<string, string>) => Record<string, string>,
): string[] {
  return shippedConnectorPaths(database).map((path) => {
    const name = path.replace(/^.*\//, '')
    const config = change(JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>)
    writeFileSync(join(folder, name), JSON.stringify(config))
    return name
  })
}

const sqlFile = (name: string): string =>
  readFileSync(new URL(`../../connectors/debezium/sql/${name}.sql`, import.meta.url), 'utf8')

const orderColumns = 'id, order_number, partner_id, status, address'
const opsOf = (records: readonly { value: { op: string } | null }[]) => records.map(({ value }) => value?.op)

describe('capturing from MariaDB', () => {
  let database: OwnService<'mariadb'>
  let root: mysql.Connection
  let orders: mysql.Connection
  let files: string[]

  beforeAll(async () => {
    database = await serviceBeside(worker, 'mariadb')
    root = await connectTo('root', '')
    orders = await connectTo(database.writer.user, database.writer.password)
    await orders.query(
      "INSERT INTO dispatch.assignments (id, order_id, attempt_no, rider_name, otp) VALUES (1, 1001, 1, 'Asha', '004213')",
    )
    await orders.query(
      `INSERT INTO oms.orders (${orderColumns}) VALUES (1001, 'H-1001', 'acme', 'CONFIRMED', 'x')`,
    )
    files = filesOf('mariadb', (config) => config)
  })
  afterAll(async () => {
    await root.end()
    await orders.end()
  })

  const connectTo = (user: string, password: string) =>
    mysql.createConnection({ host: database.host, port: database.port, user, password })

  it('the check that ships finds everything in order, as the capturing account', async () => {
    const capturer = await connectTo('cdc', 'cdc')
    const [rows] = await capturer.query(sqlFile('check-mariadb'))
    await capturer.end()
    const verdicts = (rows as { setting: string; verdict: string }[]).map(({ setting, verdict }) => [
      setting,
      verdict,
    ])
    expect(verdicts).toHaveLength(8)
    expect(verdicts.filter(([, verdict]) => verdict !== 'ok')).toEqual([])
  })

  it('is planned, applied once, and nothing is left to do', async () => {
    expect((await connectors('plan', ...files)).code).toBe(100)
    expect(await connectors('apply', ...files)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/running\n$/),
    })
    expect(await connectors('plan', ...files)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^0 to create, 0 to change, 2/),
    })
    expect((await connectors('status')).code).toBe(0)
  })

  it('reads riders that are there, and of orders only what changes; an address is left where it is', async () => {
    await orders.query(
      `INSERT INTO oms.orders (${orderColumns}) VALUES (1002, 'H-1002', 'acme', 'NEW', 'Secret Street 1')`,
    )
    await orders.query("UPDATE oms.orders SET status = 'CONFIRMED' WHERE id = 1002")
    const riders = await readUntil(
      worker.brokers,
      capturedTopics.assignments,
      (records) => records.length > 0,
    )
    expect(riders[0]).toMatchObject({ key: { id: 1 }, value: { op: 'r', after: { otp: '004213' } } })
    const changes = await readUntil(worker.brokers, capturedTopics.orders, (records) => records.length > 1)
    expect(opsOf(changes)).toEqual(['c', 'u'])
    expect(changes[1]?.value).toMatchObject({
      before: { id: 1002, status: 'NEW' },
      after: { id: 1002, status: 'CONFIRMED' },
      source: { connector: 'mariadb', gtid: expect.stringMatching(/^\d+-\d+-\d+$/) },
    })
    expect(JSON.stringify(changes)).not.toContain('Secret Street')
  })

  it('shows a changed setting before it is applied, and restarts', async () => {
    const changed = filesOf('mariadb', (config) => ({ ...config, 'poll.interval.ms': '20' }))
    const plan = await connectors('plan', ...changed)
    expect(plan).toMatchObject({ code: 100, out: expect.stringMatching(/~ poll\.interval\.ms +10 → 20/) })
    expect((await connectors('apply', ...changed)).code).toBe(0)
    expect((await connectors('restart', '--all')).code).toBe(0)
  })

  it('refuses a password that the database refuses, before anything is changed', async () => {
    await root.query("ALTER USER 'cdc'@'%' IDENTIFIED BY 'another'")
    const changed = filesOf('mariadb', (config) => ({ ...config, 'poll.interval.ms': '30' }))
    const { code, err } = await connectors('apply', ...changed)
    await root.query("ALTER USER 'cdc'@'%' IDENTIFIED BY 'cdc'")
    expect(code).toBe(2)
    expect(err).toMatch(/database\.\w+: .*(Access denied|Unable to connect).*connectors\/debezium\/sql/i)
    expect(
      (await connectors('plan', ...filesOf('mariadb', (config) => ({ ...config, 'poll.interval.ms': '20' }))))
        .code,
    ).toBe(0)
  })

  it('says that the log behind its position is gone, and goes on from a snapshot that sends nothing by itself', async () => {
    const names = ['mariadb-assignments', 'mariadb-orders']
    for (const name of names) await tell(`/connectors/${name}/stop`)
    for (const name of names) await untilStatus(name, /stopped/)
    await orders.query("UPDATE oms.orders SET status = 'PACKED' WHERE id = 1002")
    await purgeBinlog(root)
    for (const name of names) await tell(`/connectors/${name}/resume`)
    await untilStatus('mariadb-orders', /When the log is gone/)

    expect(await connectors('restart', '--from-snapshot', ...names)).toMatchObject({ code: 0 })
    const changes = await readUntil(worker.brokers, capturedTopics.orders, (records) =>
      records.some(({ value }) => value?.op === 'r' && value.after?.id === 1002),
    )
    expect(
      changes.find(({ value }) => value?.op === 'r' && value.after?.id === 1002)?.value?.after,
    ).toMatchObject({ status: 'PACKED' })
  })

  const tell = (path: string) => fetch(`${worker.url}${path}`, { method: 'PUT' })

  async function untilStatus(name: string, words: RegExp): Promise<void> {
    while (!words.test((await connectors('status', name)).err)) await new Promise(setImmediate)
  }
})

describe('capturing from PostgreSQL', () => {
  let root: pg.Client

  beforeAll(async () => {
    const { omsUrl } = await serviceBeside(worker, 'postgres')
    root = new pg.Client({ connectionString: omsUrl })
    await root.connect()
    await root.query(
      "INSERT INTO dispatch.assignments (id, order_id, attempt_no, otp) VALUES (7001, 7001, 1, '777777')",
    )
  })
  afterAll(() => root.end())

  it('the check that ships finds everything in order, as the capturing account', async () => {
    const capturer = new pg.Client({
      host: root.host,
      port: root.port,
      user: 'cdc',
      password: 'cdc',
      database: 'oms',
    })
    await capturer.connect()
    const { rows } = await capturer.query<{ setting: string; verdict: string }>(sqlFile('check-postgresql'))
    await capturer.end()
    expect(rows).toHaveLength(9)
    expect(rows.filter(({ verdict }) => verdict.startsWith('MEND'))).toEqual([])
  })

  it('reads riders that are there, and whole rows of what changes', async () => {
    const files = filesOf('postgresql', (config) =>
      // One server holds both here.
      Object.fromEntries(Object.entries(config).map(([k, v]) => [k, v.replace('DISPATCH_PG_', 'OMS_PG_')])),
    )
    expect(await connectors('apply', ...files)).toMatchObject({ code: 0 })
    await root.query(
      `INSERT INTO oms.orders (${orderColumns}) VALUES (7001, 'P-7001', 'acme', 'NEW', 'Secret Street 2')`,
    )
    await root.query("UPDATE oms.orders SET status = 'CONFIRMED' WHERE id = 7001")
    await root.query('DELETE FROM dispatch.assignments WHERE id = 7001')
    const ofPostgres = (value: { source: Readonly<Record<string, unknown>> } | null) =>
      value?.source.connector === 'postgresql'
    const changes = await readUntil(
      worker.brokers,
      capturedTopics.orders,
      (records) => records.filter(({ value }) => ofPostgres(value)).length > 1,
    )
    const mine = changes.filter(({ value }) => ofPostgres(value))
    expect(opsOf(mine)).toEqual(['c', 'u'])
    expect(mine[1]?.value?.before).toMatchObject({ status: 'NEW' })
    expect(JSON.stringify(mine)).not.toContain('Secret Street')
    const riders = await readUntil(
      worker.brokers,
      capturedTopics.assignments,
      (records) => records.filter(({ value }) => ofPostgres(value)).length > 1,
    )
    const removed = riders.filter(({ value }) => ofPostgres(value)).at(-1)
    expect(removed?.value).toMatchObject({ op: 'd', before: { order_id: 7001, otp: '777777' } })
  })
})
