import { describe, expect, it } from 'vitest'
import { account, type Requests } from './kill-account.ts'

const facts = {
  durable: 5,
  killedAtMs: 1000,
  secondAtMs: 4000,
  committed: new Set([0]),
  again: new Set([1, 2]),
}

/** Committed, answered 40 ms before the kill and not committed, open at the kill, and two of the next process. */
const requests = (repeats: readonly [number: number, atMs: number][]): Requests => ({
  numbers: Uint32Array.of(0, 1, 2, 3, 4),
  atMs: Float64Array.of(800, 860, 950, 4100, 4200),
  answeredAtMs: Float64Array.of(900, 960, 1050, 4200, Number.NaN),
  repeated: Uint32Array.from(repeats.map(([number]) => number)),
  repeatedAtMs: Float64Array.from(repeats.map(([, atMs]) => atMs)),
})

describe('the account of a kill', () => {
  it('explains what was open or not committed, and says how old that was', () => {
    const told = account(
      requests([
        [1, 4050],
        [2, 4060],
      ]),
      facts,
    )
    const kill = { lost: 0, repeats: 2, openAtKill: 1, uncommitted: 1, oldestMs: 40 }
    expect(told).toEqual({ ...kill, unexplained: 0, unmarked: 0, silenceMs: 3150 })
  })

  it('does not explain a committed one, a second repeat, one before the restart, and one of the next process', () => {
    const unexplained = (...repeats: [number, number][]) => account(requests(repeats), facts).unexplained
    expect(unexplained([0, 4050])).toBe(1)
    expect(unexplained([1, 4050], [1, 4060])).toBe(1)
    expect(unexplained([2, 990])).toBe(1)
    expect(unexplained([3, 4300])).toBe(1)
  })

  it('counts repeats without a mark, and what never came', () => {
    const told = account(requests([[1, 4050]]), { ...facts, durable: 7, again: new Set() })
    expect(told).toMatchObject({ unmarked: 1, lost: 2 })
  })
})
