/**
 * Which keys a store may hold, in eight bytes a key: asked before the disk, so that looking for what is not there, as
 * for the id of each new delivery, costs no read of every level of the disk.
 *
 * A key stands for 32 bits of a hash, in an open-addressed table with linear probing (Knuth, vol. 3, 6.4). Two keys with the
 * same 32 bits have an entry each, so whoever removes one leaves the other: `no` is always right. `maybe` is wrong for about
 * one key in 4,000 beside a million.
 */

export interface KeyFilter {
  /** False: it holds no such key. True: it may. */
  mayHold(key: string): boolean
  /** Adds a key that is not held. */
  add(key: string): void
  /** Removes a key that is held. */
  remove(key: string): void
}

const slotsMin = 1024

/** An empty filter. It grows, and never shrinks. */
export function keyFilter(): KeyFilter {
  /** 0 is an empty slot. */
  let table = new Uint32Array(slotsMin)
  let count = 0

  const insert = (mark: number): void => {
    let slot = slotOf(mark, table)
    while (table[slot] !== 0) slot = next(slot, table)
    table[slot] = mark
  }

  const find = (mark: number): number => {
    let slot = slotOf(mark, table)
    while (table[slot] !== 0 && table[slot] !== mark) slot = next(slot, table)
    return slot
  }

  const grow = (): void => {
    const before = table
    table = new Uint32Array(before.length * 2)
    for (const mark of before) if (mark !== 0) insert(mark)
  }

  return {
    mayHold: (key) => table[find(markOf(key))] !== 0,
    add(key) {
      if (++count * 4 > table.length * 3) grow()
      insert(markOf(key))
    },
    remove(key) {
      let hole = find(markOf(key))
      if (table[hole] === 0) throw new Error(`${key} is not in the filter`)
      count--
      // What probed past the hole moves into it, or it would not be found any more.
      for (let slot = next(hole, table); table[slot] !== 0; slot = next(slot, table)) {
        const mark = table[slot] ?? 0
        if (distance(slotOf(mark, table), slot, table) < distance(hole, slot, table)) continue
        table[hole] = mark
        hole = slot
      }
      table[hole] = 0
    },
  }
}

const next = (slot: number, table: Uint32Array): number => (slot + 1) & (table.length - 1)

const slotOf = (mark: number, table: Uint32Array): number => mark & (table.length - 1)

/** Steps from one slot on to another. */
const distance = (from: number, to: number, table: Uint32Array): number => (to - from) & (table.length - 1)

/** FNV-1a over the characters, then the finalizer of MurmurHash3, which spreads what ids have in common; never 0. */
function markOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0 || 1
}
