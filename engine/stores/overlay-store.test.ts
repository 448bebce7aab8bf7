import { describe, expect, it } from 'vitest'
import { RecordRejected } from '../graph/errors.ts'
import type { StoreUse } from '../graph/processor.ts'
import { type Serde, utf8 } from '../serdes/serde.ts'
import type { Disk } from './disk.ts'
import { memoryDisks } from './memory-disk.ts'
import { overlayStore, type Undo } from './overlay-store.ts'

async function open(
  options: {
    cacheEntries?: number
    maxRecordBytes?: number
    disk?: Disk
    use?: StoreUse
    value?: Serde<string>
  } = {},
) {
  const disk = options.disk ?? (await memoryDisks().open('a'))
  const journal: Undo[] = []
  const store = overlayStore({
    name: 'names',
    prefix: 'p|',
    disk,
    value: utf8,
    maxRecordBytes: 1000,
    cacheEntries: 2,
    journal,
    ...options,
  })
  return {
    disk,
    store,
    journal,
    /** What a commit does with it. */
    async commit() {
      await disk.write(store.diskOperations())
      store.clearOverlay()
      journal.length = 0
    },
    undo() {
      for (let step = journal.pop(); step; step = journal.pop()) step()
    },
  }
}

async function watchedDisk() {
  const disk = await memoryDisks().open('watched')
  const asked: string[] = []
  const watched: Disk = {
    ...disk,
    get(key) {
      asked.push(key)
      return disk.get(key)
    },
  }
  return { asked, watched }
}

describe('an overlay store', () => {
  it('shows its own writes, and to others only what is committed', async () => {
    const { store, disk, commit } = await open()
    store.put('k', 'one')
    expect(store.get('k')).toBe('one')
    expect(store.readCommitted('k')).toBeUndefined()
    expect(disk.get('p|k')).toBeUndefined()
    await commit()
    expect(store.readCommitted('k')).toBe('one')
    store.delete('k')
    expect(store.get('k')).toBeUndefined()
    expect(store.readCommitted('k')).toBe('one')
    await commit()
    expect(store.readCommitted('k')).toBeUndefined()
    expect(disk.get('p|k')).toBeUndefined()
  })

  it('gives a commit the last write of each key, deletions too', async () => {
    const { store, commit } = await open()
    store.put('k', 'one')
    store.put('k', 'two')
    store.put('j', 'x')
    store.delete('j')
    expect(store.dirty()).toBe(true)
    expect(store.changelogRecords(5)).toEqual([
      { key: Buffer.from('k'), value: Buffer.from('two'), headers: [], timestamp: 5 },
      { key: Buffer.from('j'), value: null, headers: [], timestamp: 5 },
    ])
    await commit()
    expect(store.dirty()).toBe(false)
  })

  it('loads committed entries until its cache is full, and then reads them without the disk', async () => {
    const { disk } = await open()
    await disk.write(
      ['a', 'b', 'c'].map((key) => ({ type: 'put' as const, key: `p|${key}`, value: Buffer.from(key) })),
    )
    const asked: string[] = []
    const watched = {
      ...disk,
      get(key: string) {
        asked.push(key)
        return disk.get(key)
      },
    }
    const { store } = await open({ disk: watched })
    await store.loadCache()
    expect(['a', 'b', 'c'].map((key) => store.get(key))).toEqual(['a', 'b', 'c'])
    expect(asked).toEqual(['p|c'])
  })

  it('asks the disk once for a key that is not there, until it has been written', async () => {
    const { asked, watched } = await watchedDisk()
    const { store, commit } = await open({ disk: watched })
    for (let n = 0; n < 3; n++) expect(store.get('k')).toBeUndefined()
    expect(asked).toEqual(['p|k'])
    store.put('k', 'one')
    await commit()
    for (const key of ['j', 'i', 'h']) store.put(key, key)
    await commit()
    expect(store.get('k')).toBe('one')
  })

  it('that was read whole never asks the disk for what is not there, whatever came and went since', async () => {
    const { asked, watched } = await watchedDisk()
    await watched.write([{ type: 'put', key: 'p|old', value: Buffer.from('old') }])
    const { store, commit, undo } = await open({ disk: watched, cacheEntries: 0 })
    for await (const _ of store.committedEntries());
    store.put('new', 'x')
    store.put('brief', 'x')
    store.delete('brief')
    await commit()
    store.delete('new')
    store.put('undone', 'x')
    undo()
    await commit()
    asked.length = 0
    expect(['a', 'brief', 'undone'].map((key) => store.get(key))).toEqual([undefined, undefined, undefined])
    expect(asked).toEqual([])
    expect(['old', 'new'].map((key) => store.get(key))).toEqual(['old', 'x'])
    expect(asked).toEqual(['p|old', 'p|new'])
    store.delete('new')
    await commit()
    asked.length = 0
    expect(store.get('new')).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('that was read whole knows its keys also where they are written without a look', async () => {
    const { store, commit } = await open({ cacheEntries: 0 })
    for await (const _ of store.committedEntries());
    for (let n = 0; n < 3; n++) {
      store.put('k', `${n}`)
      await commit()
    }
    store.delete('k')
    store.delete('never')
    await commit()
    expect(store.get('k')).toBeUndefined()
    store.put('k', 'again')
    await commit()
    expect(store.get('k')).toBe('again')
  })

  it('that was written while it was read whole goes on asking the disk', async () => {
    const { store, disk, commit } = await open({ cacheEntries: 0 })
    await disk.write([{ type: 'put', key: 'p|k', value: Buffer.from('old') }])
    for await (const [key] of store.committedEntries()) {
      store.put(key, 'new')
      store.put(`beside ${key}`, 'new')
    }
    await commit()
    expect(store.get('beside k')).toBe('new')
    store.delete('k')
    await commit()
    store.put('k', 'newer')
    await commit()
    expect(store.get('k')).toBe('newer')
  })

  it('that keeps all never asks the disk, neither for what is there nor for what is not', async () => {
    const { asked, watched } = await watchedDisk()
    await watched.write([{ type: 'put', key: 'p|old', value: Buffer.from('old') }])
    const { store, commit } = await open({ disk: watched, cacheEntries: 1, use: { keeps: 'all' } })
    await store.loadCache()
    for (const key of ['a', 'b', 'c']) store.put(key, key)
    await commit()
    store.delete('b')
    await commit()
    expect(['old', 'a', 'b', 'c', 'd'].map((key) => store.get(key))).toEqual([
      'old',
      'a',
      undefined,
      'c',
      undefined,
    ])
    expect(asked).toEqual([])
  })

  it.each(['recent', 'all'] as const)(
    'writes nothing of what came and went between two commits, and keeps %s',
    async (keeps) => {
      const { store, commit } = await open({ use: { keeps } })
      store.put('stays', 'x')
      await commit()
      expect(store.get('brief')).toBeUndefined()
      store.put('brief', 'x')
      store.delete('brief')
      store.delete('stays')
      expect(store.dirty()).toBe(true)
      expect(store.changelogRecords(0).map(({ key }) => String(key))).toEqual(['stays'])
      expect(store.diskOperations()).toEqual([{ type: 'delete', key: 'p|stays' }])
      await commit()
      expect(store.get('stays')).toBeUndefined()
    },
  )

  it('deletes what it never looked for: it may be there', async () => {
    const { store } = await open()
    store.delete('k')
    expect(store.changelogRecords(0)).toHaveLength(1)
    // A running call reads what is committed while the commit writes: both parts of it must be of one mind.
    expect(store.readCommitted('k')).toBeUndefined()
    expect(store.diskOperations()).toHaveLength(1)
  })

  it('that is written at commits makes bytes of the last value alone', async () => {
    const made: string[] = []
    const value: Serde<string> = {
      deserialize: utf8.deserialize,
      serialize(text) {
        made.push(text)
        return utf8.serialize(text)
      },
    }
    const { store, disk, commit } = await open({ value, use: { writtenAt: 'commit' } })
    for (const text of ['one', 'two', 'three']) store.put('k', text)
    expect(store.get('k')).toBe('three')
    expect(store.changelogRecords(0).map((record) => String(record.value))).toEqual(['three'])
    await commit()
    expect(made).toEqual(['three'])
    expect(String(disk.get('p|k'))).toBe('three')
  })

  it('undoes the writes of one record, back to what earlier records wrote', async () => {
    const { store, journal, undo, commit } = await open()
    store.put('k', 'committed')
    await commit()
    store.put('k', 'earlier')
    journal.length = 0
    store.put('k', 'refused')
    store.put('k', 'refused again')
    store.put('new', 'refused')
    store.delete('k')
    undo()
    expect(store.get('k')).toBe('earlier')
    expect(store.get('new')).toBeUndefined()
    expect(store.changelogRecords(0)).toHaveLength(1)
  })

  it('reads what the cache has forgotten from the disk', async () => {
    const { store, commit } = await open({ cacheEntries: 1 })
    for (const key of ['a', 'b', 'c']) store.put(key, key)
    await commit()
    expect(['a', 'b', 'c'].map((key) => store.get(key))).toEqual(['a', 'b', 'c'])
  })

  it('lists what is committed, in key order, without its prefix', async () => {
    const { store, commit } = await open()
    for (const key of ['b', 'a', 'ü|']) store.put(key, key)
    await commit()
    store.put('uncommitted', 'x')
    const entries: string[] = []
    for await (const [key] of store.committedEntries()) entries.push(key)
    expect(entries).toEqual(['a', 'b', 'ü|'])
  })

  it('refuses an entry that its changelog would refuse, and takes the largest that fits', async () => {
    const { store } = await open({ maxRecordBytes: 100 })
    store.put('k', 'x'.repeat(29))
    expect(() => store.put('k', 'x'.repeat(30))).toThrow(RecordRejected)
    expect(() => store.put('ü', 'x'.repeat(29))).toThrow(
      /101 bytes does not fit the changelog of store names/,
    )
    expect(store.get('ü')).toBeUndefined()
  })
})
