/**
 * The state disk's twin in memory: same promises, and levers for what real disks do: fail a write, be slow, lose
 * the batches that were not synced when the power goes.
 */
import { type Disk, DiskError, type DiskFactory, type DiskOperation, diskPageEntries } from './disk.ts'

export interface MemoryDisks extends DiskFactory {
  /** The next write or range deletion in `directory` is refused and applies nothing. */
  failNextWrite(directory: string, message?: string): void
  /** Runs before each write is applied, e.g. to wait on a clock; a rejection refuses the write. */
  beforeWrite: ((directory: string, operations: readonly DiskOperation[]) => Promise<void>) | undefined
  /**
   * The holder of `directory` dies: its open disk refuses everything from now on. `unsynced: 'keep'` is a kill -9
   * (the default), `'lose'` a power cut.
   */
  crash(directory: string, options?: { unsynced?: 'keep' | 'lose' }): void
  /** What lies under a key, whoever holds the directory. */
  peek(directory: string, key: string): Uint8Array | undefined
}

/** An operating system writes back sooner or later: only so many batches can be lost to a power cut. */
const unsyncedBatchesMax = 100

interface Contents {
  readonly live: Map<string, Uint8Array>
  /** For each batch that is not synced, what undoes it; oldest first. */
  undo: (readonly [key: string, before: Uint8Array | undefined][])[]
  /** Sorted keys of `live`, until the next key comes or goes. */
  sorted: readonly string[] | undefined
  holder: object | undefined
  failure: string | undefined
}

/** Disks that live as long as this object. Directories are only names. */
export function memoryDisks(): MemoryDisks {
  const directories = new Map<string, Contents>()
  const contentsOf = (directory: string): Contents => {
    let contents = directories.get(directory)
    if (!contents) {
      contents = { live: new Map(), undo: [], sorted: undefined, holder: undefined, failure: undefined }
      directories.set(directory, contents)
    }
    return contents
  }

  const disks: MemoryDisks = {
    beforeWrite: undefined,
    failNextWrite(directory, message = 'no space left on device') {
      contentsOf(directory).failure = message
    },
    crash(directory, options) {
      const contents = contentsOf(directory)
      contents.holder = undefined
      if (options?.unsynced === 'lose') {
        for (const batch of contents.undo.reverse()) undoBatch(contents, batch)
      }
      contents.undo = []
    },
    peek: (directory, key) => contentsOf(directory).live.get(key),
    async open(directory) {
      const contents = contentsOf(directory)
      if (contents.holder) throw new DiskError(`${directory} is in use: close it first`)
      return openMemoryDisk(directory, contents, disks)
    },
  }
  return disks
}

function openMemoryDisk(directory: string, contents: Contents, disks: MemoryDisks): Disk {
  const holder = {}
  contents.holder = holder
  const check = (doing: string) => {
    if (contents.holder !== holder) throw new DiskError(`cannot ${doing} in ${directory}: the disk is closed`)
  }
  /** Writes take effect in the order of their calls, as LevelDB's do. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = (operations: readonly DiskOperation[], action: () => void): Promise<void> => {
    const run = async () => {
      check('write')
      if (disks.beforeWrite) await disks.beforeWrite(directory, operations)
      check('write')
      if (contents.failure !== undefined) {
        const failure = contents.failure
        contents.failure = undefined
        throw new DiskError(`cannot write in ${directory}: ${failure} (make room on the disk)`)
      }
      action()
    }
    const done = turn.then(run, run)
    turn = done.catch(() => undefined)
    return done
  }

  return {
    get(key) {
      check('read')
      return contents.live.get(key)
    },
    async *entries(prefix) {
      check('read')
      const keys = keysWith(contents, prefix)
      const snapshot = keys.map((key) => [key, contents.live.get(key) ?? new Uint8Array()] as const)
      for (let at = 0; at < snapshot.length; at += diskPageEntries) {
        await Promise.resolve()
        check('read')
        yield* snapshot.slice(at, at + diskPageEntries)
      }
    },
    write: (operations, options) =>
      inTurn(operations, () => {
        applyBatch(contents, operations)
        if (options?.sync) contents.undo = []
      }),
    deleteRange: (prefix) =>
      inTurn([], () => {
        applyBatch(
          contents,
          keysWith(contents, prefix).map((key) => ({ type: 'delete', key })),
        )
      }),
    async close() {
      await turn
      if (contents.holder === holder) contents.holder = undefined
    },
  }
}

function applyBatch(contents: Contents, operations: readonly DiskOperation[]): void {
  const undo: [string, Uint8Array | undefined][] = []
  for (const operation of operations) {
    const before = contents.live.get(operation.key)
    undo.push([operation.key, before])
    if (operation.type === 'put') contents.live.set(operation.key, operation.value)
    else contents.live.delete(operation.key)
    if ((before === undefined) === (operation.type === 'put')) contents.sorted = undefined
  }
  contents.undo.push(undo)
  if (contents.undo.length > unsyncedBatchesMax) contents.undo.shift()
}

function undoBatch(contents: Contents, batch: Contents['undo'][number]): void {
  for (const [key, before] of batch.toReversed()) {
    if (before === undefined) contents.live.delete(key)
    else contents.live.set(key, before)
  }
  contents.sorted = undefined
}

function keysWith(contents: Contents, prefix: string): string[] {
  contents.sorted ??= [...contents.live.keys()].sort(byUtf8)
  return contents.sorted.filter((key) => key.startsWith(prefix))
}

/** The order of UTF-8 bytes is that of code points; `<` on strings compares UTF-16 units, another order. */
function byUtf8(left: string, right: string): number {
  if (left === right) return 0
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}
