import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type BadLine, CapturedFileError, readCapturedFiles } from './captured-file.ts'
import type { CapturedRecord } from './captured-record.ts'
import { readLines } from './line-reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-captured-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function fileOf(content: string | Buffer): string {
  const path = join(folder, `${files++}.jsonl`)
  writeFileSync(path, content)
  return path
}

const line = (over: Record<string, unknown> = {}) =>
  JSON.stringify({
    topic: 'cdc.oms.orders',
    partition: 1,
    offset: 4,
    timestamp: 10,
    key: 'k',
    value: 'v',
    ...over,
  })

async function read(paths: readonly string[], stdin?: Readable) {
  const badLines: BadLine[] = []
  const records: CapturedRecord[] = []
  const options = { onBadLine: (problem: BadLine) => badLines.push(problem), ...(stdin && { stdin }) }
  for await (const batch of readCapturedFiles(paths, options)) records.push(...batch)
  return { badLines, records }
}

describe('reading a captured file', () => {
  it('keeps keys, values, headers and nulls as they were', async () => {
    const value = '{"after":{"id":1},"ts_ns":1795322369720864187}'
    const { records } = await read([
      fileOf(
        [
          line({ value, headers: { runId: 'a', none: null, bin: { base64: 'AAH/' } } }),
          line({ key: null, value: null, headers: undefined }),
          line({ value: { base64: Buffer.from([0, 255, 10]).toString('base64') } }),
        ].join('\n'),
      ),
    ])
    expect(records[0]?.value).toBe(value)
    expect(records[0]?.headers).toEqual({ runId: 'a', none: null, bin: Buffer.from([0, 1, 255]) })
    expect(records[1]).toMatchObject({ key: null, value: null, headers: {} })
    expect(records[2]?.value).toEqual(Buffer.from([0, 255, 10]))
  })

  it('reads gzip, told by its bytes and not by its name', async () => {
    const { records } = await read([fileOf(gzipSync(`${line({ key: 'a' })}\n${line({ key: 'b' })}\n`))])
    expect(records.map((record) => record.key)).toEqual(['a', 'b'])
  })

  it('reads standard input as "-"', async () => {
    const { records } = await read(['-'], Readable.from([Buffer.from(line())]))
    expect(records).toHaveLength(1)
  })

  it('takes an empty file, blank lines, CRLF and a byte order mark', async () => {
    const { records, badLines } = await read([
      fileOf(''),
      fileOf(`\ufeff${line()}\r\n\r\n  \n${' '.repeat(12)}\n${line()}`),
    ])
    expect(records).toHaveLength(2)
    expect(badLines).toEqual([])
  })

  it('places a record without a partition by its key later', async () => {
    const { records } = await read([fileOf(line({ partition: undefined }))])
    expect(records[0]?.partition).toBeNull()
  })

  it('reports each bad line with its number and reason, quotes nothing of it, and goes on', async () => {
    const bad = [
      'OTP 4213',
      '[1]',
      line({ topic: 7 }),
      line({ timestamp: '10' }),
      line({ partition: -1 }),
      line({ key: 5 }),
      line({ value: { base64: '4213 ' } }),
      line({ headers: ['4213'] }),
      line({ headers: { a: 1 } }),
    ]
    const path = fileOf(`${[...bad, line({ key: 'good' })].join('\n')}\n`)
    const { records, badLines } = await read([path])
    expect(records.map((record) => record.key)).toEqual(['good'])
    expect(badLines.map((problem) => problem.line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(badLines[0]).toEqual({ file: path, line: 1, reason: 'not JSON' })
    expect(badLines.map((problem) => problem.reason).join()).not.toContain('4213')
  })

  it('reports bytes that are not UTF-8 instead of replacing them', async () => {
    const { records, badLines } = await read([
      fileOf(Buffer.from(line().replace('"v"', '"\u00e9"'), 'latin1')),
    ])
    expect(records).toEqual([])
    expect(badLines[0]?.reason).toBe('not UTF-8')
  })

  it('says what is wrong with a file that cannot be read', async () => {
    const reasonFor = async (path: string) => {
      const error: unknown = await read([path]).catch((thrown: unknown) => thrown)
      return error instanceof CapturedFileError ? error.reason : error
    }
    expect(await reasonFor(join(folder, 'missing'))).toBe('there is no such file')
    expect(await reasonFor(folder)).toBe('this is a folder, not a file')
    const cut = gzipSync(line()).subarray(0, 30)
    expect(await reasonFor(fileOf(cut))).toBe('the gzip data ends early: the file is cut off')
  })

  it('can be left early', async () => {
    const path = fileOf(`${line()}\n`.repeat(5000))
    for await (const batch of readCapturedFiles([path, path], { onBadLine: () => undefined })) {
      expect(batch.length).toBeGreaterThan(0)
      break
    }
  })
})

describe('merging captured files', () => {
  it('goes by timestamp, then by file, then by line', async () => {
    const of = (...items: [string, number][]) =>
      fileOf(items.map(([key, timestamp]) => line({ key, timestamp })).join('\n'))
    const { records } = await read([
      of(['a1', 5], ['a2', 7]),
      of(['b1', 5], ['b2', 6], ['b3', 7]),
      of(['c1', 1]),
    ])
    expect(records.map((record) => record.key)).toEqual(['c1', 'a1', 'b1', 'b2', 'a2', 'b3'])
  })

  it('keeps the order of lines inside a file even where timestamps step back', async () => {
    const lines = [10, 4, 12].map((timestamp, index) => line({ key: `a${index}`, timestamp }))
    const { records } = await read([fileOf(lines.join('\n')), fileOf(line({ key: 'b', timestamp: 11 }))])
    expect(records.map((record) => record.key)).toEqual(['a0', 'a1', 'b', 'a2'])
  })

  it('is a merge of the heads for any files (property)', async () => {
    const timestamps = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(fc.array(timestamps, { minLength: 1, maxLength: 4 }), async (contents) => {
        const paths = contents.map((list, file) =>
          fileOf(list.map((timestamp, index) => line({ key: `${file}:${index}`, timestamp })).join('\n')),
        )
        const { records } = await read(paths)
        expect(records.map((record) => record.key)).toEqual(mergeByHeads(contents))
      }),
      { numRuns: 40 },
    )
  })
})

/** The definition, as plainly as it can be written. */
function mergeByHeads(contents: readonly (readonly number[])[]): string[] {
  const next = contents.map(() => 0)
  const merged: string[] = []
  for (;;) {
    const heads = contents.flatMap((list, file) => {
      const timestamp = list[next[file] ?? 0]
      return timestamp === undefined ? [] : [{ file, timestamp }]
    })
    const first = heads.sort((a, b) => a.timestamp - b.timestamp || a.file - b.file)[0]
    if (!first) return merged
    merged.push(`${first.file}:${next[first.file]}`)
    next[first.file] = (next[first.file] ?? 0) + 1
  }
}

describe('splitting into lines', () => {
  async function linesOf(chunks: readonly string[], limitBytes: number) {
    const lines = []
    for await (const batch of readLines(Readable.from(chunks.map((text) => Buffer.from(text))), limitBytes)) {
      lines.push(...batch)
    }
    return lines
  }

  it('finds the same lines wherever the chunks are cut (property)', async () => {
    const text = 'first\nsecond é ü\n\nlast'
    const bytes = Buffer.from(text)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const lines = []
      const chunks = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)])
      for await (const batch of readLines(chunks)) lines.push(...batch)
      expect(lines.map((found) => found.text)).toEqual(text.split('\n'))
    }
  })

  it('reports a line over the limit, keeps nothing of it, and goes on after it', async () => {
    const lines = await linesOf(['ok\nfar', ' too', ' long', '\nok', ' 2\nand this one too'], 6)
    expect(lines.map(({ number, text, problem }) => problem ?? `${number} ${text}`)).toEqual([
      '1 ok',
      'longer than 6 bytes',
      '3 ok 2',
      'longer than 6 bytes',
    ])
  })
})
