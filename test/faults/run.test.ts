import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { getJson, ingest, orderLines, type ServiceFolder, serviceFolder, waitFor } from './service.ts'

const run = ['run', '--config', 'waybill.yaml']

describe('waybill run', () => {
  let service: ServiceFolder
  beforeEach(async () => {
    service = await serviceFolder()
  })
  afterEach(() => service.close())

  it('sends what comes in over HTTP and from the folder, and stops cleanly', {
    timeout: 30_000,
  }, async () => {
    const { lines, events } = orderLines(8)
    const half = lines.length / 2
    const running = service.run()
    const url = await running.url()
    expect(await ingest(url, lines.slice(0, half))).toMatchObject({ status: 200, body: { accepted: half } })
    expect((await ingest(url, lines.slice(0, half))).body).toMatchObject({ accepted: 0, repeated: half })
    writeFileSync(service.path('in', 'rest.part'), `${lines.slice(half).join('\n')}\nnot a record\n`)
    renameSync(service.path('in', 'rest.part'), service.path('in', 'rest.jsonl'))
    await waitFor(() => service.receiver.received.length >= events, 'all events')
    await waitFor(() => existsSync(service.path('in', 'done', 'rest.jsonl')), 'the file to be moved')
    await waitFor(async () => {
      const { events: page } = await getJson<{ events: unknown[] }>(`${url}/v1/events?limit=100`)
      return page?.length === events
    }, 'the delivery log')
    expect(await getJson(`${url}/readyz`)).toMatchObject({ ready: true, degraded: [] })

    const { code, err } = await running.stop()
    expect(code).toBe(0)
    expect(err).toContain('POST /ingest by 1 token ***, files in ')
    expect(err).toMatch(/not a record: .*rest\.jsonl:\d+\) — skipped/)
    expect(err).toContain('everything accepted is kept')
    expect(service.receiver.received).toHaveLength(events)
  })

  it('needs its key file, and says how to make one; nothing is made by itself', async () => {
    rmSync(service.path('keys.json'))
    const { code, err } = await service.waybill(...run)
    expect(code).toBe(2)
    expect(err).toMatch(
      /there is no key file \(.*keys\.json\) — make one with `waybill keys new .*keys\.json`/,
    )
    expect(existsSync(service.path('keys.json'))).toBe(false)
  })

  it('makes a key file on purpose, for its owner alone, and never over another one', async () => {
    expect(statSync(service.path('keys.json')).mode & 0o777).toBe(0o600)
    const again = await service.waybill('keys', 'new', 'keys.json')
    expect(again).toMatchObject({ code: 2, out: '' })
    expect(again.err).toContain('there is a file already; it is kept')
  })

  it('starts nothing, and touches nothing, when its configuration is wrong', async () => {
    for (const [args, line] of [
      [['--port', 'x'], '--port "x" is not a port'],
      [['--host', '0.0.0.0'], 'everybody who reaches 0.0.0.0 could use the API without a token'],
      [['--no-api'], 'POST /ingest is part of the API, which is off'],
      [['--ingest-folder', 'nowhere'], 'there is no such folder to watch'],
      [['--partners', 'none.yaml'], 'there is no such file'],
      [['--config', 'none.yaml'], 'there is no such file'],
    ] as const) {
      const { code, out, err } = await service.waybill(...run, ...args)
      expect({ code, out }, args.join(' ')).toEqual({ code: 2, out: '' })
      expect(err).toContain(`waybill: ${line}`)
    }
    expect(readdirSync(service.folder)).not.toContain('data')
  })

  it('says that its port is taken before it sends anything', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const { code, err } = await service.waybill(...run, '--port', String(port))
    await new Promise((resolve) => other.close(resolve))
    expect(code).toBe(3)
    expect(err).toContain(`port ${port} of 127.0.0.1 is in use — choose another with --port`)
    expect(readdirSync(service.folder)).not.toContain('data')
  })

  it('lets nobody look without a token that it knows', { timeout: 30_000 }, async () => {
    const made = await service.waybill('tokens', 'new', 'ops')
    expect(made.code).toBe(0)
    const token = made.out.trim()
    const sha256 = /sha256: ([0-9a-f]{64})/.exec(made.err)?.[1]
    expect(made.err).not.toContain(token)
    writeFileSync(
      join(service.folder, 'guarded.yaml'),
      `data_dir: data\nkey_file: keys.json\npartners: partners.yaml
ingest: { folder: in }\negress: { allow_http: true, allowed_networks: [127.0.0.0/8] }\napi: { port: 0, tokens: [{ name: ops, sha256: ${sha256}, scope: operator }] }\n`,
    )
    const running = service.start(['run', '--config', 'guarded.yaml', '--host', '0.0.0.0'])
    const { port } = new URL(await running.url())
    const url = `http://127.0.0.1:${port}/v1/events`
    expect((await fetch(url)).status).toBe(401)
    await waitFor(
      async () => (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status === 200,
      'an answer',
    )
    expect((await running.stop()).code).toBe(0)
  })
})
