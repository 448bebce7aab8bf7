/** Lists read page by page: their order, where a page may end, and which cursors are taken. */
import { expect, it } from 'vitest'
import { type EventFilter, everything, type Scope } from '../../delivery-log.ts'
import { attempted, batch, history, testStartMs } from '../log-records.ts'
import { deliveryPages, type OpenLog, partner } from './workbench.ts'

export function pagesContract(open: OpenLog): void {
  it('pages newest first, each event once, also while new ones come in', async () => {
    const log = await open()
    const events = Array.from({ length: 25 }, (_, n) =>
      // Five at each moment: the id decides among them.
      attempted({ of: `event-${n}`, occurred_at: testStartMs + Math.floor(n / 5) * 1000 }),
    )
    await log.write(batch({ history: events }))
    const seen: { occurred_at: number; event_id: string }[] = []
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await log.listEvents(everything, {}, { limit: 4, ...(cursor && { cursor }) })
      if (page === 'bad_cursor') throw new Error('a cursor of its own was refused')
      seen.push(...page.events)
      cursor = page.cursor
      const newer = attempted({ of: `newer-${seen.length}`, occurred_at: testStartMs + 60_000 })
      await log.write(batch({ history: [newer] }))
    }
    const expected = events.toSorted(
      (left, right) => right.occurred_at - left.occurred_at || (left.event_id < right.event_id ? 1 : -1),
    )
    expect(seen.map((row) => row.event_id)).toEqual(expected.map((row) => row.event_id))
  })

  it('lists deliveries each by itself, in pages that may end in the midst of an event', async () => {
    const log = await open()
    const endpoints = ['ep-1', 'ep-2', 'ep-3', 'ep-4', 'ep-5']
    const made = ['event-1', 'event-2'].flatMap((of) =>
      endpoints.map((endpoint_id) =>
        attempted({ of, endpoint_id, state: endpoint_id === 'ep-2' ? 'dead' : 'delivered' }),
      ),
    )
    await log.write(batch({ history: made }))
    const all = (await deliveryPages(log, everything, {})).flat()
    expect(all).toHaveLength(10)
    expect(new Set(all.map((row) => row.delivery_id)).size).toBe(10)
    const dead = await log.listDeliveries(partner('partner-1'), { status: 'dead' }, { limit: 10 })
    expect(dead).toMatchObject({
      deliveries: [
        { endpoint_id: 'ep-2', attempts: 1 },
        { endpoint_id: 'ep-2', attempts: 1 },
      ],
      cursor: null,
    })
    const events = await log.listEvents(everything, {}, { limit: 1 })
    const cursor = events === 'bad_cursor' ? '' : (events.cursor ?? '')
    expect(await log.listDeliveries(everything, {}, { limit: 1, cursor })).toBe('bad_cursor')
  })

  it('refuses a cursor that is not its own, or of another question', async () => {
    const log = await open()
    await log.write(batch({ history: [history(), history({ of: 'event-2' })] }))
    const page = await log.listEvents(everything, {}, { limit: 1 })
    const cursor = page === 'bad_cursor' ? '' : (page.cursor ?? '')
    expect(cursor).not.toBe('')
    const ask = (scope: Scope, filter: EventFilter, text: string) =>
      log.listEvents(scope, filter, { limit: 1, cursor: text })
    expect(await ask(everything, {}, cursor)).toMatchObject({ events: [{}] })
    expect(await ask(partner('partner-1'), {}, cursor)).toBe('bad_cursor')
    expect(await ask(everything, { status: 'dead' }, cursor)).toBe('bad_cursor')
    for (const forged of ['', 'x', '%%%', Buffer.from('[1,2,3]').toString('base64url'), cursor.slice(2)]) {
      expect(await ask(everything, {}, forged), forged).toBe('bad_cursor')
    }
    await expect(log.listEvents(everything, {}, { limit: 0 })).rejects.toThrow(RangeError)
    await expect(log.listEvents(everything, {}, { limit: 101 })).rejects.toThrow(RangeError)
  })
}
