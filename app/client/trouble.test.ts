import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { tokens } from '../../api/testing/test-api.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'
import { linesOf, type RunOptions, waybill } from './testing/waybill-client.ts'

describe('what goes wrong', () => {
  const failing = async (args: string[], options: RunOptions = {}) => {
    const { code, out, err } = await waybill(args, options)
    expect(out).toBe('')
    return `${code} ${err}`
  }

  it.each([
    [
      ['events', 'list', '--since', 'yesterday', '--limit', '0'],
      '2 waybill: --limit "0" is not a number of rows — write a whole number from 1 to 10000\n' +
        'waybill: --since "yesterday" is not a time — write how long ago, e.g. 30m, 24h, 7d, or a time with its zone, e.g. 2026-11-22T08:00:00Z\n',
    ],
    [
      ['deliveries', 'list', '--since', '2026-11-22'],
      /^2 waybill: --since "2026-11-22" is not a time — write how long ago/,
    ],
    [
      ['events', 'list', '--status', 'broken'],
      /^2 waybill: query\.status: must be equal to one of the allowed values: waiting, delivered, dead/,
    ],
    [
      ['events', 'show', '00000000-0000-4000-8000-000000000000'],
      /^2 waybill: there is no event 00000000-0000-4000-8000-000000000000 — check the id/,
    ],
    [['events', 'list', '--url', 'localhost:4929'], /^2 waybill: --url "localhost:4929" is not an address/],
    [['events', 'list', '--url', 'http://x/v1'], /^2 waybill: --url "http:\/\/x\/v1" is not an address/],
    [['events', 'list', '--format', 'xml'], /^2 waybill: --format "xml" is not a format/],
  ])('%j', async (args, says) => {
    expect(await failing(args)).toEqual(typeof says === 'string' ? says : expect.stringMatching(says))
  })

  it('nobody answers: exit 3, and how to start it', async () => {
    expect(await failing(['events', 'list'], { url: 'http://127.0.0.1:1' })).toBe(
      '3 waybill: nothing answers at http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1 — start it with ' +
        'waybill start, or say where it is with --url or WAYBILL_URL\n',
    )
  })

  it('a token that is missing, wrong or unwritable: exit 2, and it is never repeated', async () => {
    const missing = await failing(['events', 'list'], { env: { WAYBILL_TOKEN: '' } })
    expect(missing).toBe('2 waybill: no valid token was given — put the token into WAYBILL_TOKEN\n')
    expect(await failing(['events', 'list'], { env: { WAYBILL_TOKEN: 'guess' } })).toBe(missing)
    expect(await failing(['events', 'list'], { env: { WAYBILL_TOKEN: 'two words' } })).toBe(
      '2 waybill: WAYBILL_TOKEN cannot be a token — write the token alone, without spaces or line breaks\n',
    )
  })

  it('a partner’s token sees what is that partner’s', async () => {
    const { out } = await waybill(['events', 'list'], { env: { WAYBILL_TOKEN: tokens.bharat } })
    expect(linesOf(out)).toHaveLength(2)
    expect(out).toContain('bharat')
  })

  /** Something that answers in place of Waybill. */
  async function against(
    answer: { status: number; type: string; body: string },
    ask: (url: string, seen: string[]) => Promise<void>,
  ) {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization ?? '')
      response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen)
    } finally {
      server.close()
    }
  }

  it.each([
    [200, 'text/html', '<h1>Hello</h1>', /^2 .*is no Waybill, or one of another version — check --url/],
    [200, 'application/json', '{"events":[{"event_id":7}],"next":null,"as_of":null}', /^2 .*is no Waybill/],
    [404, 'text/html', 'not here', /^2 .*is no Waybill/],
    [502, 'text/html', '<h1>Bad gateway</h1>', /^3 .* answers 502 — try again later/],
    [301, 'text/html', '', /^2 .*is no Waybill/],
  ])('something else answers: %i %s', async (status, type, body, says) => {
    await against({ status, type, body }, async (url) => {
      expect(await failing(['events', 'list'], { url })).toMatch(says)
    })
  })

  it('a page that leads to somewhere else is not followed: the token stays here', async () => {
    const body = '{"events":[],"next":"//elsewhere.example/v1/events","as_of":null}'
    await against({ status: 200, type: 'application/json', body }, async (url, seen) => {
      expect(await failing(['events', 'list'], { url })).toMatch(/^2 .*is no Waybill/)
      expect(seen).toHaveLength(1)
    })
  })

  it('Ctrl-C ends it with 130', async () => {
    const server = createServer(() => surroundings.end('SIGINT'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const surroundings = capturedSurroundings({
      env: { WAYBILL_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    })
    expect(await runCommand(['events', 'list'], surroundings)).toBe(130)
    expect(surroundings.stderr.text()).toMatch(/^waybill: interrupted before the answer came — /)
    server.closeAllConnections()
    server.close()
  })
})
