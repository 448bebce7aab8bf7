import { describe, expect, it } from 'vitest'
import { commitTiming } from './commit-timing.ts'

const timing = () => commitTiming({ intervalMs: 50, floorMs: 20 })
const busy = { drained: false, demanded: false, arrived: false }
const drained = { drained: true, demanded: false, arrived: false }

describe('a commit is due', () => {
  it('never while there is nothing to commit', () => {
    const commits = timing()
    commits.note('none', 0)
    expect(commits.due(drained)).toBeUndefined()
  })

  it('at the interval while queues are full, counted from the first change', () => {
    const commits = timing()
    commits.note('eager', 100)
    commits.note('eager', 140)
    expect(commits.due(busy)).toBe(150)
  })

  it('when queues have drained or a call has finished, but not within the floor of the last one', () => {
    const commits = timing()
    commits.committed(100)
    commits.note('eager', 105)
    expect(commits.due(busy)).toBe(155)
    expect(commits.due(drained)).toBe(120)
    commits.callFinished()
    expect(commits.due(busy)).toBe(120)
    commits.committed(120)
    expect(commits.due(drained)).toBeUndefined()
  })

  it('in the last part of the interval when the outputs that went ahead have arrived, and then at its end', () => {
    const commits = timing()
    commits.note('eager', 100)
    expect(commits.due({ ...busy, arrived: true })).toBe(142.5)
    expect(commits.due(busy)).toBe(150)
    commits.committed(137)
    commits.note('eager', 137)
    expect(commits.due({ ...drained, arrived: true })).toBe(157)
  })

  it('within the interval although the clock is set back', () => {
    const commits = timing()
    commits.committed(3_600_000)
    commits.note('eager', 3_600_010)
    commits.note('eager', 10)
    expect(commits.due(busy)).toBe(60)
    expect(commits.due(drained)).toBe(30)
  })

  it('at the interval for what is lazy, unless something eager comes or somebody waits', () => {
    const commits = timing()
    commits.note('lazy', 100)
    commits.callFinished()
    expect(commits.due(drained)).toBe(150)
    expect(commits.due({ ...drained, demanded: true })).toBe(Number.NEGATIVE_INFINITY)
    commits.note('eager', 110)
    expect(commits.due(drained)).toBe(Number.NEGATIVE_INFINITY)
  })
})
