/** What becomes of a key file when its keys are replaced: pure, so that reading and writing it is the command's. */
import type { Random } from '../../engine/index.ts'
import { type KeyFile, type ListedKey, newKeyFile } from '../../schemas/index.ts'

/** The key that `rotate` makes current: one that was staged, or a fresh one. */
export interface Rotation {
  readonly file: KeyFile
  readonly id: string
  /** Whether the key was made just now. */
  readonly made: boolean
}

interface Making {
  readonly random: Random
  readonly nowMs: number
}

/** A further key that seals nothing yet: for instances that must all know it before one of them seals with it. */
export function stageKey(file: KeyFile, { random, nowMs }: Making): Rotation {
  const id = freeId(file, nowMs)
  const [key] = newKeyFile({ id, random, createdAt: nowMs }).keys
  if (!key) throw new Error('a new key file has no key')
  return { file: { ...file, keys: [...file.keys, key] }, id, made: true }
}

/** Makes the staged key current, or a fresh one where none is staged. Former keys stay, to open what they sealed. */
export function rotate(file: KeyFile, making: Making): Rotation {
  const staged = stagedKey(file)
  if (staged) return { file: { ...file, active: staged.id }, id: staged.id, made: false }
  const made = stageKey(file, making)
  return { ...made, file: { ...made.file, active: made.id } }
}

/** Without a key. Whether anything is still sealed with it is asked before. */
export const withoutKey = (file: KeyFile, id: string): KeyFile => ({
  ...file,
  keys: file.keys.filter((key) => key.id !== id),
})

/** The newest of the keys behind the current one; keys stand in the order in which they were added. */
export function stagedKey(file: KeyFile): ListedKey | undefined {
  const active = file.keys.findIndex(({ id }) => id === file.active)
  return file.keys.slice(active + 1).at(-1)
}

/** Named for its day, and numbered where that day has one already. */
function freeId(file: KeyFile, nowMs: number): string {
  const day = `k${new Date(nowMs).toISOString().slice(0, 10)}`
  const taken = new Set(file.keys.map(({ id }) => id))
  for (let number = 1; ; number++) {
    const id = number === 1 ? day : `${day}-${number}`
    if (!taken.has(id)) return id
  }
}
