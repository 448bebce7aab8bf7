import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  clock,
  done,
  folder,
  line,
  lines,
  put,
  settleMs,
  taken,
  waiting,
  watch,
} from './testing/watched-folder.ts'

describe('a watched folder', () => {
  it('has its files taken in the order of their names, once, and moved away', async () => {
    put('2.jsonl', lines(4, 5))
    put('1.jsonl.gz', gzipSync(lines(1, 3)))
    const watched = watch()
    await watched.pass(15_000)
    expect(await taken()).toEqual(['1', '2', '3', '4', '5'])
    expect(done()).toEqual(['1.jsonl.gz', '2.jsonl'])
    expect(waiting()).toEqual([])
    // A later file of the same name is another file.
    put('2.jsonl', lines(6, 6))
    await watched.pass(6000)
    expect(await taken()).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(done()).toEqual(['1.jsonl.gz', '2.jsonl', '2.jsonl.2'])
    expect(watched.counts()).toEqual({ files: 3, records: 6, badLines: 0 })
    expect(watched.reports).toEqual([])
  })

  it('leaves alone what is hidden, has another ending, or is still being written', async () => {
    put('.hidden.jsonl', lines(1, 1))
    put('a.jsonl.part', lines(2, 2))
    put('b.jsonl', lines(3, 3))
    const watched = watch()
    await watched.pass(settleMs - 1000)
    put('b.jsonl', lines(3, 4))
    await watched.pass(settleMs - 1000)
    expect(await taken()).toEqual([])
    await watched.pass(5000)
    expect(await taken()).toEqual(['3', '4'])
    renameSync(join(folder, 'a.jsonl.part'), join(folder, 'a.jsonl'))
    await watched.pass(5000)
    expect(await taken()).toEqual(['3', '4', '2'])
  })

  it('goes on at the exact line after a crash, before or after any commit', async () => {
    // 1300 lines: three steps, one commit each, and one more that says that the file is done.
    for (const step of ['before', 'after'] as const) {
      for (let crashAt = 1; crashAt <= 4; crashAt += 1) {
        const name = `${step}-${crashAt}.jsonl`
        put(name, lines(1, 1300))
        const before = (await taken()).length
        let commits = 0
        const crashing = watch((when) => {
          if (when === step) commits += 1
          if (when !== step || commits !== crashAt) return
          crashing.stop()
          throw new Error('the process dies')
        })
        await crashing.pass(settleMs)
        crashing.stop()
        expect(crashing.reports, name).toHaveLength(1)
        const next = watch()
        await next.pass(4000)
        expect((await taken()).slice(before), name).toEqual(
          Array.from({ length: 1300 }, (_, i) => String(i + 1)),
        )
        expect(done()).toContain(name)
      }
    }
  })

  it('has bad lines reported with their numbers, and the rest taken', async () => {
    put('1.jsonl', `${line('1')}no json\n\n${line('2')}{"ts_ms":1}\n`)
    const watched = watch()
    await watched.pass(5000)
    expect(await taken()).toEqual(['1', '2'])
    expect(watched.badLines).toEqual([{ file: join(folder, '1.jsonl'), line: 2, reason: 'not JSON' }])
    expect(done()).toEqual(['1.jsonl'])
  })

  it.each([
    ['1.jsonl', `${lines(1, 2)}{"topic":"ord`, lines(1, 3), ['1', '2']],
    ['1.jsonl.gz', gzipSync(lines(1, 2)).subarray(0, 40), gzipSync(lines(1, 3)), []],
  ])(
    'stops at a file that was cut off (%s), says so once, and goes on when it is whole',
    async (name, cut, whole, takenBefore) => {
      put(name, cut)
      put('2.jsonl', lines(4, 4))
      const watched = watch()
      await watched.pass(10_000)
      expect(await taken()).toEqual(takenBefore)
      expect(watched.reports).toHaveLength(1)
      expect(watched.reports[0]).toContain('cut off')
      expect(waiting()).toEqual([name, '2.jsonl'])
      put(name, whole)
      await watched.pass(10_000)
      // The whole file is another one, taken from its first line; what repeats is told by its position later.
      expect(await taken()).toEqual([...takenBefore, '1', '2', '3', '4'])
      expect(watched.reports).toHaveLength(1)
    },
  )

  it('takes a last line without a line break, if it is a record', async () => {
    put('1.jsonl', lines(1, 2).trimEnd())
    const watched = watch()
    await watched.pass(5000)
    expect(await taken()).toEqual(['1', '2'])
  })

  it('is looked at until somebody stops it', async () => {
    put('1.jsonl', lines(1, 2))
    const watched = watch()
    const stopping = new AbortController()
    const running = watched.ingest.run(stopping.signal)
    while (watched.counts().files === 0) {
      clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    stopping.abort()
    await running
    expect(await taken()).toEqual(['1', '2'])
  })

  it('waits while the pipeline is behind, and is left where it stands when it is stopped', async () => {
    let behind: number | undefined = 5
    put('1.jsonl', lines(1, 2))
    const watched = watch(undefined, () => behind)
    clock.advance(settleMs)
    await watched.pass(0)
    clock.advance(settleMs)
    const stopping = new AbortController()
    const looking = watched.ingest.look(stopping.signal)
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    stopping.abort()
    expect(await looking).toBe(false)
    expect(await taken()).toEqual([])
    behind = undefined
    await watched.pass(0)
    expect(await taken()).toEqual(['1', '2'])
  })

  it('that is not there is reported once, and taken when it comes', async () => {
    rmSync(folder, { recursive: true })
    const watched = watch()
    await watched.pass(5000)
    expect(watched.reports).toHaveLength(1)
    expect(watched.reports[0]).toContain('ENOENT')
    renameSync(mkdtempSync(join(tmpdir(), 'waybill-folder-')), folder)
    put('1.jsonl', lines(1, 1))
    await watched.pass(6000)
    expect(await taken()).toEqual(['1'])
  })
})
