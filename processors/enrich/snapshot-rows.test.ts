import { describe, expect, it } from 'vitest'
import { created, history, removed, snapshot } from './testing/history.ts'
import { orderChange, position, row, startMs, update } from './testing/order-change.ts'

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
