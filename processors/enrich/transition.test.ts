import { describe, expect, it } from 'vitest'
import type { OrderChange, OrderRow, OrderState } from '../../schemas/index.ts'
import { noPosition, orderChange, position, row, startMs, update } from './order-change.ts'
import { unavailableValue } from './order-state.ts'
import { defaultTiming } from './timing.ts'
import { type Taken, takeChange } from './transition.ts'

/** Applies changes in turn and keeps what each brought about. */
function history(...changes: OrderChange[]): {
  order: OrderState | undefined
  taken: Taken[]
  words: string[]
} {
  let order: OrderState | undefined
  const taken: Taken[] = []
  for (const change of changes) {
    const transition = takeChange(order, change, { now: startMs, recordTimestamp: startMs }, defaultTiming)
    order = transition.order
    taken.push(transition.taken)
  }
  return { order, taken, words: taken.map(wordOf) }
}

const wordOf = (taken: Taken): string => {
  switch (taken.kind) {
    case 'fired':
      return taken.fired.event
    case 'hydrated':
      return taken.why
    case 'stale':
      return `stale by ${taken.by}`
    case 'missed':
      return `missed ${taken.missed.event}`
    case 'deleted':
      return 'deleted'
  }
}

const created = (to: OrderRow, sequence: number) => orderChange('CREATE', to, position(sequence))
const removed = (sequence: number) => orderChange('DELETE', null, position(sequence))
const snapshot = (to: OrderRow) => orderChange('SNAPSHOT', to, noPosition())
const firedOf = (taken: Taken | undefined) => (taken?.kind === 'fired' ? taken.fired : undefined)

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

describe('ids', () => {
  it('are the same for the same transition, read from another place, where the row has a version', () => {
    const change = (sequence: number, version: number | null) =>
      firedOf(history(created(row('CONFIRMED', { version }), sequence)).taken[0])?.event_id
    expect(change(1, 4)).toBe(change(800, 4))
    expect(change(1, 4)).not.toBe(change(1, 5))
    expect(change(1, null)).not.toBe(change(800, null))
    expect(change(1, null)).toBe(change(1, null))
  })

  it('never change between releases', () => {
    // Receivers remember these. If this fails, the change that made it fail is wrong.
    const versioned = firedOf(history(created(row('CONFIRMED', { version: 4 }), 1)).taken[0])
    const positioned = firedOf(history(created(row('CONFIRMED'), 1)).taken[0])
    expect([versioned?.event_id, positioned?.event_id]).toMatchInlineSnapshot(`
      [
        "4571a260-1825-52b8-be1b-a5e619ff8729",
        "5511c866-79c5-5d0c-946f-961f38c03a46",
      ]
    `)
  })

  it('differ after a delete and a new insert, even with the version starting again', () => {
    const { taken } = history(
      created(row('CONFIRMED', { version: 1 }), 1),
      removed(2),
      created(row('CONFIRMED', { version: 1, created_at: startMs + 60_000 }), 3),
    )
    expect(firedOf(taken[0])?.event_id).not.toBe(firedOf(taken[2])?.event_id)
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

describe('snapshot rows', () => {
  it('only hydrate where nothing is known, and the next change compares with them', () => {
    const blind = orderChange('UPDATE', row('OUT'), position(1))
    expect(history(snapshot(row('CONFIRMED')), blind).words).toEqual(['snapshot', 'out_for_delivery'])
    expect(history(snapshot(row('OUT')), blind).words).toEqual(['snapshot', 'no_transition'])
  })

  it('do not hydrate when their version, else their time, is older', () => {
    const known = (version: number | null) => created(row('OUT', { version }), 9)
    const later = (version: number | null, ms: number) =>
      snapshot(row('DELIVERED', { version, updated_at: startMs + ms }))
    expect(history(known(5), later(4, 1000)).words[1]).toBe('stale by version')
    expect(history(known(5), later(5, -1000)).words[1]).toBe('missed delivered')
    expect(history(known(null), later(null, -1)).words[1]).toBe('stale by updated_at')
    expect(history(known(null), later(null, 1)).words[1]).toBe('missed delivered')
  })

  it('show a missed transition: kept for people, not sent, and forgotten when it is streamed after all', () => {
    const missed = history(created(row('OUT', { version: 3 }), 9), snapshot(row('DELIVERED', { version: 4 })))
    expect(missed.words).toEqual(['out_for_delivery', 'missed delivered'])
    expect(missed.order?.missed).toMatchObject([
      { from_status: 'OUT', to_status: 'DELIVERED', event: 'delivered' },
    ])
    const streamed = history(
      created(row('OUT', { version: 3 }), 9),
      snapshot(row('DELIVERED', { version: 4 })),
      update(row('OUT'), row('DELIVERED', { version: 4 }), 10),
    )
    expect(streamed.words[2]).toBe('delivered')
    expect(streamed.order?.missed).toEqual([])
  })

  it('with the stored status are nothing', () => {
    expect(history(created(row('OUT'), 9), snapshot(row('OUT'))).words[1]).toBe('snapshot')
  })

  it('do not move the position: what the stream still has to say is news', () => {
    const { order } = history(created(row('OUT'), 9), snapshot(row('DELIVERED', { updated_at: startMs + 1 })))
    expect(order?.position?.sequence).toBe(9)
  })

  it('bring a deleted order back only when they show a later life', () => {
    const gone = [created(row('OUT'), 1), removed(2)]
    expect(history(...gone, snapshot(row('OUT'))).words[2]).toBe('stale by deleted')
    const again = history(...gone, snapshot(row('CONFIRMED', { created_at: startMs + 5 })))
    expect(again.words[2]).toBe('snapshot')
    expect(again.order).toMatchObject({ deleted_at: null, missed: [] })
  })
})

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
