import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { crc32, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../engine/index.ts'
import { encodeFrame, firstLine } from './backup-format.ts'
import { fill, path, waybill } from './testing/data-directory.ts'

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

  it('is refused when a part is missing, misplaced, unreadable or of an unknown kind, although its checksums are right', async () => {
    const head = encodeFrame('header', json(header))
    const tail = (counts: object) => encodeFrame('trailer', json(counts))
    const strange = encodeFrame('file', json(nothing))
    strange[8] = 9
    strange.writeUInt32LE(crc32(strange.subarray(8)), 4)
    for (const [bytes, message] of [
      [made(head), /ends before its end/],
      [made(head, tail({ ...nothing, entries: 1 })), /holds 0 entries, and says that there are 1/],
      [
        made(head, encodeFrame('entries', Buffer.from([1, 0, 0])), tail(nothing)),
        /kind "trailer" stands where none/,
      ],
      [made(tail(nothing)), /kind "trailer" stands where none/],
      [made(head, strange, tail(nothing)), /a frame is of the unknown kind 9/],
      [made(head, head, tail(nothing)), /kind "header" stands where none/],
      [made(head, tail(nothing), tail(nothing)), /kind "trailer" stands where none/],
      [made(head, encodeFrame('trailer', Buffer.from('null'))), /holds 0 entries, and says/],
      [made(encodeFrame('header', Buffer.from('null')), tail(nothing)), /its header does not say/],
      [made(encodeFrame('header', json({ ...header, log_format: '1' }))), /its header does not say/],
      [made(encodeFrame('header', Buffer.from('{"log_format":'))), /a part of it is no JSON/],
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
