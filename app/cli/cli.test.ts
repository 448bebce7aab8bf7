import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { CliError, problemText } from './cli-error.ts'
import { exitCode } from './exit-code.ts'
import { nearest, suggestion } from './nearest.ts'
import { reportFailure } from './report-failure.ts'
import { colorWanted } from './surroundings.ts'
import { capturedSurroundings } from './testing/captured-surroundings.ts'
import { wait } from './wait.ts'

describe('a problem', () => {
  it('is one line: what, where, mend', () => {
    expect(problemText({ what: 'x is missing', place: { file: 'a.yaml', line: 3 }, mend: 'add it' })).toBe(
      'x is missing (a.yaml:3) — add it',
    )
    expect(problemText({ what: 'x', mend: 'y' })).toBe('x — y')
  })

  it('can neither break the line nor colour it', () => {
    expect(problemText({ what: 'a\nb\x1b[31mc', place: { file: 'f\r.yaml' }, mend: '\u0007d' })).toBe(
      'a b [31mc (f .yaml) —  d',
    )
  })
})

describe('reporting a failure', () => {
  it('gives each problem its line, and the cause only on demand', () => {
    const error = new CliError(
      exitCode.usage,
      [
        { what: 'a', mend: 'b' },
        { what: 'c', mend: 'd' },
      ],
      { cause: new Error('inner') },
    )
    const report = (debug: boolean) => {
      const { stderr } = capturedSurroundings()
      expect(reportFailure(error, stderr, debug)).toBe(2)
      return stderr.text()
    }
    expect(report(false)).toBe('waybill: a — b\nwaybill: c — d\n')
    expect(report(true)).toContain('Error: inner')
  })

  it('takes anything that was thrown', () => {
    const { stderr } = capturedSurroundings()
    expect(reportFailure('a text', stderr, false)).toBe(1)
    expect(stderr.text()).toContain('internal error: a text')
  })
})

describe('the nearest word', () => {
  it('is what somebody meant', () => {
    const words = ['delivered', 'delivery_failed', 'out_for_delivery']
    expect(nearest('deliverd', words)).toBe('delivered')
    expect(nearest('DELIVERED', words)).toBe('delivered')
    expect(nearest('out_fro_delivery', words)).toBe('out_for_delivery')
    expect(nearest('shipped', words)).toBeUndefined()
    expect(nearest('x', ['y', 'xx'])).toBe('y')
    expect(nearest('anything', [])).toBeUndefined()
    expect(suggestion('shipped', ['a', 'b'])).toBe('known are a, b')
  })
})

describe('colours', () => {
  it('are for terminals, never with NO_COLOR, and forced by FORCE_COLOR', () => {
    const [terminal, pipe] = [{ isTTY: true }, { isTTY: false }]
    expect(colorWanted({}, terminal)).toBe(true)
    expect(colorWanted({}, pipe)).toBe(false)
    expect(colorWanted({ NO_COLOR: '1', FORCE_COLOR: '1' }, terminal)).toBe(false)
    expect(colorWanted({ NO_COLOR: '' }, terminal)).toBe(true)
    expect(colorWanted({ FORCE_COLOR: '1' }, pipe)).toBe(true)
    expect(colorWanted({ TERM: 'dumb' }, terminal)).toBe(false)
  })
})

describe('waiting', () => {
  it('ends at its time, or when it is broken off, and leaves no timer behind', async () => {
    const clock = manualClock(0)
    const stop = new AbortController()
    const late = wait(clock, 100, stop.signal)
    clock.advance(100)
    await late
    const broken = wait(clock, 1_000, stop.signal)
    stop.abort()
    await broken
    expect(clock.nextTimer()).toBeUndefined()
    await wait(clock, 5_000, stop.signal)
    expect(clock.nextTimer()).toBeUndefined()
  })
})
