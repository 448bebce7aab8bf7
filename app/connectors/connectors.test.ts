import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shippedConnectorPaths } from '../../connectors/debezium/connector-files.ts'
import {
  type FakeConnect,
  type FakeConnectOptions,
  startFakeConnect,
} from '../../connectors/debezium/testing/fake-connect.ts'
import type { Clock } from '../../engine/index.ts'
import { capturedTopics } from '../../topology/topics.ts'
import { capturedSurroundings } from '../cli/captured-surroundings.ts'
import { runCommand } from '../main.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-connectors-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
})

/** Waits pass at once. */
function eagerClock(): Clock {
  let now = 0
  return {
    now: () => now,
    at(atMs, callback) {
      let wanted = true
      setImmediate(() => {
        if (!wanted) return
        now = Math.max(now, atMs)
        callback()
      })
      return () => {
        wanted = false
      }
    },
  }
}

async function worker(options?: FakeConnectOptions): Promise<FakeConnect> {
  const fake = await startFakeConnect(options)
  cleanups.push(fake.close)
  return fake
}

async function run(
  fake: Pick<FakeConnect, 'url'>,
  args: readonly string[],
  env: Record<string, string> = {},
) {
  const surroundings = capturedSurroundings({
    cwd: folder,
    clock: eagerClock(),
    env: { WAYBILL_CONNECT_URL: fake.url, ...env },
  })
  const code = await runCommand(['connectors', ...args], surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

/** A connector file of one's own: the shipped one for orders, changed. */
function ownFile(changes: Record<string, string>, name = 'orders'): string {
  const [, path = ''] = shippedConnectorPaths('mariadb')
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...config, ...changes }))
  return `${name}.json`
}

const shipped = ['--database', 'mariadb'] as const
const writes = ({ requests }: FakeConnect) =>
  requests.filter((request) => /config$/.test(request) && !/validate/.test(request))

describe('planning connectors', () => {
  it('says what would be made and changes nothing', async () => {
    const fake = await worker()
    const { code, out, err } = await run(fake, ['plan', ...shipped])
    expect(code).toBe(100)
    expect(out).toMatch(/^mariadb-assignments {2}create\n {2}\+ connector\.class +io\.debezium/)
    expect(out).toMatch(/\$\{env:OMS_DB_PASSWORD\}/)
    expect(err).toContain('2 to create, 0 to change, 0 up to date')
    expect(writes(fake)).toEqual([])
  })

  it('says which settings would change, with secrets masked', async () => {
    const fake = await worker()
    await run(fake, ['apply', ownFile({})])
    Object.assign(fake.configs.get('orders') ?? {}, {
      'database.password': 'hunter2',
      'errors.log.enable': 'true',
    })
    const { code, out } = await run(fake, ['plan', ownFile({ 'poll.interval.ms': '20' })])
    expect(code).toBe(100)
    expect(out).toMatch(/~ database\.password +\*\*\* → \$\{env:OMS_DB_PASSWORD\}/)
    expect(out).toMatch(/~ poll\.interval\.ms +10 → 20/)
    expect(out).toMatch(/- errors\.log\.enable +true/)
    expect(out).not.toContain('hunter2')
  })

  it('is a JSON object per connector where that is asked for', async () => {
    const fake = await worker()
    await run(fake, ['apply', ownFile({})])
    const { out } = await run(fake, ['plan', '--json', ownFile({ 'poll.interval.ms': '20' })])
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      {
        name: 'orders',
        action: 'change',
        changes: [{ setting: 'poll.interval.ms', from: '10', to: '20' }],
        findings: [expect.objectContaining({ severity: 'advice', setting: 'database.ssl.mode' })],
      },
    ])
  })

  it('refuses what would lose or leak changes, with the mend, and never shows the secret', async () => {
    const fake = await worker()
    const { code, out, err } = await run(fake, [
      'plan',
      ownFile({ 'database.password': 'hunter2', 'errors.tolerance': 'all' }),
    ])
    expect(code).toBe(2)
    expect(err).toMatch(/orders: database\.password: holds a secret in clear.*\$\{env:NAME\}/)
    expect(err).toMatch(/orders: errors\.tolerance: all drops/)
    expect(out + err).not.toContain('hunter2')
  })

  it('names capturing connectors that no file names, and what a new one must not share with them', async () => {
    const fake = await worker()
    await run(fake, ['apply', ownFile({}, 'theirs')])
    const { code, err } = await run(fake, ['plan', ownFile({}, 'ours')])
    expect(code).toBe(2)
    expect(err).toContain('left alone, because no file names them: theirs')
    expect(err).toContain('ours: database.server.id: "5401" is also that of theirs')
  })

  it('tells what the plugin itself says of a setting', async () => {
    const fake = await worker()
    fake.settingErrors.set('database.hostname', "Unable to connect: Access denied for user 'cdc'")
    const { code, err } = await run(fake, ['plan', ...shipped])
    expect(code).toBe(2)
    expect(err).toContain('mariadb-orders: database.hostname: Unable to connect: Access denied')
    expect(err).toContain('connectors/debezium/sql')
    const bare = await worker({ plugins: [] })
    expect((await run(bare, ['plan', ...shipped])).err).toMatch(
      /the worker has no plugin io\.debezium.*plugin\.path/,
    )
  })
})

describe('applying connectors', () => {
  it('makes them, waits until they run, and does nothing the second time', async () => {
    const fake = await worker()
    const first = await run(fake, ['apply', ...shipped])
    expect(first.code).toBe(0)
    expect(first.err).toMatch(
      /mariadb-assignments: created\nmariadb-orders: created\n.*running\n.*running\n$/s,
    )
    expect(writes(fake)).toEqual([
      'PUT /connectors/mariadb-assignments/config',
      'PUT /connectors/mariadb-orders/config',
    ])
    const second = await run(fake, ['apply', ...shipped])
    expect(second.code).toBe(0)
    expect(writes(fake)).toHaveLength(2)
    expect((await run(fake, ['plan', ...shipped])).code).toBe(0)
  })

  it('changes none when one of them is refused', async () => {
    const fake = await worker()
    const { code } = await run(fake, [
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
    expect((await run(fake, ['apply', ...shipped])).code).toBe(0)
    fake.rebalance(1_000_000)
    const { code, err } = await run(fake, ['apply', ...shipped])
    expect(code).toBe(3)
    expect(err).toMatch(/409 Cannot complete request.*rebalancing for long/)
  })

  it('says why a connector does not run, and what mends it', async () => {
    const fake = await worker()
    const gone = `org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
Caused by: io.debezium.DebeziumException: The connector is trying to read change stream starting at … but this is no longer available on the server.`
    fake.failWith('mariadb-orders', gone)
    const { code, err } = await run(fake, ['apply', ...shipped])
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
    await run(fake, ['apply', ownFile({})])
    fake.failUntilChanged('orders', 'java.lang.Exception: Access denied')
    expect((await run(fake, ['status'])).code).toBe(100)
    const mended = await run(fake, ['apply', ownFile({ 'poll.interval.ms': '20' })])
    expect(mended).toMatchObject({ code: 0, err: 'orders: changed\norders: running\n' })
  })

  it('tells a failure that stays, and does not wait for one that it did nothing about', async () => {
    const fake = await worker()
    await run(fake, ['apply', ownFile({})])
    fake.failWith('orders', 'java.lang.Exception: Access denied')
    const looks = () => fake.requests.filter((request) => request.endsWith('/status')).length
    const before = looks()
    expect((await run(fake, ['apply', ownFile({})])).code).toBe(100)
    expect(looks()).toBe(before + 1)
    expect((await run(fake, ['restart', 'orders'])).code).toBe(100)
    expect(looks()).toBeGreaterThan(before + 10)
  })
})

describe('starting a connector from a snapshot', () => {
  it('stops it, forgets its position, and lets it read the tables anew', async () => {
    const fake = await worker()
    await run(fake, ['apply', ownFile({})])
    fake.requests.length = 0
    const { code, err } = await run(fake, ['restart', '--from-snapshot', 'orders'])
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
    await run(fake, ['apply', ownFile({})])
    const refused = await run(fake, ['restart', '--from-snapshot', '--all'])
    expect(refused).toMatchObject({
      code: 2,
      err: expect.stringContaining('name the connectors to read anew'),
    })
  })
})

describe('looking at connectors and restarting them', () => {
  it('shows what runs and why the rest does not', async () => {
    const fake = await worker()
    await run(fake, ['apply', ...shipped])
    const { code, out } = await run(fake, ['status'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /CONNECTOR +STATE +TASKS +PLUGIN +WORKER\nmariadb-assignments +running +RUNNING +MariaDbConnector/,
    )
    fake.failWith('mariadb-orders', 'java.lang.Exception: Access denied for user')
    fake.stop('mariadb-assignments')
    const ill = await run(fake, ['status'])
    expect(ill.code).toBe(100)
    expect(ill.err).toMatch(/mariadb-assignments {2}stopped: somebody/)
    expect(ill.err).toMatch(/mariadb-orders {7}failed: Exception: Access denied.*lacks a right/)
    const one = await run(fake, ['status', 'mariadb-orders', '--json'])
    expect(JSON.parse(one.out)).toMatchObject({
      name: 'mariadb-orders',
      health: { kind: 'failed' },
      tasks: [{ id: 0, state: 'FAILED' }],
    })
  })

  it('restarts those named, or what failed', async () => {
    const fake = await worker()
    await run(fake, ['apply', ...shipped])
    const restarted = await run(fake, ['restart', 'mariadb-orders'])
    expect(restarted).toMatchObject({ code: 0, err: 'mariadb-orders: restarting\nmariadb-orders: running\n' })
    expect(fake.requests).toContain(
      'POST /connectors/mariadb-orders/restart?includeTasks=true&onlyFailed=false',
    )
    expect((await run(fake, ['restart', '--failed'])).code).toBe(0)
    expect(fake.requests).toContain(
      'POST /connectors/mariadb-assignments/restart?includeTasks=true&onlyFailed=true',
    )
    expect(await run(fake, ['restart'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('say --all or --failed'),
    })
    expect(await run(fake, ['restart', 'nope'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('it has mariadb-assignments, mariadb-orders'),
    })
  })
})

describe('what can be wrong around connectors', () => {
  it('a worker that is away, of another kind, or that asks who is there', async () => {
    expect(await run({ url: 'http://127.0.0.1:1' }, ['status'])).toMatchObject({
      code: 3,
      err: expect.stringMatching(/nothing answers at http:\/\/127\.0\.0\.1:1 .*--connect/),
    })
    const fake = await worker({ authorization: `Basic ${Buffer.from('me:pw').toString('base64')}` })
    expect(await run(fake, ['status'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('WAYBILL_CONNECT_AUTH'),
    })
    expect((await run(fake, ['status'], { WAYBILL_CONNECT_AUTH: 'me:pw' })).code).toBe(0)
    fake.answerWith = { status: 200, body: '<html>' }
    expect(await run(fake, ['status'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no Kafka Connect'),
    })
    fake.answerWith = { status: 503, body: '' }
    expect((await run(fake, ['status'])).code).toBe(3)
  })

  it('flags and files, each with its mend and without repeating a password', async () => {
    const fake = await worker()
    expect(await run(fake, ['plan'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('neither files nor --database'),
    })
    expect((await run(fake, ['plan', 'none.json'])).err).toContain('cannot be read: ENOENT')
    writeFileSync(join(folder, 'broken.json'), '{"database.password": "hunter2",,}')
    writeFileSync(join(folder, 'nested.json'), '{"name": "x", "config": {}}')
    const { code, err } = await run(fake, ['plan', 'broken.json', 'nested.json'])
    expect(code).toBe(2)
    expect(err).toMatch(/it is no JSON \(.*broken\.json\)/)
    expect(err).toContain('without "config"')
    expect(err).not.toContain('hunter2')
    const flag = await run(fake, ['status', '--connect', 'http://me:hunter2@127.0.0.1:8083'])
    expect(flag).toMatchObject({ code: 2, err: expect.not.stringContaining('hunter2') })
    expect(fake.requests).toEqual([])
  })
})

it('the connectors that ship write to the topics that the pipeline reads', () => {
  for (const database of ['mariadb', 'mysql', 'postgresql'] as const) {
    const targets = shippedConnectorPaths(database).map((path) => {
      const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
      const table = `${config['topic.prefix']}.${config['table.include.list']}`
      const matcher = new RegExp(`^${config['transforms.name.regex']}$`)
      expect(table).toMatch(matcher)
      return table.replace(matcher, config['transforms.name.replacement'] ?? '')
    })
    expect(targets.sort()).toEqual(Object.values(capturedTopics).sort())
  }
})
