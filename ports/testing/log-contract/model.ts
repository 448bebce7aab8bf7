/** Random stories, answered like the plain statement of the port (`memory-delivery-log.ts`). */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type DeliveryLog, type EventFilter, everything, statusFilters } from '../../delivery-log.ts'
import { createMemoryDeliveryLog } from '../../memory-delivery-log.ts'
import { idOf, testStartMs } from '../log-records.ts'
import { type Story, storyBatches, storyOf } from '../log-stories.ts'
import { deliveryPages, eventPages, type OpenLog, partner } from './workbench.ts'

export function modelContract(open: OpenLog, runs: number): void {
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
      { numRuns: runs },
    )
  }, 60_000)
}

async function compare(log: DeliveryLog, model: DeliveryLog, story: Story): Promise<void> {
  const scopes = [everything, partner('partner-0'), partner('partner-1')]
  const questions = scopes.flatMap((scope) => filtersOf(story).map((filter) => ({ scope, filter })))
  for (const ask of story.asks) {
    const { scope, filter } = questions[ask % questions.length] ?? { scope: everything, filter: {} }
    const said = JSON.stringify({ scope, filter })
    expect(await eventPages(log, scope, filter), said).toEqual(await eventPages(model, scope, filter))
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
