/** What happens to processes: a second one on the same data, and kill -9 while the delivery log is behind. */
import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ingest, logCounts, orderLines, type ServiceFolder, serviceFolder, waitFor } from './service.ts'

const rebuild = ['log', 'rebuild', '--config', 'waybill.yaml', '--json']

describe('a service', () => {
  let service: ServiceFolder
  beforeEach(async () => {
    service = await serviceFolder()
  })
  afterEach(() => service.close())

  it('is not disturbed by a second one on its data, which is told who holds it', {
    timeout: 40_000,
  }, async () => {
    const { lines, events } = orderLines(10)
    const first = service.run()
    const url = await first.url()
    await ingest(url, lines.slice(0, lines.length / 2))
    const second = await service.run().ended
    expect(second.code).toBe(3)
    expect(second.err).toContain(`is in use by process ${first.pid}: stop it, or choose another directory`)
    await ingest(url, lines.slice(lines.length / 2))
    await waitFor(() => service.receiver.received.length === events, 'all events')
    expect((await first.stop()).code).toBe(0)
  })

  it('that is killed while its delivery log is behind catches up, and counts nothing twice', {
    timeout: 90_000,
  }, async () => {
    const { lines, events } = orderLines(40)
    const part = lines.length / 4
    let url = ''
    for (let kill = 0; kill < 2; kill++) {
      const running = service.run()
      url = await running.url()
      await ingest(url, lines.slice(kill * part, (kill + 1) * part))
      const wanted = ((kill + 0.5) * events) / 4
      await waitFor(() => service.receiver.received.length >= wanted, 'some webhooks')
      running.signal('SIGKILL')
      await running.ended
    }
    // The third finds no delivery log at all, and one half of the changes to come: as far behind as it can be.
    rmSync(service.path('data', 'delivery-log'), { recursive: true, force: true })
    const last = service.run()
    url = await last.url()
    await ingest(url, lines.slice(2 * part))
    await waitFor(
      () => new Set(service.receiver.received.map(({ webhookId }) => webhookId)).size === events,
      'all events',
    )
    await waitFor(async () => (await logCounts(url)).delivered >= 100, 'the delivery log')
    await waitFor(async () => {
      const text = await (await fetch(`${url}/metrics`)).text()
      return /^waybill_deliveries_waiting\S* [1-9]/m.test(text) === false
    }, 'everything to settle')
    expect((await last.stop()).code).toBe(0)

    const { before, after } = JSON.parse((await service.waybill(...rebuild)).out)
    expect(before).toEqual(after)
    expect(after).toMatchObject({
      events,
      deliveries: { delivered: events, waiting: 0, dead: 0, skipped: 0 },
    })
  })
})
