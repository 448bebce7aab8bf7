/**
 * Which files of a watched folder may be taken. A file belongs to whoever writes it until it rests: complete files get
 * their name by a rename, and what is written under its final name is left alone until it has not changed for a while.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A file as it was seen; size and time tell it from another one of the same name. */
export interface SeenFile {
  readonly name: string
  readonly bytes: number
  readonly modifiedAt: number
}

/** Hidden files and other endings (`.part`, `.tmp`) are somebody else's. */
const takenName = /^[^.].*\.jsonl(?:\.gz)?$/

/** How long a file has to rest, by default. */
const defaultSettleMs = 2000

/** Looks at the folder whenever it is called. */
export interface FolderLooks {
  /** The first file by name, if it rests. Later ones wait for it: their changes are later ones. */
  next(now: number): SeenFile | undefined
  /** Every file that waits, in the order in which they are taken. */
  names(): readonly string[]
}

/** Makes the looks at one folder. Errors of the file system are thrown. */
export function folderLooks(folder: string, settleMs: number = defaultSettleMs): FolderLooks {
  let watched: (SeenFile & { readonly since: number }) | undefined
  const names = () =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && takenName.test(entry.name))
      .map((entry) => entry.name)
      .sort()
  return {
    names,
    next(now) {
      const name = names()[0]
      const stats = name === undefined ? undefined : statSync(join(folder, name), { throwIfNoEntry: false })
      if (name === undefined || !stats) {
        watched = undefined
        return undefined
      }
      const seen: SeenFile = { name, bytes: stats.size, modifiedAt: Math.trunc(stats.mtimeMs) }
      if (!watched || !isSame(watched, seen)) watched = { ...seen, since: now }
      return now - watched.since >= settleMs ? seen : undefined
    },
  }
}

/** Whether it is the same file, unchanged. */
export const isSame = (left: SeenFile, right: SeenFile): boolean =>
  left.name === right.name && left.bytes === right.bytes && left.modifiedAt === right.modifiedAt
