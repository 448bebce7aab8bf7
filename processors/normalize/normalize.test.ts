import { describe, expect, it } from 'vitest'
import type { AssignmentChange, OrderChange } from '../../schemas/index.ts'
import { normalize, normalizeCounters } from './normalize.ts'
import {
  assignmentRow,
  capturedRecord,
  envelope,
  orderRow,
  testDecoder,
  testMapping,
  testSealer,
} from './testing/captured-message.ts'

/** Runs the processor over one record: what it emits, counts, and whether it refuses. */
function processed(parts: Parameters<typeof capturedRecord>[0]) {
  const orders: [string, OrderChange][] = []
  const assignments: [string, AssignmentChange][] = []
  const counts: string[] = []
  const record = capturedRecord(parts)
  const handlers = normalize({ mapping: testMapping(), seal: testSealer, decodeAvro: testDecoder }).create({
    taskId: 'normalize_0',
    partition: 0,
    now: () => record.timestamp,
    streamTime: () => record.timestamp,
    caughtUp: () => true,
    stores: {},
    globals: {},
    emit: {
      orderChange: (key, value) => void orders.push([key, value]),
      assignmentChange: (key, value) => void assignments.push([key, value]),
    },
    effects: {},
    wakeAt: () => undefined,
    count: (name, labels) => void counts.push([name, ...Object.values(labels ?? {})].join(' ')),
    reject(reason) {
      throw new Error(`rejected ${reason}`)
    },
  })
  const { key, value, ...rest } = record
  const take = () => handlers.inputs.orders({ ...rest, key, value, partition: 0, offset: 0 })
  return { take, orders, assignments, counts }
}

describe('NORMALIZE', () => {
  it('emits an order under its order_id', () => {
    const { take, orders, counts } = processed({})
    take()
    expect(orders.map(([key]) => key)).toEqual(['1101'])
    expect(counts).toEqual([`${normalizeCounters.changes} orders`])
  })

  it('emits an assignment under the order it is for, whatever the key of its record', () => {
    const value = envelope({ op: 'c', before: null, after: assignmentRow({ order_id: 77 }) })
    const { take, assignments } = processed({ topic: 'cdc.dispatch.assignments', key: '{"id":5101}', value })
    take()
    expect(assignments.map(([key]) => key)).toEqual(['77'])
  })

  it('drops nothing without a count', () => {
    const tombstone = processed({ value: null })
    tombstone.take()
    expect(tombstone.counts).toEqual([`${normalizeCounters.ignored} tombstone`])
    const truncate = processed({ value: envelope({ op: 't', before: null, after: null }), key: null })
    truncate.take()
    expect(truncate.counts).toEqual([`${normalizeCounters.truncated} cdc.oms.orders`])
    const badTime = processed({ value: envelope({ after: orderRow({ updated_at: 'soon' }) }) })
    badTime.take()
    expect(badTime.counts).toContain(normalizeCounters.badTimes)
  })

  it('refuses what it cannot read', () => {
    const { take, counts, orders } = processed({ value: 'no json' })
    expect(take).toThrow('rejected not_json')
    expect(counts).toEqual([`${normalizeCounters.undecodable} not_json`])
    expect(orders).toEqual([])
  })
})
