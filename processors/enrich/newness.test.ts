import { describe, expect, it } from 'vitest'
import type { OrderChange, OrderRow } from '../../schemas/index.ts'
import { created, history } from './testing/history.ts'
import { orderChange, position, row, startMs, update } from './testing/order-change.ts'
import { defaultTiming } from './timing.ts'
import { takeChange } from './transition.ts'

describe('newness', () => {
  it('drops what the source wrote before, or at the same place', () => {
    const confirmed = update(row('NEW'), row('CONFIRMED'), 5)
    const { words } = history(created(row('NEW'), 4), confirmed, created(row('NEW'), 4), confirmed)
    expect(words.slice(2)).toEqual(['stale by position', 'stale by position'])
  })

  it('orders within a transaction by place in the log, and within a statement by row', () => {
    const at = (offset: number, rowNo: number) => position(5, { offset_in_log: offset, row: rowNo })
    const blind = (to: OrderRow, where: OrderChange['position']) => orderChange('UPDATE', to, where)
    const { words } = history(
      orderChange('CREATE', row('CONFIRMED'), at(10, 0)),
      blind(row('OUT'), at(20, 1)),
      blind(row('DELIVERED'), at(20, 0)),
      blind(row('DELIVERED'), at(20, 2)),
    )
    expect(words).toEqual(['order_confirmed', 'out_for_delivery', 'stale by position', 'delivered'])
  })

  it('does not compare lineages or sources: takes the change, unless the row version proves it older', () => {
    const elsewhere = position(1, { lineage: 'gtid:7' })
    const known = created(row('CONFIRMED', { version: 3 }), 900)
    const withVersion = (version: number | null) =>
      history(known, orderChange('UPDATE', row('OUT', { version }), elsewhere))
    expect(withVersion(2).words[1]).toBe('stale by version')
    expect(withVersion(3).words[1]).toBe('out_for_delivery')
    expect(withVersion(null).words[1]).toBe('out_for_delivery')
  })

  it('says so when it could not compare', () => {
    const first = takeChange(
      undefined,
      created(row('NEW'), 9),
      { now: startMs, recordTimestamp: startMs },
      defaultTiming,
    )
    const second = takeChange(
      first.order,
      orderChange('UPDATE', row('CONFIRMED'), position(1, { source: 'mariadb:oms2' })),
      { now: startMs, recordTimestamp: startMs },
      defaultTiming,
    )
    expect([first.incomparable, second.incomparable]).toEqual([false, true])
  })
})
