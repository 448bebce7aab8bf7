import { describe, expect, it } from 'vitest'
import { unavailableValue } from './order-state.ts'
import { created, history } from './testing/history.ts'
import { row, update } from './testing/order-change.ts'

describe('values that the source left out', () => {
  it('stay what they were', () => {
    const { order } = history(
      created(row('CONFIRMED', { city: 'Pune' }), 1),
      update(row('CONFIRMED'), row('OUT', { city: unavailableValue, customer_name: unavailableValue }), 2),
    )
    expect(order?.row).toMatchObject({ city: 'Pune', customer_name: 'sealed:k1:name' })
  })
  it('are null where nothing is known', () => {
    expect(history(created(row('CONFIRMED', { city: unavailableValue }), 1)).order?.row?.city).toBeNull()
  })
})
