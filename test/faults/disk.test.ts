/** What goes wrong with disks: full, read-only, damaged. */
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mountSmallDisk, noMounts, type SmallDisk } from './disks.ts'
import {
  getJson,
  ingest,
  logCounts,
  orderLines,
  type ServiceFolder,
  serviceFolder,
  waitFor,
} from './service.ts'

describe('a service whose disk', () => {
  let service: ServiceFolder
  let disk: SmallDisk | undefined
  beforeEach(async () => {
    service = await serviceFolder()
  })
  afterEach(async () => {
    await service.close()
  })
  const mount = (megabytes: number, ...names: string[]) => {
    disk = mountSmallDisk(service.path(...names), megabytes)
    return disk
  }
  const unmount = () => {
    disk?.unmount()
    disk = undefined
  }
  const webhookIds = () => new Set(service.receiver.received.map(({ webhookId }) => webhookId))

  it.skipIf(noMounts)(
    'is full stops with what to mend, and has lost nothing once there is room',
    { timeout: 60_000 },
    async () => {
      const small = mount(48, 'data', 'log')
      try {
        const { lines, events } = orderLines(60)
        const first = service.run()
        const url = await first.url()
        small.fill(96 * 1024)
        const answers: number[] = []
        for (let at = 0; at < lines.length; at += 20) {
          // A connector sends again whatever was not answered 200, and waits; this one goes on, to see more answers.
          answers.push(
            await ingest(url, lines.slice(at, at + 20)).then(
              ({ status }) => status,
              () => 0,
            ),
          )
        }
        const { code, err } = await first.ended
        expect(code).toBe(3)
        expect(err).toMatch(
          /waybill: the record log failed: the log in .* cannot be written .*No space left on device.*make room/,
        )
        expect(err).not.toContain('internal error')
        expect(answers).toContain(200)

        small.makeRoom()
        const second = service.run()
        const back = await second.url()
        const again = answers.flatMap((status, index) =>
          status === 200 ? [] : lines.slice(index * 20, index * 20 + 20),
        )
        expect(await ingest(back, again)).toMatchObject({ status: 200 })
        await waitFor(() => webhookIds().size === events, 'all events')
        await waitFor(async () => (await logCounts(back)).events === 100, 'a full page of the delivery log')
        await second.stop()
        // What was under way when the disk failed may come twice; nothing else does.
        expect(service.receiver.received.length - events).toBeLessThanOrEqual(128)
      } finally {
        unmount()
      }
    },
  )

  it.skipIf(noMounts)(
    'of the delivery log is full goes on sending, and writes the rest once there is room',
    { timeout: 60_000 },
    async () => {
      const small = mount(192, 'data', 'delivery-log')
      try {
        const { lines, events } = orderLines(20)
        const half = lines.length / 2
        const running = service.run()
        const url = await running.url()
        await waitFor(async () => {
          const { degraded } = await getJson<{ degraded: unknown[] }>(`${url}/readyz`)
          return degraded.length === 0
        }, 'the delivery log')
        small.fill(0)
        await ingest(url, lines.slice(0, half))
        await waitFor(() => webhookIds().size === events / 2, 'the first half')
        await waitFor(
          () => /delivery-log.*(No space left|make room)/.test(running.err()),
          'word of the full disk',
        )
        small.makeRoom()
        await ingest(url, lines.slice(half))
        await waitFor(async () => (await logCounts(url)).delivered === events, 'the delivery log')
        expect((await running.stop()).code).toBe(0)
        expect(service.receiver.received).toHaveLength(events)
      } finally {
        unmount()
      }
    },
  )

  it.skipIf(noMounts)(
    'is read-only is told as that, before anything is sent',
    { timeout: 30_000 },
    async () => {
      const small = mount(8, 'data')
      try {
        small.setReadOnly(true)
        const { code, err } = await service.waybill('run', '--config', 'waybill.yaml')
        expect(code).toBe(3)
        expect(err).toMatch(
          /the data directory cannot be used: the disk is read-only \(.*data\) — make it writable/,
        )
      } finally {
        unmount()
      }
    },
  )

  it('has changed a batch of the log stops with its place instead of sending what it is not', {
    timeout: 40_000,
  }, async () => {
    const { lines } = orderLines(4)
    const feeding = service.run()
    const url = await feeding.url()
    await ingest(url, lines)
    await waitFor(() => service.receiver.received.length > 0, 'a webhook')
    feeding.signal('SIGKILL')
    await feeding.ended

    const level = new ClassicLevel<Buffer, Buffer>(service.path('data', 'log', 'level'), {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    // `b` opens the keys of batches.
    for await (const [key, value] of level.iterator({ gte: Buffer.from('b'), lt: Buffer.from('c') })) {
      value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
      await level.put(key, value)
    }
    await level.close()
    const { code, err } = await service.run().ended
    expect(code).toBe(3)
    expect(err).toMatch(/the batch at \S+@\d+ in .* is damaged: its checksum is wrong; restore the directory/)
  })
})
