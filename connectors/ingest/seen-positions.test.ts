import { describe, expect, it } from 'vitest'
import { seenPositions } from './seen-positions.ts'

describe('the positions seen lately', () => {
  it('are as many as fit; the oldest go first, and one that came again is new', () => {
    const seen = seenPositions(3)
    seen.add(['a', 'b', 'c'])
    seen.add(['a'])
    seen.add(['d'])
    expect(['a', 'b', 'c', 'd'].filter((position) => seen.has(position))).toEqual(['a', 'c', 'd'])
    seen.add(['e', 'f', 'g', 'h'])
    expect(['a', 'c', 'd', 'e', 'f', 'g', 'h'].filter((position) => seen.has(position))).toEqual([
      'f',
      'g',
      'h',
    ])
  })
})
