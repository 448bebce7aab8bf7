/** What every `Disk` promises; run by `level-disk.test.ts` and `memory-disk.test.ts`. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Disk, DiskError, type DiskFactory, type DiskOperation } from './disk.ts'

export interface DiskUnderTest {
  readonly factory: DiskFactory
  readonly directory: string
  dispose(): Promise<void>
}

/** Runs the suite against disks that `prepare` makes, one per test. */
export function diskContract(name: string, prepare: () => Promise<DiskUnderTest>): void {
  describe(`${name} keeps the disk contract`, () => {
    let under: DiskUnderTest
    let disk: Disk
    beforeEach(async () => {
      under = await prepare()
      disk = await under.factory.open(under.directory)
    })
    afterEach(async () => {
      await disk.close()
      await under.dispose()
    })

    it('reads back what was written, and nothing else', async () => {
      await disk.write([put('a', 'one'), put('empty', '')])
      expect(text(disk.get('a'))).toBe('one')
      expect(disk.get('empty')?.length).toBe(0)
      expect(disk.get('b')).toBeUndefined()
    })

    it('lets the last operation on a key count within one batch', async () => {
      await disk.write([put('a', '1'), put('a', '2'), put('b', '1'), del('b'), del('c'), put('c', '3')])
      expect(text(disk.get('a'))).toBe('2')
      expect(disk.get('b')).toBeUndefined()
      expect(text(disk.get('c'))).toBe('3')
    })

    it('lists the entries of a prefix in the order of their UTF-8 bytes', async () => {
      const keys = ['p/2', 'p/10', 'p/', 'p', 'q/1', 'p/\u{1F600}', 'p/\uFFFD', 'p/é', 'o/zz']
      await disk.write(keys.map((key) => put(key, key)))
      expect(await keysOf(disk, 'p/')).toEqual(['p/', 'p/10', 'p/2', 'p/é', 'p/\uFFFD', 'p/\u{1F600}'])
      expect(await keysOf(disk, '')).toHaveLength(keys.length)
    })

    it('lists more than a page, and a snapshot: what is written meanwhile does not show', async () => {
      const many = Array.from({ length: 5000 }, (_, at) => put(`k${String(at).padStart(5, '0')}`, 'v'))
      await disk.write(many)
      let seen = 0
      for await (const [key] of disk.entries('k')) {
        if (seen === 0) await disk.write([put('k99999', 'late'), del('k04999')])
        if (key === 'k99999') throw new Error('saw a later write')
        seen++
      }
      expect(seen).toBe(5000)
      expect(await keysOf(disk, 'k9')).toEqual(['k99999'])
    })

    it('can be left in the middle of a listing', async () => {
      await disk.write(Array.from({ length: 3000 }, (_, at) => put(`k${at}`, 'v')))
      for await (const _ of disk.entries('k')) break
      await disk.write([put('after', 'x')])
      expect(text(disk.get('after'))).toBe('x')
    })

    it('deletes the keys of a prefix and no neighbour', async () => {
      await disk.write([
        put('t1/a', '1'),
        put('t1/b', '1'),
        put('t10/a', '1'),
        put('t1', '1'),
        put('t2/a', '1'),
      ])
      await disk.deleteRange('t1/')
      expect(await keysOf(disk, '')).toEqual(['t1', 't10/a', 't2/a'])
    })

    it('applies writes in the order of the calls, though nobody awaited them', async () => {
      const writes = Array.from({ length: 200 }, (_, at) => disk.write([put('counter', String(at))]))
      await Promise.all(writes)
      expect(text(disk.get('counter'))).toBe('199')
    })

    it('keeps everything over a close and an open', async () => {
      await disk.write([put('a', 'kept'), put('b', 'gone')], { sync: true })
      await disk.write([del('b')])
      await disk.close()
      disk = await under.factory.open(under.directory)
      expect(text(disk.get('a'))).toBe('kept')
      expect(await keysOf(disk, '')).toEqual(['a'])
    })

    it('has one holder at a time', async () => {
      await expect(under.factory.open(under.directory)).rejects.toThrow(/in use/)
    })

    it('refuses everything once closed; closing again is harmless', async () => {
      await disk.close()
      await disk.close()
      expect(() => disk.get('a')).toThrow(DiskError)
      await expect(disk.write([put('a', '1')])).rejects.toThrow(/closed/)
      await expect(disk.deleteRange('')).rejects.toThrow(/closed/)
      await expect(keysOf(disk, '')).rejects.toThrow(/closed/)
    })

    it('agrees with a plain map whatever is done to it', async () => {
      const key = fc.stringMatching(/^[ab][0-3]$/)
      const operation: fc.Arbitrary<DiskOperation> = fc.oneof(
        fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 4 }) }),
        fc.record({ type: fc.constant('delete' as const), key }),
      )
      const step = fc.oneof(fc.array(operation, { maxLength: 6 }), fc.constantFrom('a', 'b1'))
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          await disk.deleteRange('')
          const model = new Map<string, Uint8Array>()
          for (const done of steps) await applyBoth(disk, model, done)
          const found: [string, number[]][] = []
          for await (const [at, value] of disk.entries('')) found.push([at, [...value]])
          expect(found).toEqual([...model].sort().map(([at, value]) => [at, [...value]]))
        }),
        { numRuns: 50 },
      )
    })
  })
}

async function applyBoth(
  disk: Disk,
  model: Map<string, Uint8Array>,
  step: readonly DiskOperation[] | string,
): Promise<void> {
  if (typeof step === 'string') {
    await disk.deleteRange(step)
    for (const key of [...model.keys()]) if (key.startsWith(step)) model.delete(key)
    return
  }
  await disk.write(step)
  for (const operation of step) {
    if (operation.type === 'put') model.set(operation.key, operation.value)
    else model.delete(operation.key)
  }
}

async function keysOf(disk: Disk, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const [key] of disk.entries(prefix)) keys.push(key)
  return keys
}

const put = (key: string, value: string): DiskOperation => ({ type: 'put', key, value: Buffer.from(value) })
const del = (key: string): DiskOperation => ({ type: 'delete', key })
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString()
