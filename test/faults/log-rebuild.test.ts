import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { ingest, logCounts, orderLines, type ServiceFolder, serviceFolder, waitFor } from './service.ts'

const rebuild = ['log', 'rebuild', '--config', 'waybill.yaml']

describe('waybill log rebuild', () => {
  let service: ServiceFolder
  beforeEach(async () => {
    service = await serviceFolder()
  })
  afterEach(() => service.close())

  it('writes the same again, is completed by a start when broken off, and sends nothing', {
    timeout: 60_000,
  }, async () => {
    const { lines, events } = orderLines(8)
    const running = service.run()
    const url = await running.url()
    await ingest(url, lines)
    await waitFor(async () => (await logCounts(url)).delivered === events, 'the delivery log')
    const held = await service.waybill(...rebuild)
    expect(held.code).toBe(3)
    expect(held.err).toMatch(/the data directory cannot be opened: .* is in use by process \d+/)
    await running.stop()

    const first = await service.waybill(...rebuild, '--json')
    expect(first.code, first.err).toBe(0)
    const { before, after, ...summary } = JSON.parse(first.out)
    expect(after).toEqual(before)
    expect(after).toMatchObject({ events, deliveries: { delivered: events, waiting: 0 }, attempts: events })
    expect(summary).toMatchObject({ complete: true, undecodable: 0 })

    rmSync(service.path('data', 'delivery-log'), { recursive: true })
    const surroundings = capturedSurroundings({ cwd: service.folder })
    surroundings.end('SIGINT')
    expect(await runCommand(rebuild, surroundings)).toBe(130)
    expect(surroundings.stdout.text()).toMatch(/"complete":false.*"after":{"events":0/)
    const again = service.run()
    const found = await again.url()
    await waitFor(async () => (await logCounts(found)).delivered === events, 'the start to complete it')
    await again.stop()
    expect(service.receiver.received).toHaveLength(events)
  })

  it('does not empty a log that may hold more than the topics, unless told so', async () => {
    writeFileSync(service.path('long.yaml'), 'data_dir: data\ndelivery_log: { keep: 90d }\n')
    const long = ['log', 'rebuild', '--config', 'long.yaml']
    const refused = await service.waybill(...long)
    expect(refused.code).toBe(2)
    expect(refused.err).toMatch(
      /keeps 90d, the topics .* 30d: what is older would be lost — give --forget-older/,
    )
    expect((await service.waybill(...long, '--forget-older')).err).toContain('there is no data of Waybill')
  })

  it('makes nothing where there is no data', async () => {
    const { code, err } = await service.waybill(...rebuild)
    expect(code).toBe(2)
    expect(err).toMatch(/there is no data of Waybill \(.*data\) — name the data directory/)
  })

  it('says that a server cannot be reached', { timeout: 20_000 }, async () => {
    await service.waybill('start', '--no-demo', '--no-api', '--data-dir', 'data', '--duration', '0.1')
    const surroundings = capturedSurroundings({
      cwd: service.folder,
      env: { WAYBILL_DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/log' },
    })
    expect(await runCommand(rebuild, surroundings)).toBe(3)
    expect(surroundings.stderr.text()).toMatch(/the delivery log cannot be used: .*127\.0\.0\.1/)
    expect(surroundings.stderr.text()).not.toContain('hunter2')
  })
})
