import { describe, expect, it } from 'vitest'
import { connectors, ownFile, shipped, worker, writes } from './testing/connect-worker.ts'

describe('planning connectors', () => {
  it('says what would be made and changes nothing', async () => {
    const fake = await worker()
    const { code, out, err } = await connectors(fake, ['plan', ...shipped])
    expect(code).toBe(100)
    expect(out).toMatch(/^mariadb-assignments {2}create\n {2}\+ connector\.class +io\.debezium/)
    expect(out).toMatch(/\$\{env:OMS_DB_PASSWORD\}/)
    expect(err).toContain('2 to create, 0 to change, 0 up to date')
    expect(writes(fake)).toEqual([])
  })

  it('says which settings would change, with secrets masked', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ownFile({})])
    Object.assign(fake.configs.get('orders') ?? {}, {
      'database.password': 'hunter2',
      'errors.log.enable': 'true',
    })
    const { code, out } = await connectors(fake, ['plan', ownFile({ 'poll.interval.ms': '20' })])
    expect(code).toBe(100)
    expect(out).toMatch(/~ database\.password +\*\*\* → \$\{env:OMS_DB_PASSWORD\}/)
    expect(out).toMatch(/~ poll\.interval\.ms +10 → 20/)
    expect(out).toMatch(/- errors\.log\.enable +true/)
    expect(out).not.toContain('hunter2')
  })

  it('is a JSON object per connector where that is asked for', async () => {
    const fake = await worker()
    await connectors(fake, ['apply', ownFile({})])
    const { out } = await connectors(fake, ['plan', '--json', ownFile({ 'poll.interval.ms': '20' })])
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
    const { code, out, err } = await connectors(fake, [
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
    await connectors(fake, ['apply', ownFile({}, 'theirs')])
    const { code, err } = await connectors(fake, ['plan', ownFile({}, 'ours')])
    expect(code).toBe(2)
    expect(err).toContain('left alone, because no file names them: theirs')
    expect(err).toContain('ours: database.server.id: "5401" is also that of theirs')
  })

  it('tells what the plugin itself says of a setting', async () => {
    const fake = await worker()
    fake.settingErrors.set('database.hostname', "Unable to connect: Access denied for user 'cdc'")
    const { code, err } = await connectors(fake, ['plan', ...shipped])
    expect(code).toBe(2)
    expect(err).toContain('mariadb-orders: database.hostname: Unable to connect: Access denied')
    expect(err).toContain('connectors/debezium/sql')
    const bare = await worker({ plugins: [] })
    expect((await connectors(bare, ['plan', ...shipped])).err).toMatch(
      /the worker has no plugin io\.debezium.*plugin\.path/,
    )
  })
})
