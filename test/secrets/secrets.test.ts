/**
 * One-time passwords, phones and customers' names are in clear in the captured changes and in the requests that are
 * made for them, and nowhere in between: not in any topic, store, file, report or counter.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTopic } from '../../app/pipeline/read-topic.ts'
import { levelDisks, type Topic } from '../../engine/index.ts'
import { type KnownSecret, madeUp } from './known-secrets.ts'
import { scanDirectory, scanner, scanTopics } from './scan.ts'
import { answered, asText, runWorld, type World } from './world.ts'

describe('secrets', () => {
  let world: World
  beforeAll(async () => {
    world = await runWorld()
  }, 60_000)
  afterAll(async () => {
    await world.stop()
    await rm(world.directory, { recursive: true, force: true })
  })

  it('are many, and reach the receiver: else the scan would prove nothing', () => {
    const count = (kind: KnownSecret['kind']) => world.secrets.filter((secret) => secret.kind === kind).length
    expect(count('otp')).toBeGreaterThan(100)
    expect(count('phone')).toBeGreaterThan(100)
    expect(count('name')).toBeGreaterThan(5)
    expect(world.bodies.length).toBeGreaterThan(200)
    expect(world.bodies.filter((body) => /"otp":"\d{4,}"/.test(body)).length).toBeGreaterThan(50)
    expect(world.bodies.join('\n')).toContain(answered.otp)
  })

  it('stand in no record of any topic, changelogs, keys and headers included', async () => {
    const { look, findings, bytes } = scanner(world.secrets)
    const names = await scanTopics(world.log, look)
    expect(names.filter((name) => name.endsWith('-changelog')).length).toBeGreaterThan(3)
    expect(bytes()).toBeGreaterThan(1_000_000)
    expect(findings).toEqual([])
  })

  it('stand in no record as it reads once decoded', async () => {
    const { look, findings, bytes } = scanner(world.secrets)
    // The captured ones are text as they are.
    const { cdcOrders: _orders, cdcAssignments: _assignments, ...ours } = world.pipeline.topics
    for (const topic of Object.values(ours) as Topic<unknown, unknown>[]) {
      for (const record of await readTopic(world.log, topic)) {
        look(`decoded value in ${topic.name}`, asText(record.value))
      }
    }
    expect(bytes()).toBeGreaterThan(1_000_000)
    expect(findings).toEqual([])
  })

  it('stand in no report and no counter, although receivers echo what they get', () => {
    const { look, findings } = scanner(world.secrets)
    for (const report of world.reports) look('report', report)
    for (const [name, count] of world.pipeline.application.counters.snapshot())
      look('counter', `${name} ${count}`)
    expect(findings).toEqual([])
  })

  it('stand in no byte of the data directory, files and databases alike; a planted one is found there', async () => {
    const { look, findings, bytes } = scanner(world.secrets)
    const planted = madeUp('otp', '55443322')
    const disk = await levelDisks().open(join(world.directory, 'planted'))
    // So much that LevelDB compresses it.
    await disk.write([{ type: 'put', key: 'k', value: Buffer.from(`${'x'.repeat(50_000)}"otp":"55443322"`) }])
    await disk.close()
    await world.stop()
    await writeFile(join(world.directory, 'planted.txt'), 'otp=55443322')
    const second = scanner([planted])
    const databases = await scanDirectory(world.directory, (where, content) => {
      look(where, content)
      second.look(where, content)
    })
    expect(databases).toBe(3)
    expect(bytes()).toBeGreaterThan(1_000_000)
    expect(findings).toEqual([])
    expect(new Set(second.findings.map(({ where }) => where))).toEqual(
      new Set(['file planted.txt', 'value in a database', 'file 000003.log']),
    )
  })
})
