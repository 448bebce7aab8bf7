/** The delivery log's database dies, or is not there: webhooks go on, the API says so, and the log catches up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { startDeliveryLog } from '../../app/serve/delivery-log-service.ts'
import { createPostgresDeliveryLog } from '../../connectors/postgres/delivery-log.ts'
import { openEmbeddedDatabase } from '../../connectors/postgres/embedded-database.ts'
import {
  findPostgres,
  type PostgresServer,
  startPostgres,
} from '../../connectors/postgres/testing/postgres-server.ts'
import { systemClock } from '../../engine/index.ts'
import { everything } from '../../ports/delivery-log.ts'
import { openEmbeddedPipeline } from '../embedded/embedded-pipeline.ts'
import { orderStream } from '../embedded/order-stream.ts'
import { type Receiver, startReceiver } from '../embedded/receiver.ts'
import {
  getJson,
  ingest,
  logCounts,
  orderLines,
  type ServiceFolder,
  serviceFolder,
  waitFor,
} from './service.ts'

describe('the embedded database, killed while it is written to', () => {
  let directory: string
  let receiver: Receiver
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'waybill-gone-'))
    receiver = await startReceiver(() => ({ status: 200, afterMs: 0 }))
  })
  afterEach(async () => {
    await receiver.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it('holds up no webhook, and ends up with every row once', { timeout: 60_000 }, async () => {
    const { records, events } = orderStream({ orders: 40, startMs: systemClock.now() })
    const pipeline = await openEmbeddedPipeline({ directory, url: receiver.url })
    const database = await openEmbeddedDatabase({ directory: join(directory, 'delivery-log') })
    const log = startDeliveryLog({
      log: pipeline.log,
      topics: pipeline.topics,
      instanceId: 'embedded',
      part: 'writes',
      open: async () => ({ ...(await createPostgresDeliveryLog({ database })), close: database.close }),
      deadLetter: pipeline.deadLetter,
      keepMs: 86_400_000,
      clock: systemClock,
      report: () => undefined,
    })
    const part = records.length / 4
    for (let at = 0; at < 4; at++) {
      await pipeline.ingest.append(records.slice(at * part, (at + 1) * part))
      const wanted = ((at + 1) * events.length) / 4
      await database.crash()
      await waitFor(() => receiver.received.length === wanted, `${wanted} webhooks`)
    }
    const counts = () => log.store.counts(everything).catch(() => undefined)
    await waitFor(async () => (await counts())?.deliveries.delivered === events.length, 'the log to catch up')
    expect(await counts()).toMatchObject({ events: events.length, attempts: events.length })
    await log.stop()
    await pipeline.stop()
    expect(receiver.received).toHaveLength(events.length)
  })
})

const postgres = findPostgres()

describe.skipIf('skip' in postgres)('a database server', () => {
  let service: ServiceFolder
  let server: PostgresServer
  beforeEach(async () => {
    service = await serviceFolder()
    server = await startPostgres('bin' in postgres ? postgres.bin : '')
  }, 30_000)
  afterEach(async () => {
    await service.close()
    await server.stop()
  })

  const degradedParts = async (url: string) => {
    const { ready, degraded } = await getJson<{ ready: boolean; degraded: { part: string }[] }>(
      `${url}/readyz`,
    )
    return { ready, parts: degraded.map(({ part }) => part) }
  }

  it('that is away at the start and dies later is waited for, while webhooks go on', {
    timeout: 60_000,
  }, async () => {
    const { lines, events } = orderLines(30)
    const part = lines.length / 3
    await server.crash()
    const running = service.start(['run', '--config', 'waybill.yaml'], {
      env: { WAYBILL_DATABASE_URL: server.url },
    })
    const url = await running.url()
    const delivers = async (third: number) => {
      await ingest(url, lines.slice((third - 1) * part, third * part))
      await waitFor(() => service.receiver.received.length === (third * events) / 3, 'webhooks')
    }
    await delivers(1)
    expect(await degradedParts(url)).toEqual({ ready: true, parts: ['delivery_log'] })
    const refused = await fetch(`${url}/v1/events`)
    expect(refused.status).toBe(503)

    await server.start()
    await waitFor(async () => (await logCounts(url)).delivered === events / 3, 'the first third in the log')
    expect(await degradedParts(url)).toEqual({ ready: true, parts: [] })

    await server.crash()
    await delivers(2)
    expect(await degradedParts(url)).toEqual({ ready: true, parts: ['delivery_log'] })
    await server.start()
    await delivers(3)
    await waitFor(async () => (await logCounts(url)).delivered === events, 'everything in the log')
    expect((await running.stop()).code).toBe(0)
    expect(running.err()).not.toContain('not-asked-for')

    const env = { WAYBILL_DATABASE_URL: server.url }
    const surroundings = capturedSurroundings({ cwd: service.folder, env })
    expect(await runCommand(['log', 'rebuild', '--config', 'waybill.yaml'], surroundings)).toBe(0)
    const { before, after } = JSON.parse(surroundings.stdout.text())
    expect(after).toEqual(before)
    expect(after).toMatchObject({ events, attempts: events })
    expect(service.receiver.received).toHaveLength(events)
  })
})
