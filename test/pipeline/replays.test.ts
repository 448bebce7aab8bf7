/** Whatever is replayed, from whichever topic or connector: nothing is sent twice. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Topic } from '../../engine/index.ts'
import type { CapturedLine } from './captured-line.ts'
import { partnerId } from './order-database.ts'
import { type PipelineDriver, partnerOf, pipelineDriver, serverError } from './pipeline-driver.ts'

const dayMs = 24 * 3600 * 1000

let pipe: PipelineDriver
beforeEach(async () => {
  pipe = await pipelineDriver()
  await pipe.configure(partnerOf(partnerId, pipe.seal))
})
afterEach(() => pipe.close())

/** Appends everything that a topic holds to it again. */
async function replay<K, V>(topic: Topic<K, V>) {
  await pipe.driver.pipe(topic, ...(await pipe.driver.read(topic)))
}

async function wholeLife() {
  const { database } = pipe
  await pipe.capture(database.insert(1101, { status: 'CONFIRMED' }), database.assign(1101))
  await pipe.capture(database.update(1101, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }))
  await pipe.capture(database.update(1101, { status: 'DELIVERED' }))
}

const replayed = [
  'cdcOrders',
  'cdcAssignments',
  'orderChanges',
  'assignmentChanges',
  'orderEvents',
  'deliveries',
] as const

describe('a replay', () => {
  it.each(replayed)('of %s sends nothing that was delivered', async (name) => {
    await wholeLife()
    await replay<never, never>(pipe.topics[name] as unknown as Topic<never, never>)
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 out_for_delivery', '1101 delivered'])
  })

  it.each(replayed)('of %s sends nothing of what waits, is dead or was skipped', async (name) => {
    pipe.respond = () => serverError
    await wholeLife()
    const endpointId = `${partnerId}-1`
    const [{ delivery_id: deliveryId } = { delivery_id: '' }] = await pipe.history()
    await pipe.command('CANCEL', { endpointId, deliveryId })
    await replay<never, never>(pipe.topics[name] as unknown as Topic<never, never>)
    expect(pipe.requests).toHaveLength(3)
    await pipe.pass(20 * 60_000)
    // One cancelled after its first request; four requests for each of the two that died.
    expect(pipe.requests).toHaveLength(9)
    await replay<never, never>(pipe.topics[name] as unknown as Topic<never, never>)
    await pipe.pass(20 * 60_000)
    expect(pipe.requests).toHaveLength(9)
  })

  it('of deliveries sends nothing after a crash either: what was settled is remembered on disk', async () => {
    await wholeLife()
    await pipe.outage('crash')
    await replay(pipe.topics.deliveries)
    expect(pipe.requests).toHaveLength(3)
    expect(pipe.counted('deliver_repeats')).toBe(3)
  })

  it('of events sends nothing while they are remembered, nor once they are forgotten: then they are too old', async () => {
    await wholeLife()
    for (let day = 0; day < 10; day++) {
      await pipe.pass(dayMs)
      await replay(pipe.topics.orderEvents)
    }
    expect(pipe.requests).toHaveLength(3)
    expect((await pipe.verdicts()).some(({ verdict }) => verdict === 'TOO_OLD')).toBe(true)
  })
})

describe('the same change', () => {
  /** As another server of the same source writes it after a failover: same row, another GTID domain. */
  const failedOver = (line: CapturedLine): CapturedLine => ({
    ...line,
    value: (line.value ?? '').replaceAll(/"0-223344-(\d+)"/g, '"7-99-$1"'),
  })

  it('from another server after a failover cannot be compared, is taken, and is sent once', async () => {
    const confirmed = pipe.database.insert(1101, { status: 'CONFIRMED' })
    const delivered = pipe.database.update(1101, { status: 'DELIVERED' })
    await pipe.capture(confirmed, delivered)
    await pipe.capture(failedOver(delivered))
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 delivered'])
    expect(pipe.counted('enrich_incomparable')).toBe(1)
    expect(pipe.counted('deliver_repeats')).toBe(1)
  })

  it('from another server, but older by its version, is no news', async () => {
    const confirmed = pipe.database.insert(1101, { status: 'CONFIRMED', status_version: 1 })
    await pipe.capture(confirmed, pipe.database.update(1101, { status: 'DELIVERED' }))
    await pipe.capture(failedOver(confirmed))
    expect(pipe.sent()).toEqual(['1101 order_confirmed', '1101 delivered'])
    expect(pipe.counted('enrich_stale{by="version"}')).toBe(1)
  })
})
