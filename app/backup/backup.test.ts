import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEmbeddedLog, partitionKey, seededRandom, systemClock } from '../../engine/index.ts'
import { capturedSurroundings } from '../cli/captured-surroundings.ts'
import { runCommand } from '../main.ts'
import { encodeFrame, firstLine } from './backup-format.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-backup-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const path = (...names: string[]) => join(folder, ...names)

async function waybill(...args: string[]) {
  const surroundings = capturedSurroundings({ cwd: folder })
  const code = await runCommand(args, surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

const topic = {
  name: 'things',
  partitions: 2,
  config: { cleanup: 'delete', retentionMs: -1, maxRecordBytes: 8 << 20, timestampType: 'create' },
} as const

/** A data directory with a log in it: small records, and some larger than a frame. */
async function fill(dataDirectory: string, { batches = 40, bytes = 3000 } = {}): Promise<void> {
  const random = seededRandom(7)
  const log = await openEmbeddedLog({
    directory: join(dataDirectory, 'log'),
    clock: systemClock,
    durability: 'process',
  })
  await log.admin.createTopics([topic])
  const writer = log.writer({ transactionalId: 'test' })
  for (let n = 0; n < batches; n++) {
    const value = Buffer.from(random.bytes(n % 20 === 0 ? 2_500_000 : bytes))
    const record = { key: Buffer.from(`k${n}`), value, headers: [], timestamp: n }
    await writer.append([{ topic: topic.name, partition: n % 2, records: [record] }])
  }
  await log.close()
}

/** All records of a data directory, as text. */
async function recordsOf(dataDirectory: string): Promise<string[]> {
  const log = await openEmbeddedLog({ directory: join(dataDirectory, 'log'), clock: systemClock })
  const found: string[] = []
  const fetcher = log.fetcher()
  for (const partition of [0, 1]) {
    const tp = { topic: topic.name, partition }
    const end = (await log.admin.endOffsets([tp], 'read_committed')).get(partitionKey(tp)) ?? 0
    for (let offset = 0; offset < end; ) {
      const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 22 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
      for (const { records, lastOffset } of fetched?.batches ?? []) {
        for (const { key, value, offset: at } of records)
          found.push(`${partition}@${at} ${key} ${Buffer.from(value ?? []).toString('base64')}`)
        offset = lastOffset + 1
      }
    }
  }
  await fetcher.close()
  await log.close()
  return found
}

describe('waybill backup and restore', () => {
  it('give back every record at its offset, and the small files, but no keys', async () => {
    await fill(path('data'))
    writeFileSync(path('data', 'demo.json'), '{"run":1}')
    writeFileSync(path('data', 'keys.json'), 'the secret of secrets')
    const { code, out, err } = await waybill('backup', 'b', '--data-dir', 'data', '--json')
    expect(err).toMatch(/the sealing keys are not in it/)
    expect(code).toBe(0)
    const report = JSON.parse(out)
    expect(report).toMatchObject({
      file: path('b'),
      entries: 41,
      files: 1,
      log_format: 1,
      changelog_format: 1,
    })
    expect(report.size).toBe(statSync(path('b')).size)
    expect(statSync(path('b')).mode & 0o777).toBe(0o600)
    expect(inside(readFileSync(path('b'))).includes('secret of secrets')).toBe(false)
    expect(readdirSync(folder).sort()).toEqual(['b', 'data'])

    const restored = await waybill('restore', 'b', '--data-dir', 'new')
    expect(restored).toMatchObject({ code: 0, out: expect.stringContaining('new is restored: 41 entries') })
    expect(restored.err).toContain(`put the key file where it belongs, ${path('new', 'keys.json')}`)
    expect(readdirSync(path('new')).sort()).toEqual(['demo.json', 'log', 'state'])
    expect(readFileSync(path('new', 'demo.json'), 'utf8')).toBe('{"run":1}')
    expect(await recordsOf(path('new'))).toEqual(await recordsOf(path('data')))
  })

  it('take an empty log', async () => {
    await fill(path('data'), { batches: 0 })
    expect((await waybill('backup', 'b', '--data-dir', 'data')).code).toBe(0)
    expect((await waybill('restore', 'b', '--data-dir', 'new')).code).toBe(0)
    expect(await recordsOf(path('new'))).toEqual([])
  })

  it('never write over a file, and make nothing of a directory without data', async () => {
    await fill(path('data'), { batches: 1 })
    writeFileSync(path('b'), 'precious')
    expect(await waybill('backup', 'b', '--data-dir', 'data')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/there is such a file already.*never written over/),
    })
    expect(readFileSync(path('b'), 'utf8')).toBe('precious')
    expect(await waybill('backup', 'c', '--data-dir', 'nowhere')).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no data of Waybill'),
    })
    expect(existsSync(path('nowhere'))).toBe(false)
    expect(await waybill('backup', 'no/such/folder/c', '--data-dir', 'data')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/cannot be written: ENOENT .*choose a place/),
    })
  })

  it('say who holds the directory, and that this one makes the backup itself', async () => {
    const log = await openEmbeddedLog({ directory: path('data', 'log'), clock: systemClock })
    expect(await waybill('backup', 'b', '--data-dir', 'data')).toMatchObject({
      code: 3,
      err: expect.stringMatching(
        /in use by this process.*makes the backup itself: add --url http:\/\/127.0.0.1:4929/,
      ),
    })
    await log.close()
  })

  it('restore into an empty directory only, in which the keys may be', async () => {
    await fill(path('data'), { batches: 3 })
    await waybill('backup', 'b', '--data-dir', 'data')
    mkdirSync(path('new'))
    writeFileSync(path('new', 'keys.json'), '{}')
    expect(await waybill('restore', 'b', '--data-dir', 'new')).toMatchObject({
      code: 0,
      err: expect.not.stringContaining('keys'),
    })
    const again = await waybill('restore', 'b', '--data-dir', 'new')
    expect(again).toMatchObject({
      code: 2,
      err: expect.stringMatching(/this one holds log, state .*nothing was changed/),
    })
    expect(readFileSync(path('new', 'keys.json'), 'utf8')).toBe('{}')
  })

  it('let nothing start on a directory in which a restore was broken off, nor restore into it', async () => {
    await fill(path('data'), { batches: 1 })
    await waybill('backup', 'b', '--data-dir', 'data')
    mkdirSync(path('new', 'restoring'), { recursive: true })
    for (const args of [
      ['restore', 'b'],
      ['start', '--no-api', '--duration', '1'],
    ])
      expect(await waybill(...args, '--data-dir', 'new')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/under way, or was broken off .*empty the directory/),
      })
    expect(readdirSync(path('new'))).toEqual(['restoring'])
  })

  it('check a file without writing anything', async () => {
    await fill(path('data'), { batches: 3 })
    await waybill('backup', 'b', '--data-dir', 'data')
    expect(await waybill('restore', 'b', '--check')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/b is whole: 4 entries/),
    })
    expect(readdirSync(folder).sort()).toEqual(['b', 'data'])
  })

  it('leave nothing behind when they are interrupted', async () => {
    await fill(path('data'))
    await waybill('backup', 'b', '--data-dir', 'data')
    for (const args of [
      ['backup', 'c', '--data-dir', 'data'],
      ['restore', 'b', '--data-dir', 'new'],
    ]) {
      const surroundings = capturedSurroundings({ cwd: folder })
      surroundings.end('SIGINT')
      expect(await runCommand(args, surroundings)).toBe(130)
    }
    expect(readdirSync(folder).sort()).toEqual(['b', 'data', 'new'])
    expect(readdirSync(path('new'))).toEqual([])
  })
})

/** What is in a backup, unzipped. */
const inside = (bytes: Buffer): Buffer => gunzipSync(bytes.subarray(firstLine.length))

/** A backup of these frames. */
const made = (...frames: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from(firstLine), gzipSync(Buffer.concat(frames))])
const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const header = {
  created_at: '2026-11-25T00:00:00.000Z',
  waybill_version: '9.1.0',
  log_format: 1,
  changelog_format: 1,
}
const nothing = { entries: 0, bytes: 0, files: 0 }

describe('a file that is not as it should be', () => {
  const restore = async (bytes: Buffer) => {
    writeFileSync(path('b'), bytes)
    const result = await waybill('restore', 'b', '--data-dir', 'new')
    // The directory may have been made; there is nothing in it.
    expect(existsSync(path('new')) ? readdirSync(path('new')) : []).toEqual([])
    expect((await waybill('restore', 'b', '--check')).code).toBe(result.code)
    await rm(path('new'), { recursive: true, force: true })
    return result
  }
  const whole = async () => {
    await fill(path('data'), { batches: 6, bytes: 200 })
    await waybill('backup', 'whole', '--data-dir', 'data')
    return readFileSync(path('whole'))
  }

  it('is refused wherever it was cut off', async () => {
    const bytes = await whole()
    for (const part of [0.1, 0.5, 0.9, 1 - 9 / bytes.length, 1 - 1 / bytes.length]) {
      const { code, err } = await restore(bytes.subarray(0, Math.round(bytes.length * part)))
      expect([part, code, err]).toEqual([
        part,
        2,
        expect.stringMatching(/ends before its end: it was cut off/),
      ])
    }
  })

  it('is refused whichever byte of it is wrong', async () => {
    const bytes = await whole()
    const random = seededRandom(11)
    for (let n = 0; n < 12; n++) {
      const at = firstLine.length + 10 + Math.floor(random.next() * (bytes.length - firstLine.length - 10))
      const wrong = Buffer.from(bytes)
      wrong[at] = (wrong[at] ?? 0) ^ (1 << (n % 8))
      const { code, err } = await restore(wrong)
      expect([at, code, err]).toEqual([at, 2, expect.stringMatching(/is damaged|cut off/)])
    }
  })

  it('is refused when a part is missing, misplaced or of an unknown kind, although its checksums are right', async () => {
    const head = encodeFrame('header', json(header))
    const tail = (counts: object) => encodeFrame('trailer', json(counts))
    for (const [bytes, message] of [
      [made(head), /ends before its end/],
      [made(head, tail({ ...nothing, entries: 1 })), /holds 0 entries, and says that there are 1/],
      [
        made(head, encodeFrame('entries', Buffer.from([1, 0, 0])), tail(nothing)),
        /kind "trailer" stands where none/,
      ],
      [made(tail(nothing)), /kind "trailer" stands where none/],
      [made(head, head, tail(nothing)), /kind "header" stands where none/],
      [made(head, tail(nothing), tail(nothing)), /kind "trailer" stands where none/],
    ] as const) {
      expect(await restore(bytes)).toMatchObject({ code: 2, err: expect.stringMatching(message) })
    }
  })

  it('is refused when a newer version made it, or it is something else', async () => {
    for (const [bytes, message] of [
      [
        Buffer.from('waybill-backup 2\n'),
        /of format 2, this program knows up to 1.*restore it with that version/,
      ],
      [
        made(encodeFrame('header', json({ ...header, log_format: 2 }))),
        /a log of format 2, .* by version 9.1.0/,
      ],
      [made(encodeFrame('header', json({ ...header, changelog_format: 3 }))), /changelogs of format 3/],
      [gzipSync('something else'), /no backup of Waybill/],
      [Buffer.alloc(0), /no backup of Waybill/],
      [Buffer.from('a long text without any line break in it, and no backup'), /no backup of Waybill/],
    ] as const) {
      expect(await restore(bytes)).toMatchObject({ code: 2, err: expect.stringMatching(message) })
    }
  })

  it('cannot choose where its files are written', async () => {
    const name = '../evil'
    const file = encodeFrame('file', Buffer.concat([Buffer.from([name.length]), Buffer.from(`${name}x`)]))
    writeFileSync(path('b'), made(encodeFrame('header', json(header)), file))
    expect(await waybill('restore', 'b', '--data-dir', 'new')).toMatchObject({
      code: 2,
      err: expect.stringContaining('a file that this program does not know, "../evil"'),
    })
    expect(existsSync(path('evil'))).toBe(false)
  })

  it('is told when it is not there', async () => {
    expect(await waybill('restore', 'nothing')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no such file'),
    })
  })
})
