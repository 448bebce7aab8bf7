/**
 * Keyed state of one task: an overlay of uncommitted writes over what the disk holds. Writes reach the changelog
 * and the disk only through a commit; an abort drops the overlay. Reads are synchronous.
 */
import { RecordRejected } from '../graph/errors.ts'
import type { KeyValueStore, StoreUse } from '../graph/processor.ts'
import { type Header, type NewRecord, recordBytes } from '../record-log/port.ts'
import type { Serde } from '../serdes/serde.ts'
import type { Disk, DiskOperation } from './disk.ts'
import { keptBytes, packedBytes } from './kept-bytes.ts'
import { type KeyFilter, keyFilter } from './key-filter.ts'

/** An uncommitted write; an `undefined` value is a deletion. */
interface Written<V> {
  readonly key: string
  readonly value: V | undefined
  /** Of a value; `undefined` until the commit where the store is written at commits. */
  bytes: Uint8Array | undefined
  /** Whether the disk holds the key; told only where the keys are known. */
  readonly wasThere: boolean | undefined
}

/** Undoes one write of the record in hand. */
export type Undo = () => void

export interface StoreOptions<V> {
  /** Full name; also the last part of the changelog's name. */
  readonly name: string
  /** Prefix of its keys on disk. */
  readonly prefix: string
  readonly disk: Disk
  readonly value: Serde<V>
  /** Default: keeps what is recent, written when it is put. */
  readonly use?: StoreUse
  /** The largest record that its changelog takes, in bytes. */
  readonly maxRecordBytes: number
  /** How many committed values are kept decoded where not all are. */
  readonly cacheEntries: number
  /** Receives the undo of every write, while a record is in hand. */
  readonly journal: Undo[]
}

export interface OverlayStore<V> extends KeyValueStore<V> {
  readonly name: string
  /** What a commit has written: uncommitted changes are not seen. For running calls. */
  readCommitted(key: string): V | undefined
  dirty(): boolean
  /** The uncommitted writes as changelog records. */
  changelogRecords(timestamp: number): NewRecord[]
  /** The uncommitted writes as disk operations. */
  diskOperations(): DiskOperation[]
  /** After the commit: the overlay becomes committed state. */
  clearOverlay(): void
  /** Brings committed entries into the cache, in key order, until it is full. A store that keeps all needs it before reads. */
  loadCache(): Promise<void>
  /** Every committed entry, in key order. A store that was read whole before its first write knows its keys from then on. */
  committedEntries(): AsyncIterable<readonly [string, V]>
}

const noHeaders: readonly Header[] = Object.freeze([])

/** Keys that are known not to be on disk are remembered until the next commit, at most so many. */
const absentKeysMax = 4096

export function overlayStore<V>(options: StoreOptions<V>): OverlayStore<V> {
  const { disk, prefix, value: serde, journal, use = {} } = options
  const overlay = new Map<string, Written<V>>()
  /** Committed values, least recently used first; all of them where all are kept. */
  const cache = new Map<string, V>()
  const keepsAll = use.keeps === 'all'
  const cacheMax = keepsAll ? Number.POSITIVE_INFINITY : options.cacheEntries
  /** So many leave together: finding the oldest costs more than dropping it. */
  const leaveTogether = keepsAll ? 0 : Math.floor(options.cacheEntries / 8)
  /** Keys that were looked for on disk since the last commit, and are not there. */
  const absent = new Set<string>()
  /** The keys on disk, once they were all read. */
  let keys: KeyFilter | undefined
  let everWritten = false
  /** What the commit under way writes. A call that reads meanwhile must not change the choice. */
  let deltas: readonly Written<V>[] | undefined

  function remember(key: string, value: V) {
    cache.set(key, keptBytes(value))
    if (cache.size <= cacheMax + leaveTogether) return
    for (const oldest of cache.keys()) {
      if (cache.size <= cacheMax) return
      cache.delete(oldest)
    }
  }

  /** Of a key that is not in the cache: whether it is known not to be on disk either. */
  const isAbsent = (key: string): boolean => keepsAll || keys?.mayHold(key) === false || absent.has(key)

  function readCommitted(key: string): V | undefined {
    const cached = cache.get(key)
    if (cached !== undefined) return cached
    if (isAbsent(key)) return undefined
    const bytes = disk.get(prefix + key)
    if (bytes === undefined) {
      if (absent.size < absentKeysMax) absent.add(key)
      return undefined
    }
    const value = serde.deserialize(bytes)
    remember(key, value)
    return value
  }

  const isOnDisk = (key: string): boolean =>
    cache.has(key) || (!isAbsent(key) && disk.get(prefix + key) !== undefined)

  function write(key: string, value: V | undefined, bytes: Uint8Array | undefined) {
    const before = overlay.get(key)
    const wasThere = before ? before.wasThere : keys && isOnDisk(key)
    journal.push(() => {
      deltas = undefined
      if (before) overlay.set(key, before)
      else overlay.delete(key)
    })
    deltas = undefined
    everWritten = true
    overlay.set(key, { key, value, bytes, wasThere })
  }

  function bytesOf(key: string, value: V): Uint8Array {
    const bytes = serde.serialize(value)
    if (bytes === null)
      throw new Error(`store ${options.name}: a value serialized to null; delete the key instead`)
    // Three bytes a character is the most that UTF-8 takes: exact only where it matters.
    if (70 + bytes.length + key.length * 3 > options.maxRecordBytes) checkFits(options, key, bytes)
    return bytes
  }

  /** Of what came and went between two commits nothing is written, where it is known that it was not there before. */
  function deltasNow(): readonly Written<V>[] {
    if (deltas) return deltas
    const found: Written<V>[] = []
    // `forEach`, here and below: a loop over a map makes two objects for each entry, of which a commit has thousands.
    overlay.forEach((written, key) => {
      const { value } = written
      if (value === undefined && !cache.has(key) && isAbsent(key)) return
      if (value !== undefined) written.bytes ??= bytesOf(key, value)
      found.push(written)
    })
    deltas = found
    return found
  }

  return {
    name: options.name,
    get(key) {
      const written = overlay.get(key)
      return written ? written.value : readCommitted(key)
    },
    put(key, value) {
      write(key, value, use.writtenAt === 'commit' ? undefined : bytesOf(key, value))
    },
    delete(key) {
      write(key, undefined, undefined)
    },
    readCommitted,
    dirty: () => overlay.size > 0,
    changelogRecords(timestamp) {
      return deltasNow().map(({ key, bytes }) => ({
        key: Buffer.from(key),
        value: bytes ?? null,
        headers: noHeaders,
        timestamp,
      }))
    },
    diskOperations() {
      return deltasNow().map(({ key, bytes }) =>
        bytes ? { type: 'put', key: prefix + key, value: bytes } : { type: 'delete', key: prefix + key },
      )
    },
    clearOverlay() {
      overlay.forEach(({ value, wasThere }, key) => {
        cache.delete(key)
        if (value !== undefined) remember(key, value)
        if (value !== undefined && wasThere === false) keys?.add(key)
        if (value === undefined && wasThere === true) keys?.remove(key)
      })
      overlay.clear()
      absent.clear()
      deltas = undefined
    },
    async loadCache() {
      for await (const [key, bytes] of disk.entries(prefix)) {
        if (cache.size >= cacheMax) return
        cache.set(key.slice(prefix.length), packedBytes(serde.deserialize(bytes)))
      }
    },
    async *committedEntries() {
      // One that keeps all has its keys in memory anyway; and of what is written meanwhile nobody knows whether it was there.
      const found = keepsAll ? undefined : keyFilter()
      for await (const [diskKey, bytes] of disk.entries(prefix)) {
        const key = diskKey.slice(prefix.length)
        found?.add(key)
        yield [key, serde.deserialize(bytes)] as const
      }
      if (!everWritten) keys = found
    },
  }
}

/** Refused when it is written, not when it is sent: by then it would spoil the transaction of everybody. */
function checkFits(
  { name, maxRecordBytes }: Pick<StoreOptions<unknown>, 'name' | 'maxRecordBytes'>,
  key: string,
  bytes: Uint8Array,
): void {
  const size = recordBytes({ key: Buffer.from(key), value: bytes, headers: [] })
  if (size <= maxRecordBytes) return
  throw new RecordRejected(
    'state_too_large',
    `an entry of ${size} bytes does not fit the changelog of store ${name} (limit ${maxRecordBytes})`,
  )
}
