/** Follows docs/getting-started.md to the letter: its files, its commands, its example. */
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { systemClock, systemRandom } from '../../engine/index.ts'
import { startReceiver } from '../embedded/receiver.ts'
import { root } from '../tidy/source-files.ts'

const page = readFileSync(join(root, 'docs/getting-started.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'waybill-getting-started-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The files that the page gives, by name. */
const files = new Map(
  [...page.matchAll(/^`([\w.-]+)`:\n\n```\w+\n([\s\S]*?)```/gm)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
)
const shell = [...page.matchAll(/^```sh\n([\s\S]*?)```/gm)].map(([, text = '']) => text)

const waybill = async (...args: string[]) => {
  const surroundings = capturedSurroundings({ cwd: folder })
  const code = await runCommand(args, { ...surroundings, random: systemRandom })
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}
const block = (holding: string) => {
  const found = shell.find((text) => text.includes(holding))
  if (!found) throw new Error(`the page has no example with ${holding}`)
  return found
}

describe('the page to get started with', () => {
  it('brings the webhooks of its example, from a file and signed over HTTP', {
    timeout: 60_000,
  }, async () => {
    expect([...files.keys()]).toEqual(['source.yaml', 'partners.yaml', 'waybill.yaml', 'receiver.mjs'])
    const receiver = await startReceiver(() => ({ status: 200, afterMs: 0 }))
    for (const [name, text] of files) {
      const here = text.replace('http://127.0.0.1:9000/hooks', receiver.url)
      writeFileSync(
        join(folder, name),
        name === 'waybill.yaml' ? here.replace('api:', 'api:\n  port: 0') : here,
      )
    }
    const sh = (script: string) => execFileSync('sh', ['-c', script], { cwd: folder })
    sh(block('node -e').replace(/^waybill .*$/m, ''))
    sh(block('ingest-secret').replace(/^waybill .*$/gm, ''))
    const checked = await waybill('source', 'check', '--source', 'source.yaml', join(folder, 'sample.jsonl'))
    expect(checked, checked.err).toMatchObject({ code: 0, out: expect.stringContaining('nothing to mend') })
    expect((await waybill('keys', 'new', 'keys.json')).code).toBe(0)

    const surroundings = { ...capturedSurroundings({ cwd: folder }), random: systemRandom }
    const running = runCommand(['run', '--config', 'waybill.yaml'], surroundings)
    const url = () => /the API listens on (\S+)/.exec(surroundings.stderr.text())?.[1]
    await waitFor(() => url() !== undefined)
    sh(block('sample.part').replace(/^node receiver.*$/m, ''))
    await waitFor(
      () => receiver.received.length === 2 && existsSync(join(folder, 'incoming/done/sample.jsonl')),
    )
    const events = receiver.received.map(({ body }) => JSON.parse(body).event)
    expect(events).toEqual(['order_confirmed', 'delivered'])

    const [line = ''] = readFileSync(join(folder, 'incoming/done/sample.jsonl'), 'utf8').split('\n')
    const answer = await postSigned(
      `${url()}/ingest`,
      line.replaceAll('"id":7', '"id":8').replace('"pos":100', '"pos":300'),
    )
    expect(answer.status).toBe(200)
    await waitFor(() => receiver.received.length === 3)
    surroundings.end('SIGTERM')
    expect(await running).toBe(0)
    await receiver.close()
  })

  it('names commands that there are', async () => {
    const named = [...page.matchAll(/`?waybill ((?:[a-z]+)(?: (?:list|new|check|rebuild))?)\b/g)].map(
      ([, name = '']) => name,
    )
    expect(named.length).toBeGreaterThan(6)
    for (const name of new Set(named)) {
      expect((await waybill(...name.split(' '), '--help')).code, name).toBe(0)
    }
  })
})

/** As Debezium Server signs what it sends. */
function postSigned(url: string, body: string): Promise<Response> {
  const secret = readFileSync(join(folder, 'ingest-secret'), 'utf8').trim()
  const timestamp = String(Math.trunc(systemClock.now() / 1000))
  const signature = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(`change-1.${timestamp}.${body}`)
    .digest('base64')
  const headers = {
    'content-type': 'application/json',
    'webhook-id': 'change-1',
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
  return fetch(url, { method: 'POST', headers, body })
}

async function waitFor(isSo: () => boolean) {
  for (const until = systemClock.now() + 20_000; !isSo(); ) {
    if (systemClock.now() > until) throw new Error('it did not come in time')
    await new Promise<void>((resolve) => {
      systemClock.at(systemClock.now() + 50, resolve)
    })
  }
}
