import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../engine/index.ts'
import { makeSealer, newKeyFile } from '../../schemas/index.ts'
import { rotate, stagedKey, stageKey, withoutKey } from './key-rotation.ts'

const nowMs = Date.parse('2026-11-25T10:00:00Z')
const random = seededRandom(3)
const making = { random, nowMs }
const first = newKeyFile({ id: 'k2026-11-24', random, createdAt: nowMs - 86_400_000 })
const ids = (file: typeof first) => file.keys.map(({ id }) => id)

describe('rotating the sealing key', () => {
  it('makes a new one current and keeps the former, which opens what it sealed', () => {
    const sealed = makeSealer({ ...first, random }).seal('4711')
    const { file, id, made } = rotate(first, making)
    expect({ id, made, active: file.active }).toEqual({
      id: 'k2026-11-25',
      made: true,
      active: 'k2026-11-25',
    })
    const sealer = makeSealer({ ...file, random })
    expect(sealer.open(sealed)).toBe('4711')
    expect(sealer.isCurrent(sealed)).toBe(false)
    expect(sealer.isCurrent(sealer.seal('4711'))).toBe(true)
  })

  it('takes the staged key where there is one, so that all instances know it already', () => {
    const staged = stageKey(first, making)
    expect(staged.file.active).toBe('k2026-11-24')
    expect(stagedKey(staged.file)?.id).toBe('k2026-11-25')
    expect(rotate(staged.file, making)).toMatchObject({ id: 'k2026-11-25', made: false })
    expect(stagedKey(rotate(staged.file, making).file)).toBeUndefined()
  })

  it('names several of one day apart', () => {
    const twice = rotate(rotate(first, making).file, making).file
    expect(ids(twice)).toEqual(['k2026-11-24', 'k2026-11-25', 'k2026-11-25-2'])
    // A name that was retired is free again, and no key is taken for another's.
    expect(ids(withoutKey(twice, 'k2026-11-25'))).toEqual(['k2026-11-24', 'k2026-11-25-2'])
  })
})
