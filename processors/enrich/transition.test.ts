import { describe, expect, it } from 'vitest'
import type { OrderRow } from '../../schemas/index.ts'
import { created, firedOf, history, removed } from './testing/history.ts'
import { orderChange, position, row, startMs, update } from './testing/order-change.ts'

describe('the transition rule', () => {
  it('fires when the event changes, and not for statuses without one', () => {
    const steps = ['NEW', 'CONFIRMED', 'PACKED', 'OUT', 'DELIVERED', 'RETURN', 'PICKED', 'CANCELLED'].map(
      (s) => row(s),
    )
    const changes = steps.map((to, i) => {
      const from = steps[i - 1]
      return from ? update(from, to, i + 1) : created(to, 1)
    })
    expect(history(...changes).words).toEqual([
      'no_transition',
      'order_confirmed',
      'no_transition',
      'out_for_delivery',
      'delivered',
      'return_initiated',
      'return_picked_up',
      'no_transition',
    ])
  })

  it('compares with the row before, so that a status without event in between fires again', () => {
    const { words } = history(
      created(row('OUT'), 1),
      update(row('OUT'), row('PACKED'), 2),
      update(row('PACKED'), row('OUT'), 3),
    )
    expect(words).toEqual(['out_for_delivery', 'no_transition', 'out_for_delivery'])
  })

  it('fires A→B→A each time, with different ids and growing sequence', () => {
    const { taken } = history(
      created(row('OUT'), 1),
      update(row('OUT'), row('DELIVERED'), 2),
      update(row('DELIVERED'), row('OUT'), 3),
      update(row('OUT'), row('DELIVERED'), 4),
    )
    const fired = taken.map(firedOf)
    expect(new Set(fired.map((event) => event?.event_id)).size).toBe(4)
    expect(fired.map((event) => event?.order_sequence)).toEqual([1, 2, 3, 4])
    expect(fired.map((event) => event?.previous_status)).toEqual([null, 'OUT', 'DELIVERED', 'OUT'])
  })

  it('emits only what was observed when states are skipped', () => {
    expect(
      history(created(row('CONFIRMED'), 1), update(row('CONFIRMED'), row('DELIVERED'), 2)).words,
    ).toEqual(['order_confirmed', 'delivered'])
  })

  it.each([
    ['OUT', 'out_for_delivery'],
    ['FAILED', 'delivery_failed'],
    ['DELIVERED', 'no_transition'],
    ['CONFIRMED', 'no_transition'],
  ])('a new attempt in %s: %s', (status, word) => {
    const { words } = history(
      created(row(status, { attempt_no: 1 }), 1),
      update(row(status, { attempt_no: 1 }), row(status, { attempt_no: 2 }), 2),
    )
    expect(words[1]).toBe(word)
  })

  it('touching anything else is no transition', () => {
    const { words } = history(created(row('OUT'), 1), update(row('OUT'), row('OUT', { city: 'Delhi' }), 2))
    expect(words[1]).toBe('no_transition')
  })
})

describe('what came before', () => {
  const blind = (to: OrderRow, sequence: number) => orderChange('UPDATE', to, position(sequence))

  it('is the last known row when the source does not say it', () => {
    const { words, taken } = history(created(row('CONFIRMED'), 1), blind(row('OUT'), 2), blind(row('OUT'), 3))
    expect(words).toEqual(['order_confirmed', 'out_for_delivery', 'no_transition'])
    expect(firedOf(taken[1])?.previous_status).toBe('CONFIRMED')
  })

  it('is unknown for an update of an order never seen: it is remembered, and the next one fires', () => {
    expect(history(blind(row('OUT'), 1), blind(row('DELIVERED'), 2)).words).toEqual([
      'unknown_previous',
      'delivered',
    ])
  })

  it('is known from the source even if the order was never seen', () => {
    expect(history(update(row('CONFIRMED'), row('OUT'), 9)).words).toEqual(['out_for_delivery'])
  })
})

describe('created rows', () => {
  it('fire the state they are born in', () => {
    expect(history(created(row('CONFIRMED'), 1)).words).toEqual(['order_confirmed'])
    expect(history(created(row('NEW'), 1)).words).toEqual(['no_transition'])
  })

  it('older than a day are imports: they hydrate, and go on from there', () => {
    const dayMs = 24 * 3600 * 1000
    const old = row('OUT', { updated_at: startMs - dayMs - 1 })
    expect(history(created(old, 1), update(old, row('DELIVERED'), 2)).words).toEqual(['import', 'delivered'])
    expect(history(created(row('OUT', { updated_at: startMs - dayMs }), 1)).words).toEqual([
      'out_for_delivery',
    ])
  })

  it('without updated_at happened when the source committed them', () => {
    const { taken } = history(
      orderChange('CREATE', row('OUT', { updated_at: null }), position(1, { commit_at: 1234 })),
    )
    expect(taken[0]).toMatchObject({ kind: 'hydrated', why: 'import' })
    const recent = history(
      orderChange('CREATE', row('OUT', { updated_at: null }), position(1, { commit_at: startMs - 5 })),
    )
    expect(firedOf(recent.taken[0])?.occurred_at).toBe(startMs - 5)
  })
})

describe('sequence', () => {
  it('is the row version where that is ahead, grows by one otherwise, and outlives a delete', () => {
    const { taken } = history(
      created(row('CONFIRMED', { version: 7 }), 1),
      update(row('CONFIRMED'), row('OUT', { version: 7 }), 2),
      removed(3),
      created(row('CONFIRMED', { version: 0, created_at: startMs + 1 }), 4),
    )
    expect(taken.map((entry) => firedOf(entry)?.order_sequence)).toEqual([7, 8, undefined, 9])
  })
})

describe('deletes', () => {
  it('leave a marker that knows late repeats', () => {
    const { words, order } = history(
      created(row('CONFIRMED'), 1),
      removed(3),
      update(row('CONFIRMED'), row('OUT'), 2),
    )
    expect(words[2]).toBe('stale by position')
    expect(order).toMatchObject({ deleted_at: startMs, row: { status: 'CONFIRMED' } })
  })

  it('of an order never seen leave a marker too', () => {
    expect(history(removed(5), created(row('CONFIRMED'), 4)).words).toEqual(['deleted', 'stale by position'])
  })

  it('end an incarnation: a later insert fires what it is born in', () => {
    const { words, order } = history(created(row('CONFIRMED'), 1), removed(2), created(row('CONFIRMED'), 3))
    expect(words).toEqual(['order_confirmed', 'deleted', 'order_confirmed'])
    expect(order?.deleted_at).toBeNull()
  })

  it('in the transaction of an insert are a REPLACE: an update of the remembered row', () => {
    const transaction = { transaction_id: '0-1-9' }
    const replace = (to: OrderRow) => [
      orderChange('DELETE', null, position(9, { ...transaction, offset_in_log: 10 })),
      orderChange('CREATE', to, position(9, { ...transaction, offset_in_log: 20 })),
    ]
    expect(history(created(row('CONFIRMED'), 1), ...replace(row('CONFIRMED'))).words.at(-1)).toBe(
      'no_transition',
    )
    const changed = history(created(row('CONFIRMED'), 1), ...replace(row('OUT')))
    expect(firedOf(changed.taken.at(-1))).toMatchObject({
      event: 'out_for_delivery',
      previous_status: 'CONFIRMED',
    })
  })
})

describe('key changes', () => {
  it('hydrate under the new key, and the next change goes on from there', () => {
    const moved = orderChange('CREATE', row('CONFIRMED'), position(4), { previous_key: '0' })
    expect(history(moved, update(row('CONFIRMED'), row('OUT'), 5)).words).toEqual([
      'key_change',
      'out_for_delivery',
    ])
  })
})
