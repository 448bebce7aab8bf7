import { describe, expect, it } from 'vitest'
import type { DeliveryPhase } from '../../schemas/index.ts'
import { destination, type Move, stateOf, transitions } from './lifecycle.ts'

const phases = Object.keys(transitions) as DeliveryPhase[]

describe('the lifecycle of a delivery', () => {
  it('a move that the table does not hold is refused', () => {
    expect(() => destination('dead', 'call')).toThrow('a delivery that is dead cannot call')
    expect(() => destination('in_flight', 'hurry')).toThrow()
  })

  it('no way leads out of a call but its result or its withdrawal', () => {
    expect(Object.keys(transitions.in_flight).sort()).toEqual([
      'acknowledge',
      'die',
      'fail',
      'return',
      'skip',
    ])
  })

  it('every phase is reached from queued, and every phase but a settled one leads to delivered', () => {
    const reachable = (from: DeliveryPhase): Set<string> => {
      const seen = new Set<string>([from])
      for (const phase of seen) {
        if (phase === 'delivered') continue
        for (const to of Object.values(transitions[phase as DeliveryPhase])) seen.add(to)
      }
      return seen
    }
    expect([...reachable('queued')].sort()).toEqual([...phases, 'delivered'].sort())
    for (const phase of phases) expect(reachable(phase)).toContain('delivered')
  })

  it('only a success ends in delivered, and only a person leads out of dead and skipped', () => {
    const ways = phases.flatMap((from) =>
      Object.entries(transitions[from]).map(([move, to]) => ({ from, move: move as Move, to })),
    )
    expect(ways.filter(({ to }) => to === 'delivered').map(({ move }) => move)).toEqual(['acknowledge'])
    expect(Object.keys(transitions.dead)).toEqual(['redrive'])
    expect(Object.keys(transitions.skipped)).toEqual(['redrive'])
  })

  it('what is neither delivered nor dead nor skipped is waiting', () => {
    expect(phases.map(stateOf)).toEqual(['waiting', 'waiting', 'waiting', 'dead', 'skipped'])
  })
})
