import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeEndpointQueues } from './endpoint-queues.ts'
import { makeFifo } from './fifo.ts'
import { makeOrderLines } from './order-lines.ts'
import { status } from './testing/builders.ts'
import { makeTicketWatch } from './ticket-watch.ts'
import { makeWakeups } from './wakeups.ts'

describe('a fifo', () => {
  it('does what an array does, over any number of pushes, returns and takings', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.nat().map((item) => ({ push: item })) },
      { weight: 1, arbitrary: fc.nat().map((item) => ({ unshift: item })) },
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 800 }).map((times) => ({ shift: times })) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 2000 }).map((times) => ({ fill: times })) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const fifo = makeFifo<number>()
        const model: number[] = []
        const push = (item: number): void => {
          fifo.push(item)
          model.push(item)
        }
        for (const each of steps) {
          if ('push' in each) push(each.push)
          else if ('unshift' in each) {
            fifo.unshift(each.unshift)
            model.unshift(each.unshift)
          } else if ('fill' in each) for (let i = 0; i < each.fill; i++) push(i)
          else
            for (let i = 0; i < each.shift; i++) {
              if (fifo.shift() !== model.shift()) return false
            }
          if (fifo.length !== model.length || fifo.peek() !== model[0]) return false
        }
        return true
      }),
      { numRuns: 50 },
    )
  })
})

describe('the queues of an endpoint', () => {
  it('a credit that was never taken cannot come back', () => {
    expect(() => makeEndpointQueues().returnCredit('e1')).toThrow('no open call')
  })
})

describe('memory', () => {
  it('a waiting delivery takes at most 150 bytes of the indexes', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const waiting = 200_000
    // Made from bytes, as ids are when a store is read: strings of their own, shared with nobody.
    const id = (index: number): string =>
      Buffer.from(`${String(index).padStart(8, '0')}-7c1b-5f0e-9b1d-2f6a5c0b8e47`).toString('latin1')
    const usedBytes = () => {
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const measure = (fill: () => unknown): number => {
      collect()
      const before = usedBytes()
      const kept = fill()
      collect()
      const bytes = (usedBytes() - before) / waiting
      expect(kept).toBeDefined()
      return bytes
    }
    const queued = measure(() => {
      const queues = makeEndpointQueues()
      for (let i = 0; i < waiting; i++) queues.enqueue(id(i), status({ endpoint_id: `e${i % 100}` }), 'back')
      return queues
    })
    const inTier = measure(() => {
      const watch = makeTicketWatch()
      for (let i = 0; i < waiting; i++) watch.expect(id(i), status({ requests: 1, due_at: 1.7e12 + i }))
      return watch
    })
    const strict = measure(() => {
      const lines = makeOrderLines(() => undefined)
      const queues = makeEndpointQueues()
      for (let i = 0; i < waiting; i++) {
        const own = id(i)
        const order = Buffer.from(`${i}`).toString('latin1')
        const ordered = status({ endpoint_id: `e${i % 100}`, order_id: order, order_sequence: 1 })
        lines.join(own, ordered)
        queues.enqueue(own, ordered, 'back')
      }
      return [lines, queues]
    })
    const held = measure(() => {
      const room = makeWakeups<string>()
      for (let i = 0; i < waiting; i++) room.add(1.7e12 + (i % 5000), id(i))
      return room
    })
    expect(strict).toBeLessThan(150)
    expect(held).toBeLessThan(150)
    expect(queued).toBeLessThan(150)
    // An id and three numbers.
    expect(inTier).toBeLessThan(40)
  })
})
