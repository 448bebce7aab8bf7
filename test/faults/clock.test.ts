/** The wall clock is set back an hour while the service runs, and is an hour behind when it starts again. */
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ingest,
  logCounts,
  orderLines,
  type ServiceFolder,
  serviceFolder,
  sleep,
  waitFor,
} from './service.ts'

const preload = fileURLToPath(new URL('clock-preload.mjs', import.meta.url))

describe('a clock that is set back', () => {
  let service: ServiceFolder
  beforeEach(async () => {
    service = await serviceFolder()
  })
  afterEach(() => service.close())

  it('stops nothing and repeats nothing, while it runs and over a restart', { timeout: 60_000 }, async () => {
    const { lines, events } = orderLines(30)
    const part = lines.length / 3
    const start = (env: Record<string, string>) =>
      service.start(['run', '--config', 'waybill.yaml'], {
        env: { NODE_OPTIONS: `--import ${preload}`, ...env },
      })
    const delivers = async (url: string, third: number) => {
      const taken = await ingest(url, lines.slice((third - 1) * part, third * part))
      expect(taken).toMatchObject({ status: 200, body: { accepted: part } })
      await waitFor(() => service.receiver.received.length === (third * events) / 3, `third ${third}`)
      await waitFor(async () => (await logCounts(url)).delivered === (third * events) / 3, 'the delivery log')
    }
    const first = start({})
    const url = await first.url()
    await delivers(url, 1)
    first.signal('SIGUSR2')
    await sleep(200)
    await delivers(url, 2)
    expect((await first.stop()).code).toBe(0)

    const second = start({ CLOCK_BACK: '1' })
    await delivers(await second.url(), 3)
    expect((await second.stop()).code).toBe(0)
    expect(service.receiver.received).toHaveLength(events)
  })
})
