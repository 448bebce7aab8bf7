/** WATCH on the real runtime: its state survives crashes, and is rebuilt from the changelogs when the disk is lost. */
import { describe, expect, it } from 'vitest'
import { defineTopic, topologyBuilder, utf8 } from '../../engine/index.ts'
import { type TestDriver, testDriver } from '../../engine/testing.ts'
import type { NoticeResult } from '../../ports/notices.ts'
import { type EndpointHealth, makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { attempted, history, minuteMs, startMs } from './testing/harness.ts'
import { watch } from './watch.ts'

const codecs = makeCodecs(openFolderRegistry())
const historyTopic = defineTopic({ name: 'history', key: utf8, value: codecs.deliveryHistory })
const healthTopic = defineTopic({
  name: 'health',
  key: utf8,
  value: codecs.of('endpoint.health-value'),
  cleanup: 'compact',
})
const partnersTopic = defineTopic({ name: 'partners', key: utf8, value: codecs.partnerConfig })

async function startedDriver(instances: readonly string[] = ['a']): Promise<TestDriver> {
  const streams = topologyBuilder('watching')
  const partners = streams.globalTable('partners', partnersTopic)
  streams.process('watch', watch({ codecs }), {
    inputs: { history: streams.stream(historyTopic) },
    outputs: { health: healthTopic },
    globals: { partners },
  })
  const notify = async (): Promise<NoticeResult> => ({ kind: 'sent' })
  return testDriver({ topology: streams.build(), instances, startMs, effects: { 'watch.notify': notify } })
}

async function latest(driver: TestDriver, endpointId: string): Promise<EndpointHealth | undefined> {
  const reports = await driver.read(healthTopic)
  return reports.findLast(({ key }) => key === endpointId)?.value
}

/** Everything but when it was said. */
const said = (health: EndpointHealth | undefined) => ({ ...health, at: 0, version: 0 })

const record = (changes: Parameters<typeof history>[0]) => {
  const value = changes?.attempt === undefined ? history(changes) : attempted('http_5xx', changes)
  return { key: value.endpoint_id, value }
}

describe('WATCH on the engine', () => {
  it('reports what it sees, and reports the same after a crash without its disk', async () => {
    const driver = await startedDriver()
    for (let index = 0; index < 20; index += 1) {
      const delivery = { delivery_id: `d${index}`, endpoint_id: `e${index % 4}`, at: driver.clock.now() }
      await driver.append(historyTopic, record(delivery))
      const failed = attempted('http_5xx', delivery)
      const acknowledged = attempted('acknowledged', { ...delivery, version: 3 })
      await driver.append(historyTopic, { key: failed.endpoint_id, value: failed })
      if (index % 2 === 0)
        await driver.append(historyTopic, { key: acknowledged.endpoint_id, value: acknowledged })
      await driver.advance(10_000)
    }
    await driver.advance(10_000)
    const before = await Promise.all(['e0', 'e1', 'e2', 'e3'].map((id) => latest(driver, id)))
    expect(before[0]).toMatchObject({ open: 0, hour: { attempts: 10, ack_rate: 0.5 } })
    expect(before[1]).toMatchObject({ open: 5, state: 'failing', hour: { attempts: 5, ack_rate: 0 } })
    expect(before[1]?.deadlines.out_for_delivery).toMatchObject({ missed_by_partner: 5 })

    await driver.crash('a', { unsynced: 'lose' })
    await driver.start('b')
    await driver.settle()
    await driver.advance(6000)
    for (const [index, health] of before.entries()) {
      const after = await latest(driver, `e${index}`)
      expect(said(after)).toEqual(said(health))
      expect(after?.version).toBe((health?.version ?? 0) + 1)
    }
    expect(driver.reports).toEqual([])
    await driver.close()
  })

  it('never keeps a replay waiting for a due time of its own', async () => {
    const driver = await startedDriver()
    await driver.pipe(historyTopic, record({ at: startMs }))
    expect(driver.application('a').nextDue()).toBeUndefined()
    await driver.advance(2 * minuteMs)
    expect((await latest(driver, 'e1'))?.deadlines.out_for_delivery).toMatchObject({ missed_by_us: 1 })
    await driver.close()
  })
})
