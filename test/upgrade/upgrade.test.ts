/**
 * This version on the data of each release: it goes on where the release stopped, sends nothing twice, and writes the
 * delivery log of all of it. A release that is not here was never tried.
 */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { logTopicsOf } from '../../app/serve/open-store.ts'
import { everything } from '../../ports/delivery-log.ts'
import { rebuildLog } from '../../ports/delivery-log-rebuild.ts'
import { createMemoryDeliveryLog } from '../../ports/memory-delivery-log.ts'
import { openEmbeddedPipeline } from '../embedded/embedded-pipeline.ts'
import { type Receiver, startReceiver } from '../embedded/receiver.ts'
import { waitFor } from '../faults/service.ts'
import { bodyHash, clockAt, readFacts, readRecords, sceneEvents } from './release-scene.ts'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const releases = readdirSync(fixtures).filter((name) => name.startsWith('release-'))

describe.each(releases)('%s', (release) => {
  const recorded = join(fixtures, release)
  const facts = readFacts(recorded)
  /** Its retries are due; nothing is too old. */
  const upgradeAt = facts.recordedAt + 60_000
  let folder: string
  let receiver: Receiver
  let reports: string[]
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waybill-upgrade-'))
    receiver = await startReceiver(() => ({ status: 200, afterMs: 0 }))
    reports = []
  })
  afterEach(async () => {
    await receiver.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Everything is captured once more, then comes what is new. */
  async function goOn(directory: string) {
    const pipeline = await openEmbeddedPipeline({
      directory,
      url: receiver.url,
      pipelineClock: clockAt(upgradeAt),
      report: (message) => reports.push(message),
    })
    const restored = [...pipeline.application.counters.snapshot()]
      .filter(([name]) => name.startsWith('restore.records'))
      .reduce((sum, [, count]) => sum + count, 0)
    await pipeline.ingest.append(readRecords(recorded, 'before.jsonl'))
    await pipeline.ingest.append(readRecords(recorded, 'behind.jsonl'))
    const expected = Object.keys(facts.refused).length + sceneEvents.behind
    await waitFor(() => receiver.received.length >= expected, 'what is left to send')
    await pipeline.application.settled()

    const store = createMemoryDeliveryLog()
    await rebuildLog({ log: pipeline.log, topics: logTopicsOf(pipeline.topics), store })
    const counts = await store.counts(everything)
    await pipeline.stop()
    return { restored, counts }
  }

  function expectRightRequests() {
    const again = receiver.received.filter(({ webhookId }) => facts.refused[webhookId] !== undefined)
    expect(Object.fromEntries(again.map(({ webhookId, body }) => [webhookId, bodyHash(body)]))).toEqual(
      facts.refused,
    )
    const fresh = receiver.received.filter(({ webhookId }) => facts.refused[webhookId] === undefined)
    expect(fresh.map(({ webhookId }) => webhookId).filter((id) => facts.accepted.includes(id))).toEqual([])
    expect(fresh.map(({ body }) => JSON.parse(body))).toEqual(
      fresh.map(() =>
        expect.objectContaining({
          event: 'delivered',
          previous_status: 'OUT_FOR_DELIVERY',
          order_sequence: 3,
        }),
      ),
    )
    expect([again.length, fresh.length]).toEqual([Object.keys(facts.refused).length, sceneEvents.behind])
  }

  it('is gone on with: its state as it is, its retries, its orders, and nothing twice', {
    timeout: 60_000,
  }, async () => {
    cpSync(join(recorded, 'data'), join(folder, 'data'), { recursive: true })
    const { restored, counts } = await goOn(join(folder, 'data'))
    expectRightRequests()
    expect(restored).toBe(0)
    expect(reports).toEqual([])
    const events = sceneEvents.before + sceneEvents.behind
    expect(counts).toMatchObject({
      events,
      deliveries: { delivered: events, waiting: 0, dead: 0, skipped: 0 },
    })
  })

  it('is gone on with from its backup, too', { timeout: 60_000 }, async () => {
    const surroundings = capturedSurroundings({ cwd: folder })
    const args = ['restore', join(recorded, 'release.backup'), '--data-dir', 'restored']
    expect([await runCommand(args, surroundings), surroundings.stdout.text()]).toEqual([
      0,
      expect.stringContaining(`by version ${facts.version}`),
    ])
    const { restored } = await goOn(join(folder, 'restored'))
    expectRightRequests()
    expect(restored).toBeGreaterThan(0)
  })
})

it('there is a release to start on', () => {
  expect(releases.length).toBeGreaterThan(0)
})
