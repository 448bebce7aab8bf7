import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { type CircuitBreaker, circuitBreaker, type Pass } from './circuit-breaker.ts'

function make() {
  const clock = manualClock(0)
  const breaker = circuitBreaker({ clock, failuresMax: 3, openMs: 1_000, openMaxMs: 3_000 })
  return { clock, breaker }
}

function entered(breaker: CircuitBreaker): Pass {
  const pass = breaker.enter()
  if (!pass) throw new Error('the breaker let nothing through')
  return pass
}

const failTimes = (breaker: CircuitBreaker, times: number) => {
  for (let call = 0; call < times; call++) entered(breaker).failed()
}

describe('a circuit breaker', () => {
  it('opens after failures in a row, not after as many in all', () => {
    const { breaker } = make()
    failTimes(breaker, 2)
    entered(breaker).succeeded()
    failTimes(breaker, 2)
    expect(breaker.state()).toBe('closed')
    failTimes(breaker, 1)
    expect(breaker.state()).toBe('open')
    expect(breaker.enter()).toBeUndefined()
  })

  it('lets one call through when its time is over, and closes when that succeeds', () => {
    const { breaker, clock } = make()
    failTimes(breaker, 3)
    clock.advance(999)
    expect(breaker.enter()).toBeUndefined()
    clock.advance(1)
    expect(breaker.state()).toBe('half_open')
    const probe = entered(breaker)
    expect(breaker.enter()).toBeUndefined()
    probe.succeeded()
    expect(breaker.state()).toBe('closed')
    failTimes(breaker, 2)
    expect(breaker.state()).toBe('closed')
  })

  it('stays open longer each time the probe fails, up to a limit', () => {
    const { breaker, clock } = make()
    failTimes(breaker, 3)
    for (const waitMs of [1_000, 2_000, 3_000, 3_000]) {
      clock.advance(waitMs - 1)
      expect(breaker.enter()).toBeUndefined()
      clock.advance(1)
      entered(breaker).failed()
    }
  })

  it('lets another probe through when the first one was abandoned', () => {
    const { breaker, clock } = make()
    failTimes(breaker, 3)
    clock.advance(1_000)
    entered(breaker).abandoned()
    expect(breaker.state()).toBe('half_open')
    entered(breaker).succeeded()
    expect(breaker.state()).toBe('closed')
  })

  it('is not moved by calls that began before it opened', () => {
    const { breaker, clock } = make()
    const [late, later] = [entered(breaker), entered(breaker)]
    failTimes(breaker, 3)
    late.succeeded()
    expect(breaker.state()).toBe('open')
    clock.advance(1_000)
    later.failed()
    later.abandoned()
    const probe = entered(breaker)
    expect(breaker.enter()).toBeUndefined()
    probe.succeeded()
    expect(breaker.state()).toBe('closed')
  })
})
