import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { steadyReport } from './steady-report.ts'

describe('a steady report', () => {
  it('tells a problem once a minute, with how often it came meanwhile', () => {
    const lines: string[] = []
    const clock = manualClock(1_000_000)
    const report = steadyReport((text) => lines.push(text), clock)
    for (let pause = 1; pause <= 5; pause++) report(`repeated in ${pause} ms`, new Error('gone'))
    report('something else')
    expect(lines).toEqual(['repeated in 1 ms: Error: gone', 'something else'])
    clock.advance(60_000)
    report('repeated in 9 ms', new Error('gone'))
    expect(lines.at(-1)).toBe('repeated in 9 ms: Error: gone (and 4 times more before)')
  })
})
