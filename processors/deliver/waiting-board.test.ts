import { describe, expect, it } from 'vitest'
import { delivery, endpoint, partner, sent } from './testing/builders.ts'
import { makeHarness } from './testing/harness.ts'
import { createWaitingBoard } from './waiting-board.ts'

describe('what waits with a task', () => {
  it('is shown as queued, in flight or in a tier, by endpoint, also after a restart', () => {
    const harness = makeHarness()
    harness.partners.set('p1', partner({ endpoints: [endpoint({ max_concurrent: 1 })] }))
    for (const id of ['d1', 'd2', 'd3']) harness.deliver(delivery({ delivery_id: id }))
    expect(harness.waiting()).toMatchObject([
      { endpointId: 'e1', queued: 2, inFlight: 1, inTiers: [0, 0, 0], autoDisabled: false },
    ])
    harness.done('d1#1', sent('broken'))
    const shown = [{ endpointId: 'e1', queued: 1, inFlight: 1, inTiers: [1, 0, 0] }]
    expect(harness.waiting()).toMatchObject(shown)
    harness.restart()
    expect(harness.waiting()).toMatchObject(shown)
    harness.done('d2#1', sent('gone'))
    expect(harness.waiting()).toMatchObject([{ queued: 0, inFlight: 0, autoDisabled: true }])
  })

  it('is shown of the partitions that are asked for alone', () => {
    const board = createWaitingBoard()
    const task = (endpointId: string, held: number) => ({
      queues: { waitingBy: () => [{ endpointId, held, open: 1, inTiers: [1, 0, 0] }] },
      book: { find: () => undefined },
    })
    const [here, there, again] = [task('e1', 3), task('e2', 2), task('e3', 9)]
    board.show(0, here)
    board.show(1, there)
    expect(board.at(new Set([0])).map(({ endpointId, queued }) => [endpointId, queued])).toEqual([['e1', 1]])
    expect(board.at(new Set([0, 1, 2]))).toHaveLength(2)
    // Opened again: what the former task counted is gone.
    board.show(0, again)
    expect(board.at(new Set([0])).map(({ endpointId, queued }) => [endpointId, queued])).toEqual([['e3', 7]])
    expect([here, there, again]).toHaveLength(3)
  })
})
