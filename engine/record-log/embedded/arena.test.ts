import { describe, expect, it } from 'vitest'
import { createArena } from './arena.ts'

describe('an arena', () => {
  const filled = (arena: ReturnType<typeof createArena>, room: number, text: string) => {
    const bytes = arena.room(room)
    bytes.write(text)
    return arena.keep(bytes.subarray(0, text.length))
  }

  it('keeps what was kept side by side, and gives the rest of each room to the next', () => {
    const arena = createArena(16)
    const kept = [filled(arena, 10, 'abc'), filled(arena, 13, 'defg'), filled(arena, 9, 'h')]
    expect(kept.map(String)).toEqual(['abc', 'defg', 'h'])
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(1)
  })

  it('gives memory of its own to what does not fit, and uses the rest all the same', () => {
    const arena = createArena(8)
    const kept = [filled(arena, 6, 'abcd'), filled(arena, 100, 'large'), filled(arena, 4, 'efgh')]
    expect(kept.map(String)).toEqual(['abcd', 'large', 'efgh'])
    expect(kept[1]?.buffer).not.toBe(kept[0]?.buffer)
    expect(kept[2]?.buffer).toBe(kept[0]?.buffer)
  })

  it('begins again at the front when nothing is needed any more', () => {
    const arena = createArena(8)
    const first = filled(arena, 8, 'abcdefgh')
    arena.reset()
    expect(filled(arena, 8, 'ABCDEFGH').byteOffset).toBe(first.byteOffset)
  })
})
