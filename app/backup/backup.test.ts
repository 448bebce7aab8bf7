import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openEmbeddedLog, systemClock } from '../../engine/index.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'
import { firstLine } from './backup-format.ts'
import { fill, folder, path, recordsOf, waybill } from './testing/data-directory.ts'

/** What is in a backup, unzipped. */
const inside = (bytes: Buffer): Buffer => gunzipSync(bytes.subarray(firstLine.length))

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
