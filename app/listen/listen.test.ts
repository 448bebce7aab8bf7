import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { privateKeyText, publicKeyText, sign, signer } from '../../connectors/webhook/standard-webhooks.ts'
import { systemClock } from '../../engine/index.ts'
import { type CapturedSurroundings, capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'
import { verifyingKey, verifyRequest } from './verify-request.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-listen-'))
const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
const other = `whsec_${Buffer.alloc(24, 8).toString('base64')}`
const privateKey = privateKeyText(Buffer.alloc(32, 9))
const body = JSON.stringify({ event: 'delivered', order_id: '1101', rider: { name: null } })
writeFileSync(join(folder, 'secret'), `${secret}\n${publicKeyText(privateKey)}\n`)
afterAll(() => rmSync(folder, { recursive: true }))

let listening: { surroundings: CapturedSurroundings; ended: Promise<number> } | undefined
afterEach(async () => {
  listening?.surroundings.end('SIGTERM')
  await listening?.ended
  listening = undefined
})

/** Starts the command; resolves with its address once it listens. */
async function listen(...flags: string[]) {
  const surroundings = capturedSurroundings({ cwd: folder })
  const ended = runCommand(['listen', '--port', '0', ...flags], surroundings)
  listening = { surroundings, ended }
  const url = await new Promise<string>((resolve, reject) => {
    surroundings.stderr.onWrite = (text) => {
      const [, found] = /listening on (\S+);/.exec(text) ?? []
      if (found) resolve(found)
      else reject(new Error(text))
    }
  })
  return { url, out: surroundings.stdout.text, err: surroundings.stderr.text }
}

const signed = (key = secret, nowMs = systemClock.now()) => ({
  ...sign('evt_1', nowMs, Buffer.from(body), [signer(key)]),
  'waybill-trigger': 'retry',
  'waybill-attempt': '2',
})

const post = async (url: string, headers: Record<string, string>, text = body) =>
  (await fetch(url, { method: 'POST', headers, body: text })).status

describe('waybill listen', () => {
  it('prints what arrives, and knows a duplicate', async () => {
    const { url, out, err } = await listen('--secret-file', 'secret')
    expect(err()).toContain('signatures are checked with 2 keys')
    expect(await post(url, signed())).toBe(200)
    expect(await post(url, signed(privateKey))).toBe(200)
    const text = out().replaceAll(/\d\d:\d\d:\d\d/g, 'HH:MM:SS')
    expect(text.split('\n\n')).toEqual([
      [
        'HH:MM:SS  delivered  order 1101  signed  answered 200  retry, attempt 2',
        '          webhook-id evt_1',
        '          {',
        '            "event": "delivered",',
        '            "order_id": "1101",',
        '            "rider": {',
        '              "name": null',
        '            }',
        '          }',
      ].join('\n'),
      expect.stringContaining(
        'signed (ed25519)  answered 200  retry, attempt 2  DUPLICATE: acknowledged before',
      ),
      '',
    ])
  })

  it.each([
    ['another secret', signed(other), body, 'no signature fits'],
    ['a changed body', signed(), body.replace('1101', '1102'), 'no signature fits'],
    ['an old timestamp', signed(secret, systemClock.now() - 400_000), body, ' s old'],
    ['no signature at all', {}, body, 'webhook-id is missing'],
  ])('answers 401 to %s, and says why', async (_, headers, text, why) => {
    const { url, out } = await listen('--secret-file', 'secret')
    expect(await post(url, headers, text)).toBe(401)
    expect(out()).toContain(`bad signature: `)
    expect(out()).toContain(why)
  })

  it('answers what it was told, and prints JSON for programs', async () => {
    const { url, out, err } = await listen('--status', '503', '--json')
    expect(err()).toContain('NOT checked')
    expect(await post(url, signed(), 'hello')).toBe(503)
    expect(JSON.parse(out())).toMatchObject({
      answered: 503,
      signature: 'not_checked',
      trigger: 'retry',
      attempt: 2,
      duplicate: false,
      body: 'hello',
    })
  })

  it.each([
    [['--status', '99'], '--status "99" will not do — it is a whole number from 200 to 599'],
    [['--delay', 'soon'], '--delay "soon" is no time'],
    [['--secret-file', 'nowhere'], 'cannot be read (ENOENT)'],
    [['--secret-env', 'NOBODY'], '$NOBODY holds no key'],
  ])('refuses %j', async (flags, message) => {
    const surroundings = capturedSurroundings({ cwd: folder })
    expect(await runCommand(['listen', ...flags], surroundings)).toBe(2)
    expect(surroundings.stderr.text()).toContain(message)
  })

  it('says when its port is taken', async () => {
    const { url } = await listen()
    const surroundings = capturedSurroundings({ cwd: folder })
    expect(await runCommand(['listen', '--port', new URL(url).port], surroundings)).toBe(3)
    expect(surroundings.stderr.text()).toContain('cannot be listened on (EADDRINUSE)')
  })
})

describe('the check of a signature', () => {
  it('agrees with the public library', () => {
    const at = new Date()
    const signature = new Webhook(secret).sign('evt_2', at, body)
    const headers = {
      'webhook-id': 'evt_2',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signature,
    }
    const keys = [verifyingKey(other), verifyingKey(secret)].flatMap((key) => key ?? [])
    const verdict = verifyRequest({ headers, body: Buffer.from(body) }, keys, at.getTime())
    expect(verdict).toEqual({ valid: true, id: 'evt_2', scheme: 'v1', key: 2 })
  })
})
