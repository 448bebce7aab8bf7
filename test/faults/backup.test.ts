/** A backup of a Waybill at work, the loss of everything, and what goes on from the backup. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataParts } from '../../app/backup/data-parts.ts'
import { openEmbeddedLog, seededRandom, systemClock } from '../../engine/index.ts'
import { mountSmallDisk, noMounts } from './disks.ts'
import { getJson, ingest, orderLines, type ServiceFolder, serviceFolder, sleep, waitFor } from './service.ts'

interface EventRow {
  readonly event_id: string
  readonly order_id: string
  readonly event: string
  readonly deliveries: Readonly<Record<'waiting' | 'delivered' | 'dead' | 'skipped', number>>
}

/** Every event of the delivery log, over all pages. */
async function allEvents(url: string): Promise<EventRow[]> {
  const rows: EventRow[] = []
  for (let next: string | null = '/v1/events?limit=100'; next !== null; ) {
    const page: { events?: EventRow[]; next: string | null } = await getJson(`${url}${next}`)
    // Not opened yet.
    if (!page.events) return []
    rows.push(...page.events)
    next = page.next
  }
  return rows
}

const events = (rows: readonly EventRow[]) => rows.map(({ order_id, event }) => `${order_id} ${event}`).sort()

/** So many bytes that no compression makes smaller. */
async function fillLog(directory: string, bytes: number): Promise<void> {
  const log = await openEmbeddedLog({ directory, clock: systemClock })
  const config = {
    cleanup: 'delete',
    retentionMs: -1,
    maxRecordBytes: bytes * 2,
    timestampType: 'create',
  } as const
  await log.admin.createTopics([{ name: 'things', partitions: 1, config }])
  const record = { key: null, value: seededRandom(1).bytes(bytes), headers: [], timestamp: 0 }
  await log.writer({ transactionalId: 'test' }).append([{ topic: 'things', partition: 0, records: [record] }])
  await log.close()
}

describe('a backup', () => {
  let service: ServiceFolder
  beforeEach(async () => {
    service = await serviceFolder()
  })
  afterEach(async () => {
    await service.close()
  })

  /** What lies in a data directory and is in no table. */
  const unknownParts = (folder: string) =>
    readdirSync(service.path(folder)).filter((name) => !dataParts.some((part) => part.name === name))

  it('taken at work holds all that was acknowledged, and Waybill goes on from it: every event once', {
    timeout: 120_000,
  }, async () => {
    const { lines, events: count } = orderLines(90)
    const first = service.run()
    const url = await first.url()
    const send = async (to: string, from: number, until: number) => {
      for (let at = from; at < until; at += 20) {
        expect(await ingest(to, lines.slice(at, Math.min(at + 20, until)))).toMatchObject({ status: 200 })
      }
    }
    // Forty lines are ten whole orders of three events.
    const half = Math.floor(lines.length / 80) * 40
    await send(url, 0, half)
    // The rest comes in while the backup is taken; two more are asked for at the same time.
    const [taken, second] = await Promise.all([
      service.waybill('backup', 'one', '--url', url, '--json'),
      service.waybill('backup', 'two', '--url', url, '--json'),
      send(url, half, lines.length),
    ])
    expect([taken, second].filter(({ code }) => code === 0).length, taken.err + second.err).toBeGreaterThan(0)
    const file = taken.code === 0 ? 'one' : 'two'
    await waitFor(() => service.receiver.received.length >= count, 'all webhooks')
    first.signal('SIGKILL')
    await first.ended
    const before = service.receiver.received.length

    expect((await service.waybill('restore', file, '--data-dir', 'new')).code).toBe(0)
    const again = service.run('--data-dir', 'new')
    const back = await again.url()
    // What was acknowledged before the backup was asked for is there, although nobody has sent it again.
    await waitFor(
      async () => (await allEvents(back)).length >= (half / 40) * 30,
      'what the backup holds',
      60_000,
    )
    // The source sends all of it again, as it would from an older place.
    await send(back, 0, lines.length)
    await waitFor(
      async () => (await allEvents(back)).length === count,
      'every event in the delivery log',
      60_000,
    )
    await waitFor(
      async () => (await allEvents(back)).every(({ deliveries }) => deliveries.delivered === 1),
      'every delivery to be delivered',
    )
    await sleep(200)
    const rows = await allEvents(back)
    expect(events(rows)).toEqual(events([...new Map(rows.map((row) => [row.event_id, row])).values()]))
    expect(new Set(events(rows)).size).toBe(count)
    expect(rows.map(({ deliveries }) => deliveries)).toEqual(
      rows.map(() => ({ waiting: 0, delivered: 1, dead: 0, skipped: 0 })),
    )
    const { code, err } = await again.stop()
    expect([...unknownParts('data'), ...unknownParts('new')]).toEqual([])
    expect([code, err]).toEqual([0, expect.not.stringContaining('internal error')])

    // What was sent again has the same webhook-id and the same body.
    const bodies = new Map<string, string>()
    for (const { webhookId, body } of service.receiver.received) {
      expect(bodies.get(webhookId) ?? body).toBe(body)
      bodies.set(webhookId, body)
    }
    expect(bodies.size).toBe(count)
    expect(service.receiver.received.length - before).toBeLessThanOrEqual(count)
  })

  it('takes the demo along, and is not started without the keys that sealed it', {
    timeout: 60_000,
  }, async () => {
    const demo = service.start(['start', '--data-dir', 'demo', '--no-api', '--json'])
    await waitFor(() => existsSync(service.path('demo', 'demo.json')), 'the demo')
    await demo.stop()
    expect(unknownParts('demo')).toEqual([])
    // The demo goes on where it was: orders of a restored one are new ones.
    expect((await service.waybill('backup', 'demo.backup', '--data-dir', 'demo')).code).toBe(0)
    mkdirSync(service.path('again'))
    expect((await service.waybill('restore', 'demo.backup', '--data-dir', 'again')).code).toBe(0)
    const lost = await service.waybill('start', '--data-dir', 'again', '--no-api', '--duration', '1')
    expect(lost).toMatchObject({ code: 2, err: expect.stringMatching(/the key file is missing/) })
  })

  it.skipIf(noMounts)(
    'is not restored to a disk that is too small, and leaves that empty',
    {
      timeout: 60_000,
    },
    async () => {
      await fillLog(service.path('data', 'log'), 2_000_000)
      expect((await service.waybill('backup', 'b', '--data-dir', 'data')).code).toBe(0)
      const small = mountSmallDisk(service.path('small'), 16)
      try {
        small.fill(200 * 1024)
        const { code, err } = await service.waybill('restore', 'b', '--data-dir', 'small/data')
        expect([code, err]).toEqual([
          3,
          expect.stringMatching(/No space left on device \(make room on the disk\).*try again/),
        ])
        expect(readdirSync(service.path('small', 'data'))).toEqual([])
        small.makeRoom()
        expect((await service.waybill('restore', 'b', '--data-dir', 'small/data')).code).toBe(0)
      } finally {
        small.unmount()
      }
    },
  )
})
