/**
 * Keyed state of one task: an overlay of uncommitted writes over what the disk holds. Writes reach the changelog
 * and the disk only through a commit; an abort drops the overlay. Reads are synchronous.
 */
import { RecordRejected } from '../graph/errors.ts'
import type { KeyValueStore } from '../graph/processor.ts'
import { type NewRecord, recordBytes } from '../record-log/port.ts'
import type { Serde } from '../serdes/serde.ts'
import type { Disk, DiskOperation } from './disk.ts'
import { keptBytes, packedBytes } from './kept-bytes.ts'

/** An uncommitted write; `undefined` bytes are a deletion. */
interface Written<V> {
  readonly value: V | undefined
  readonly bytes: Uint8Array | undefined
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
  /** The largest record that its changelog takes, in bytes. */
  readonly maxRecordBytes: number
  /** How many committed values are kept decoded. */
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
  /** Brings committed entries into the cache, in key order, until it is full. */
  loadCache(): Promise<void>
  /** Every committed entry, in key order. */
  committedEntries(): AsyncIterable<readonly [string, V]>
}

export function overlayStore<V>(options: StoreOptions<V>): OverlayStore<V> {
  const { disk, prefix, value: serde, journal } = options
  const overlay = new Map<string, Written<V>>()
  /** Committed values, least recently used first. */
  const cache = new Map<string, V>()

  function remember(key: string, value: V) {
    cache.set(key, keptBytes(value))
    if (cache.size <= options.cacheEntries) return
    const oldest = cache.keys().next()
    if (!oldest.done) cache.delete(oldest.value)
  }

  function readCommitted(key: string): V | undefined {
    const cached = cache.get(key)
    if (cached !== undefined) return cached
    const bytes = disk.get(prefix + key)
    if (bytes === undefined) return undefined
    const value = serde.deserialize(bytes)
    remember(key, value)
    return value
  }

  function write(key: string, written: Written<V>) {
    const before = overlay.get(key)
    journal.push(() => {
      if (before) overlay.set(key, before)
      else overlay.delete(key)
    })
    overlay.set(key, written)
  }

  return {
    name: options.name,
    get(key) {
      const written = overlay.get(key)
      return written ? written.value : readCommitted(key)
    },
    put(key, value) {
      const bytes = serde.serialize(value)
      if (bytes === null)
        throw new Error(`store ${options.name}: a value serialized to null; delete the key instead`)
      // Three bytes a character is the most that UTF-8 takes: exact only where it matters.
      if (70 + bytes.length + key.length * 3 > options.maxRecordBytes) checkFits(options, key, bytes)
      write(key, { value, bytes })
    },
    delete(key) {
      write(key, { value: undefined, bytes: undefined })
    },
    readCommitted,
    dirty: () => overlay.size > 0,
    changelogRecords(timestamp) {
      const records: NewRecord[] = []
      for (const [key, { bytes }] of overlay) {
        records.push({ key: Buffer.from(key), value: bytes ?? null, headers: [], timestamp })
      }
      return records
    },
    diskOperations() {
      const operations: DiskOperation[] = []
      for (const [key, { bytes }] of overlay) {
        operations.push(
          bytes ? { type: 'put', key: prefix + key, value: bytes } : { type: 'delete', key: prefix + key },
        )
      }
      return operations
    },
    clearOverlay() {
      for (const [key, { value }] of overlay) {
        cache.delete(key)
        if (value !== undefined) remember(key, value)
      }
      overlay.clear()
    },
    async loadCache() {
      for await (const [key, bytes] of disk.entries(prefix)) {
        if (cache.size >= options.cacheEntries) return
        cache.set(key.slice(prefix.length), packedBytes(serde.deserialize(bytes)))
      }
    },
    async *committedEntries() {
      for await (const [key, bytes] of disk.entries(prefix)) {
        yield [key.slice(prefix.length), serde.deserialize(bytes)] as const
      }
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
