/** What every delivery log does, whatever it is made of: run by each adapter's test. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DeliveryHistory, testOrderPrefix } from '../schemas/index.ts'
import {
  type Backlog,
  type DeliveryLog,
  type EventFilter,
  everything,
  type LogBatch,
  type Scope,
  statusFilters,
} from './delivery-log.ts'
import { createMemoryDeliveryLog } from './memory-delivery-log.ts'
import { attempted, batch, health, history, idOf, testStartMs, verdict } from './testing/log-records.ts'
import { type Story, storyBatches, storyOf } from './testing/log-stories.ts'

/** One adapter. */
export interface DeliveryLogContractOptions {
  readonly name: string
  /** Prepares what `open` needs, once. */
  readonly start?: () => Promise<void>
  readonly stop?: () => Promise<void>
  /** Opens an empty log, apart from all others. */
  readonly open: (options?: { readonly backlog?: Backlog }) => Promise<DeliveryLog>
  /** Why this adapter cannot be tested here. */
  readonly skip?: string
  /** Random stories to try. */
  readonly stories?: number
}

const partner = (partnerId: string): Scope => ({ partnerId })

/** Declares the suite for one adapter. */
export function deliveryLogContract(options: DeliveryLogContractOptions): void {
  const { name, start, stop, open, skip } = options
  describe.skipIf(skip !== undefined)(`${name} as a delivery log${skip ? ` (skipped: ${skip})` : ''}`, () => {
    // What a service needs to be there may have to be made first.
    beforeAll(async () => start?.(), 120_000)
    afterAll(async () => stop?.())

    it('is empty at first, and does not invent what it does not hold', async () => {
      const log = await open()
      expect(await log.listEvents(everything, {}, { limit: 10 })).toEqual({
        events: [],
        cursor: null,
        as_of: null,
      })
      expect(await log.getEvent(everything, idOf('nothing'))).toBeUndefined()
      expect(await log.getDelivery(everything, idOf('nothing'))).toBeUndefined()
      expect(await log.getEvent(everything, "no id; ' or 1=1")).toBeUndefined()
      expect(await log.getDelivery(everything, '')).toBeUndefined()
      expect((await log.counts(everything)).events).toBe(0)
      await expect(log.ping()).resolves.toBeUndefined()
    })

    it('shows an event with its deliveries, verdicts and masked bodies', async () => {
      const log = await open()
      await log.write(
        batch({
          verdicts: [verdict(), verdict({ endpoint_id: 'ep-2', verdict: 'FILTERED' })],
          history: [history({ payload: '{"otp":"****"}' }), attempted({ at: testStartMs + 300 })],
        }),
      )
      const found = await log.getEvent(everything, idOf('event-1'))
      expect(found).toEqual({
        event: {
          event_id: idOf('event-1'),
          partner_id: 'partner-1',
          order_id: '1101',
          event: 'out_for_delivery',
          occurred_at: testStartMs,
          routed_at: testStartMs + 100,
          order_sequence: 3,
          deliveries: { waiting: 0, delivered: 1, dead: 0, skipped: 0 },
          retry_count: 0,
          last_change_at: testStartMs + 300,
        },
        deliveries: [
          expect.objectContaining({
            delivery_id: idOf('event-1 at ep-1'),
            state: 'delivered',
            change: 'ATTEMPTED',
            version: 2,
            changed_at: testStartMs + 300,
            attempts: 1,
            last_outcome: 'acknowledged',
            last_status_code: 200,
          }),
        ],
        verdicts: [
          {
            endpoint_id: 'ep-1',
            verdict: 'ROUTED',
            delivery_id: idOf('event-1 at ep-1'),
            payload_version: 'v2',
            decided_at: testStartMs + 100,
          },
          expect.objectContaining({ endpoint_id: 'ep-2', verdict: 'FILTERED', delivery_id: null }),
        ],
        payloads: [{ payload_version: 'v2', payload: '{"otp":"****"}' }],
      })
      const page = await log.listEvents(everything, {}, { limit: 1 })
      expect(page).toMatchObject({ events: [found?.event], cursor: null })
    })

    it('shows an event that nobody wanted', async () => {
      const log = await open()
      await log.write(batch({ verdicts: [verdict({ endpoint_id: null, verdict: 'UNMAPPED' })] }))
      expect(await log.getEvent(everything, idOf('event-1'))).toMatchObject({
        event: {
          deliveries: { waiting: 0, delivered: 0, dead: 0, skipped: 0 },
          last_change_at: null,
          order_sequence: null,
        },
        deliveries: [],
        verdicts: [{ endpoint_id: null, verdict: 'UNMAPPED', payload_version: null }],
      })
    })

    it('shows a delivery with its attempts, oldest first', async () => {
      const log = await open()
      const failed = { class: 'http_5xx', status_code: 503, detail: 'busy' }
      await log.write(
        batch({
          history: [
            attempted({ version: 3, retry_count: 1, at: testStartMs + 30_000 }),
            attempted({
              state: 'waiting',
              next_due_at: testStartMs + 29_000,
              made: { outcome: failed, again: true },
            }),
            history({ payload: '{}' }),
          ],
        }),
      )
      const found = await log.getDelivery(everything, idOf('event-1 at ep-1'))
      expect(found).toMatchObject({
        delivery: { state: 'delivered', version: 3, retry_count: 1, next_due_at: null, attempts: 2 },
        payload: '{}',
      })
      expect(found?.attempts).toMatchObject([
        {
          version: 2,
          retry_count: 0,
          trigger: 'FIRST',
          outcome: 'http_5xx',
          status_code: 503,
          detail: 'busy',
          again: true,
          resulting_state: 'waiting',
        },
        {
          version: 3,
          retry_count: 1,
          trigger: 'RETRY',
          outcome: 'acknowledged',
          resulting_state: 'delivered',
        },
      ])
    })

    it('shows what a delivery waited for, who had it sent, and what its receiver asked for', async () => {
      const log = await open()
      const before = attempted({ state: 'dead', queued_ms: 1500, made: { retry_after_ms: 90_000 } })
      const again = { by_hand: true, out_of_order: true, waited_for_order_ms: 4000, redrive_id: 'redrive-1' }
      await log.write(batch({ history: [before] }))
      const plain = { by_hand: false, out_of_order: false, waited_for_order_ms: 0, redrive_id: null }
      const id = idOf('event-1 at ep-1')
      expect(await log.getDelivery(everything, id)).toMatchObject({
        delivery: plain,
        attempts: [{ queued_ms: 1500, retry_after_ms: 90_000 }],
      })
      await log.write(
        batch({ history: [attempted({ version: 3, at: testStartMs + 900, queued_ms: 3e9, ...again })] }),
      )
      const found = await log.getDelivery(everything, id)
      expect(found).toMatchObject({
        delivery: again,
        attempts: [{ queued_ms: 1500 }, { queued_ms: 3e9, retry_after_ms: null }],
      })
      expect(found?.delivery).not.toHaveProperty('queued_ms')
    })

    it('finds what a redrive sent, and what went out of order', async () => {
      const log = await open()
      await log.write(
        batch({
          history: [
            attempted({ of: 'event-1', redrive_id: 'redrive-1' }),
            attempted({ of: 'event-2', redrive_id: 'redrive-2', out_of_order: true }),
            attempted({ of: 'event-2', endpoint_id: 'ep-2' }),
            attempted({ of: 'event-3' }),
          ],
        }),
      )
      const found = async (filter: EventFilter) => {
        const events = await log.listEvents(everything, filter, { limit: 10 })
        const deliveries = await log.listDeliveries(everything, filter, { limit: 10 })
        if (events === 'bad_cursor' || deliveries === 'bad_cursor') throw new Error('there was no cursor')
        return [events.events.length, deliveries.deliveries.length]
      }
      expect(await found({ redriveId: 'redrive-1' })).toEqual([1, 1])
      expect(await found({ redriveId: 'redrive-2', endpointId: 'ep-2' })).toEqual([0, 0])
      expect(await found({ redriveId: 'redrive-3' })).toEqual([0, 0])
      expect(await found({ outOfOrder: true })).toEqual([1, 1])
      expect(await found({ outOfOrder: true, redriveId: 'redrive-1' })).toEqual([0, 0])
      expect(await found({ outOfOrder: false })).toEqual([3, 3])
    })

    it('finds what was sent to try an endpoint, and what was not', async () => {
      const log = await open()
      const tests = { of: 'event-2', order_id: `${testOrderPrefix}0b8f7f3c` }
      // Next to the tests in any order of texts, and no test.
      const near = { of: 'event-3', order_id: 'waybill-test' }
      await log.write(batch({ history: [attempted(), attempted(tests), attempted(near)] }))
      const found = async (filter: EventFilter) => {
        const page = await log.listDeliveries(everything, filter, { limit: 10 })
        if (page === 'bad_cursor') throw new Error('there was no cursor')
        return page.deliveries.map(({ event_id }) => event_id).sort()
      }
      const others = [idOf('event-1'), idOf('event-3')].sort()
      expect(await found({ test: true })).toEqual([idOf('event-2')])
      expect(await found({ test: true, status: 'dead' })).toEqual([])
      expect(await found({ test: false })).toEqual(others)
      expect(await found({ test: false, endpointId: 'ep-1' })).toEqual(others)
    })

    it('lets no lower version overwrite a higher one, and keeps its attempt all the same', async () => {
      const log = await open()
      const late = attempted({ version: 2, state: 'waiting', made: { outcome: { class: 'http_5xx' } } })
      await log.write(batch({ history: [attempted({ version: 3, at: testStartMs + 900, retry_count: 1 })] }))
      await log.write(batch({ history: [late, history()] }))
      const found = await log.getDelivery(everything, idOf('event-1 at ep-1'))
      expect(found?.delivery).toMatchObject({ state: 'delivered', version: 3, last_outcome: 'acknowledged' })
      expect(found?.attempts.map((row) => row.version)).toEqual([2, 3])
    })

    it('counts a repeat of the same records no further', async () => {
      const log = await open()
      const records = batch({
        history: [history({ payload: '{}' }), attempted()],
        verdicts: [verdict()],
        health: [health()],
      })
      await log.write(records)
      const once = await log.counts(everything)
      expect(once).toEqual({
        events: 1,
        attempts: 1,
        verdicts: 1,
        endpoints: 1,
        deliveries: { waiting: 0, delivered: 1, dead: 0, skipped: 0 },
      })
      for (let n = 0; n < 3; n++) await log.write(records)
      expect(await log.counts(everything)).toEqual(once)
    })

    it('keeps that an event was routed, whatever a later repeat was told', async () => {
      const log = await open()
      const filtered = verdict({ endpoint_id: 'ep-2', verdict: 'FILTERED' })
      await log.write(batch({ verdicts: [verdict(), filtered] }))
      await log.write(
        batch({
          verdicts: [
            verdict({ verdict: 'TOO_OLD', at: testStartMs + 9e8 }),
            { ...filtered, verdict: 'TOO_OLD', at: testStartMs + 9e8 },
          ],
        }),
      )
      const found = await log.getEvent(everything, idOf('event-1'))
      expect(found?.verdicts.map((row) => row.verdict)).toEqual(['ROUTED', 'TOO_OLD'])
      expect(found?.event.routed_at).toBe(testStartMs + 100)
    })

    it('takes a record about an endpoint for no delivery', async () => {
      const log = await open()
      const enabled = history({ change: 'ENABLED', reason: 'requested_by_api' })
      await log.write(batch({ history: [{ ...enabled, delivery_id: '', event_id: '' }] }))
      expect((await log.counts(everything)).deliveries.waiting).toBe(0)
    })

    it('keeps texts that a database might choke on', async () => {
      const log = await open()
      const odd = 'NUL \0, quote \', backslash \\, braces {a,"b"}, emoji 🚚, half of one \ud83d, NULL'
      const order = 'x'.repeat(5000)
      await log.write(
        batch({
          history: [
            attempted({ order_id: order, reason: odd, payload: odd, made: { outcome: { detail: odd } } }),
            history({ of: 'event-2', order_id: 'NULL', payload: '' }),
          ],
        }),
      )
      const found = await log.getDelivery(everything, idOf('event-1 at ep-1'))
      for (const text of [found?.payload, found?.delivery.reason, found?.attempts[0]?.detail]) {
        expect(text).toContain(`, quote ', backslash \\, braces {a,"b"}, emoji 🚚, half of one`)
        expect(text?.endsWith(', NULL')).toBe(true)
      }
      const byOrder = await log.listEvents(everything, { orderId: order }, { limit: 5 })
      expect(byOrder).toMatchObject({ events: [{ event_id: idOf('event-1') }] })
      const byNull = await log.listEvents(everything, { orderId: 'NULL' }, { limit: 5 })
      expect(byNull).toMatchObject({ events: [{ event_id: idOf('event-2'), order_id: 'NULL' }] })
    })

    it('keeps the latest report of an endpoint', async () => {
      const log = await open()
      await log.write(batch({ health: [health({ reported_at: testStartMs + 5, health: '{"n":2}' })] }))
      await log.write(
        batch({ health: [health({ health: '{"n":1}' }), health({ endpoint_id: 'ep-0', partner_id: 'p0' })] }),
      )
      expect((await log.listHealth(everything)).map((row) => [row.endpoint_id, row.health])).toEqual([
        ['ep-0', '{"state":"healthy"}'],
        ['ep-1', '{"n":2}'],
      ])
      expect(await log.listHealth(partner('p0'))).toHaveLength(1)
    })

    it('hides everything of one partner from another', async () => {
      const log = await open()
      await log.write(
        batch({
          verdicts: [verdict()],
          history: [history({ payload: '{}' }), attempted()],
          health: [health()],
        }),
      )
      const [own, other] = [partner('partner-1'), partner('partner-2')]
      expect(await log.getEvent(own, idOf('event-1'))).toBeDefined()
      expect(await log.getDelivery(own, idOf('event-1 at ep-1'))).toBeDefined()
      expect(await log.getEvent(other, idOf('event-1'))).toBeUndefined()
      expect(await log.getDelivery(other, idOf('event-1 at ep-1'))).toBeUndefined()
      expect(await log.listHealth(other)).toEqual([])
      expect(await log.counts(own)).toEqual(await log.counts(everything))
      expect(await log.counts(other)).toEqual({
        events: 0,
        attempts: 0,
        verdicts: 0,
        endpoints: 0,
        deliveries: { waiting: 0, delivered: 0, dead: 0, skipped: 0 },
      })
      for (const filter of [
        {},
        { orderId: '1101' },
        { endpointId: 'ep-1' },
        { status: 'delivered' },
      ] as const) {
        const page = await log.listEvents(other, filter, { limit: 10 })
        expect(page, JSON.stringify(filter)).toMatchObject({ events: [] })
        const others = await log.listDeliveries(other, filter, { limit: 10 })
        expect(others, JSON.stringify(filter)).toMatchObject({ deliveries: [] })
        const mine = await log.listEvents(own, filter, { limit: 10 })
        expect(mine, JSON.stringify(filter)).toMatchObject({ events: [{ event_id: idOf('event-1') }] })
      }
    })

    it('matches status and endpoint on one and the same delivery', async () => {
      const log = await open()
      await log.write(
        batch({
          history: [
            attempted({ endpoint_id: 'ep-1' }),
            attempted({ endpoint_id: 'ep-2', state: 'dead', retry_count: 3, reason: 'retries_exhausted' }),
          ],
        }),
      )
      const ids = async (filter: EventFilter) => {
        const page = await log.listEvents(everything, filter, { limit: 10 })
        return page === 'bad_cursor' ? page : page.events.length
      }
      expect(await ids({ status: 'dead' })).toBe(1)
      expect(await ids({ status: 'failed', endpointId: 'ep-2' })).toBe(1)
      expect(await ids({ status: 'failed', endpointId: 'ep-1' })).toBe(0)
      expect(await ids({ status: 'retried', endpointId: 'ep-1' })).toBe(0)
      expect(await ids({ status: 'retried' })).toBe(1)
      expect(await ids({ status: 'waiting' })).toBe(0)
    })

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

    it('says up to when it is complete', async () => {
      const behind = new Set<string>()
      const log = await open({ backlog: async () => ({ now: testStartMs + 5000, behind }) })
      const at = (partition: number, offset: number, time: number) =>
        ({ source: 'history', partition, offset, at: testStartMs + time }) as const
      await log.write(batch({ positions: [at(0, 10, 100), at(1, 7, 400), at(0, 12, 200)] }))
      expect(await log.asOf()).toBe(testStartMs + 5000)
      behind.add('history:0')
      expect(await log.asOf()).toBe(testStartMs + 200)
      expect(await log.listEvents(everything, {}, { limit: 1 })).toMatchObject({ as_of: testStartMs + 200 })
      behind.add('verdicts:3')
      expect(await log.asOf()).toBeNull()
      await log.write(batch({ positions: [at(0, 11, 150)] }))
      expect(await log.positions()).toEqual([at(0, 12, 200), at(1, 7, 400)])
    })

    it('takes every partition for behind when nobody tells', async () => {
      const log = await open()
      const position = { source: 'history', partition: 0, offset: 1, at: testStartMs } as const
      await log.write(batch({ positions: [position, { ...position, partition: 1, at: testStartMs + 9000 }] }))
      expect(await log.asOf()).toBe(testStartMs)
    })

    it('is empty after being cleared, and takes the same records again', async () => {
      const log = await open()
      const records = batch({
        history: [history({ payload: '{}' }), attempted()],
        verdicts: [verdict()],
        health: [health()],
        positions: [{ source: 'history', partition: 0, offset: 1, at: testStartMs }],
      })
      await log.write(records)
      const before = await log.counts(everything)
      await log.clear()
      expect((await log.counts(everything)).events).toBe(0)
      expect(await log.positions()).toEqual([])
      await log.write(records)
      expect(await log.counts(everything)).toEqual(before)
    })

    it('removes old events with all that hangs on them, and nothing else', async () => {
      const log = await open()
      const life = (of: string, occurred_at: number) =>
        batch({
          verdicts: [verdict({ of, occurred_at })],
          history: [history({ of, occurred_at, payload: '{}' }), attempted({ of, occurred_at })],
        })
      await log.write(batch({ health: [health()] }))
      await log.write(life('young', testStartMs))
      const young = await log.counts(everything)
      const detail = await log.getEvent(everything, idOf('young'))
      for (let n = 0; n < 5; n++) await log.write(life(`old-${n}`, testStartMs - 1 - n))
      const stopped = new AbortController()
      stopped.abort()
      expect(await log.expire(testStartMs, { signal: stopped.signal })).toBe(0)
      expect(await log.expire(testStartMs)).toBe(5)
      expect(await log.expire(testStartMs)).toBe(0)
      expect(await log.counts(everything)).toEqual(young)
      expect(await log.getEvent(everything, idOf('young'))).toEqual(detail)
      expect(await log.getDelivery(everything, idOf('old-0 at ep-1'))).toBeUndefined()
    })

    it('answers like the plain statement of the port, whatever comes, repeats and in whatever order', async () => {
      await fc.assert(
        fc.asyncProperty(storyOf, async (story) => {
          const log = await open()
          const model = createMemoryDeliveryLog()
          for (const written of storyBatches(story)) {
            await log.write(written)
            await model.write(written)
          }
          await compare(log, model, story)
          await log.close()
        }),
        { numRuns: options.stories ?? 15 },
      )
    }, 60_000)

    it('writes all of a batch or nothing', async () => {
      const log = await open()
      await log.write(batch({ history: [history({ of: 'before' })] }))
      const broken: DeliveryHistory = { ...attempted(), version: Number.NaN }
      const records: LogBatch = batch({ verdicts: [verdict()], history: [broken] })
      const outcome = await log.write(records).then(
        () => 'written',
        () => 'refused',
      )
      expect((await log.counts(everything)).events).toBe(outcome === 'written' ? 2 : 1)
    })

    it('answers nothing after it was closed', async () => {
      const log = await open()
      await log.close()
      await log.close()
      await expect(log.ping()).rejects.toMatchObject({ name: 'DeliveryLogError', reason: 'closed' })
      await expect(log.write(batch({ history: [history()] }))).rejects.toThrow('closed')
    })
  })
}

async function compare(log: DeliveryLog, model: DeliveryLog, story: Story): Promise<void> {
  const scopes = [everything, partner('partner-0'), partner('partner-1')]
  const questions = scopes.flatMap((scope) => filtersOf(story).map((filter) => ({ scope, filter })))
  for (const ask of story.asks) {
    const { scope, filter } = questions[ask % questions.length] ?? { scope: everything, filter: {} }
    const said = JSON.stringify({ scope, filter })
    expect(await pages(log, scope, filter), said).toEqual(await pages(model, scope, filter))
    expect(await deliveryPages(log, scope, filter), said).toEqual(await deliveryPages(model, scope, filter))
  }
  for (const scope of scopes) {
    expect(await log.counts(scope)).toEqual(await model.counts(scope))
    for (const { event } of story.changes.slice(0, 2)) {
      const id = idOf(`event-${event}`)
      const found = await log.getEvent(scope, id)
      expect(found).toEqual(await model.getEvent(scope, id))
      for (const { delivery_id } of found?.deliveries ?? []) {
        expect(await log.getDelivery(scope, delivery_id)).toEqual(await model.getDelivery(scope, delivery_id))
      }
    }
  }
}

/** Every filter alone, and those together that are cut out of different tables. */
function filtersOf({ since, until }: Story): EventFilter[] {
  const span = { sinceMs: testStartMs + since, untilMs: testStartMs + until }
  return [
    {},
    span,
    { type: 'delivered' },
    { orderId: 'order-0' },
    ...statusFilters.map((status) => ({ status })),
    ...statusFilters.map((status) => ({ status, endpointId: 'ep-1', ...span })),
    ...statusFilters.map((status) => ({ status, orderId: 'order-0', type: 'delivered' })),
    { endpointId: 'ep-0', type: 'delivered' },
    { redriveId: 'redrive-1' },
    { redriveId: 'redrive-1', status: 'delivered', ...span },
    { redriveId: 'redrive-2', orderId: 'order-0' },
    { outOfOrder: true },
    { outOfOrder: true, endpointId: 'ep-1' },
    { outOfOrder: false, status: 'retried' },
    { outOfOrder: false },
    { test: true },
    { test: true, status: 'dead' },
    { test: false, endpointId: 'ep-1' },
  ]
}

/** All pages of four, without `as_of`. */
async function deliveryPages(log: DeliveryLog, scope: Scope, filter: EventFilter) {
  const found = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await log.listDeliveries(scope, filter, { limit: 4, ...(cursor && { cursor }) })
    if (page === 'bad_cursor') throw new Error('a cursor of its own was refused')
    found.push(page.deliveries)
    cursor = page.cursor
  }
  return found
}

/** All pages of three, without `as_of`. */
async function pages(log: DeliveryLog, scope: Scope, filter: EventFilter) {
  const found = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await log.listEvents(scope, filter, { limit: 3, ...(cursor && { cursor }) })
    if (page === 'bad_cursor') throw new Error('a cursor of its own was refused')
    found.push(page.events)
    cursor = page.cursor
  }
  return found
}
