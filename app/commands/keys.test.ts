import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openEmbeddedLog, seededRandom, systemClock } from '../../engine/index.ts'
import { makeSealer, parseKeyFile } from '../../schemas/index.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'

const parent = mkdtempSync(join(tmpdir(), 'waybill-keys-'))
afterAll(() => rmSync(parent, { recursive: true, force: true }))

const topicConfig = {
  cleanup: 'delete',
  retentionMs: -1,
  timestampType: 'create',
  maxRecordBytes: 1_000_000,
} as const

let made = 0
/** A folder of its own with a key file, and a log with one record that the key sealed, as text and as bytes. */
async function scene() {
  const folder = join(parent, String(made++))
  mkdirSync(folder)
  const waybill = async (...args: string[]) => {
    const surroundings = { ...capturedSurroundings({ cwd: folder }), random: seededRandom(made) }
    const code = await runCommand(args, surroundings)
    return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
  }
  const keyFile = join(folder, '.waybill/keys.json')
  expect((await waybill('keys', 'new', keyFile)).code).toBe(0)
  const keys = () => parseKeyFile(readFileSync(keyFile, 'utf8'), keyFile)
  const sealer = () => makeSealer({ ...keys(), random: seededRandom(made) })
  const append = async (topic: string, ...values: Uint8Array[]) => {
    const log = await openEmbeddedLog({ directory: join(folder, '.waybill/log'), clock: systemClock })
    await log.admin.createTopics([{ name: topic, partitions: 2, config: topicConfig }])
    const writer = log.writer({ transactionalId: 'test' })
    await writer.append([
      {
        topic,
        partition: 1,
        records: values.map((value) => ({ key: null, value, headers: [], timestamp: 0 })),
      },
    ])
    await writer.close()
    await log.close()
  }
  return { waybill, keyFile, keys, sealer, append }
}

describe('waybill keys', () => {
  it('rotates, tells what the former key still holds, and retires it only when that is nothing', async () => {
    const { waybill, keyFile, keys, sealer, append } = await scene()
    const former = keys().active
    await append(
      'settings',
      Buffer.from(`{"otp":"${sealer().seal('8821')}"}`),
      Buffer.from('nothing in here'),
    )
    await append('bodies', Buffer.concat([Buffer.from([1, 2]), sealer().sealBytes(Buffer.from('body'))]))

    const rotated = await waybill('keys', 'rotate')
    expect(rotated.code).toBe(0)
    expect(keys().active).not.toBe(former)
    expect(statSync(keyFile).mode & 0o777).toBe(0o600)
    await append('bodies', sealer().sealBytes(Buffer.from('body')))

    const listed = await waybill('keys', 'list', '--json')
    expect(JSON.parse(listed.out).keys).toMatchObject([
      {
        id: former,
        state: 'former',
        records: 2,
        topics: [
          { topic: 'bodies', records: 1 },
          { topic: 'settings', records: 1 },
        ],
      },
      { id: keys().active, state: 'current', records: 1 },
    ])
    expect((await waybill('keys', 'list')).out).toContain(`${former}  former`)

    const kept = await waybill('keys', 'retire', former)
    expect(kept).toMatchObject({ code: 2, err: expect.stringContaining('1 in bodies, 1 in settings') })
    expect(keys().keys).toHaveLength(2)
    expect(await waybill('keys', 'retire', keys().active)).toMatchObject({
      code: 2,
      err: expect.stringContaining('is the key that seals'),
    })
    expect((await waybill('keys', 'retire', 'other')).err).toContain('there is no key "other"')
  })

  it('retires a key that sealed nothing that is left', async () => {
    const { waybill, keys, append } = await scene()
    await append('settings', Buffer.from('in clear'))
    const former = keys().active
    await waybill('keys', 'rotate')
    expect(await waybill('keys', 'retire', former)).toMatchObject({ code: 0 })
    expect(keys().keys.map(({ id }) => id)).toEqual([keys().active])
  })

  it('stages a key that seals nothing until the next rotation takes it', async () => {
    const { waybill, keys } = await scene()
    const before = keys().active
    expect((await waybill('keys', 'rotate', '--stage')).err).toContain('it seals nothing yet')
    expect(keys().active).toBe(before)
    expect((await waybill('keys', 'rotate')).err).toContain('took the staged key')
    expect(keys().keys).toHaveLength(2)
    expect(keys().active).not.toBe(before)
  })

  it('says where there is no key file, and shows no key', async () => {
    const { waybill, keys } = await scene()
    const missing = await waybill('keys', 'rotate', '--key-file', 'none.json')
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('there is no key file') })
    const { err } = await waybill('keys', 'rotate')
    for (const { key } of keys().keys) expect(err).not.toContain(Buffer.from(key).toString('base64'))
  })
})
