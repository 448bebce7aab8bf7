import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { sample, sampleAsOf, sampleLog, sampleRedrive } from '../../api/testing/sample-log.ts'
import { testApi, tokens } from '../../api/testing/test-api.ts'
import { manualClock } from '../../engine/index.ts'
import { attempted, batch, testStartMs } from '../../ports/testing/log-records.ts'
import { testOrderPrefix } from '../../schemas/index.ts'
import { capturedSurroundings } from '../cli/captured-surroundings.ts'
import { runCommand } from '../main.ts'

const api = testApi()
const listening = api.then(async ({ app }) => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
})
afterAll(async () => (await api).app.close())

interface Options {
  readonly env?: Record<string, string>
  readonly terminal?: number
  readonly url?: string
}

async function waybill(args: string[], { env, terminal, url }: Options = {}) {
  const surroundings = capturedSurroundings({
    clock: manualClock(sampleAsOf),
    env: { WAYBILL_URL: url ?? (await listening), WAYBILL_TOKEN: tokens.operator, ...env },
    ...(terminal !== undefined && { terminal: { columns: terminal, rows: 40 } }),
  })
  const code = await runCommand(args, surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

const linesOf = (text: string) => text.trimEnd().split('\n')

describe('waybill events list', () => {
  it('is a table, newest first, and says underneath how fresh it is', async () => {
    const { code, out, err } = await waybill(['events', 'list', '--partner', 'acme'])
    expect(code).toBe(0)
    expect(linesOf(out)).toEqual([
      'OCCURRED        EVENT             ORDER  PARTNER  DELIVERIES           RETRIES  EVENT ID',
      expect.stringMatching(
        /^11-22 08:01:00 {2}delivered {9}1101 {3}acme {5}1 waiting {15,}0 {2}[0-9a-f-]{36}$/,
      ),
      `11-22 08:00:00  out_for_delivery  1101   acme     1 delivered, 1 dead        3  ${sample.event}`,
      expect.stringMatching(/order_confirmed .* 1 skipped /),
    ])
    expect(err).toBe('3 events, as of 2026-11-22 08:10:00.000 UTC\n')
  })

  it('is a JSON object per line for programs', async () => {
    const { out, err } = await waybill(['events', 'list', '--status', 'failed', '--json'])
    expect(linesOf(out).map((line) => JSON.parse(line))).toMatchObject([
      { event_id: sample.event, deliveries: { dead: 1 } },
    ])
    expect(err).toBe('')
  })

  it('takes times as people write them', async () => {
    const count = async (...args: string[]) =>
      linesOf((await waybill(['events', 'list', '--json', ...args])).out).filter(Boolean).length
    expect(await count()).toBe(4)
    expect(await count('--since', '10m')).toBe(3)
    expect(await count('--since', '2026-11-22T13:31:00+05:30')).toBe(1)
    expect(await count('--until', '600s')).toBe(1)
  })

  it('follows pages up to the limit and says that there are more', async () => {
    const { out, err } = await waybill(['events', 'list', '--limit', '2'])
    expect(linesOf(out)).toHaveLength(3)
    expect(err).toMatch(/^2 events, .*; there are more: --limit, --since, --until\n$/)
  })

  it('prints no empty table', async () => {
    const { code, out, err } = await waybill(['events', 'list', '--order', 'none'])
    expect([code, out]).toEqual([0, ''])
    expect(err).toMatch(/^0 events, as of /)
  })

  it.each([60, 80, 100, 120])('fits a terminal of %i columns, and never cuts an id', async (columns) => {
    for (const list of ['events', 'deliveries']) {
      const { out } = await waybill([list, 'list', '--partner', 'acme'], {
        terminal: columns,
        env: { NO_COLOR: '1' },
      })
      const lines = linesOf(out)
      for (const line of lines.slice(1)) {
        expect(line).toMatch(/[0-9a-f-]{36}$/)
        if (columns >= 80) expect(line.length).toBeLessThanOrEqual(columns)
      }
    }
  })

  it('is coloured on a terminal, never with NO_COLOR, and the same without the colours', async () => {
    const coloured = await waybill(['events', 'list'], { terminal: 120 })
    const plain = await waybill(['events', 'list'], { terminal: 120, env: { NO_COLOR: '1' } })
    expect(coloured.out).toContain('\x1b[31m1 delivered, 1 dead')
    expect(stripVTControlCharacters(coloured.out)).toBe(plain.out)
  })
})

describe('waybill events show', () => {
  it('shows the event, its deliveries and the masked body', async () => {
    const { code, out } = await waybill(['events', 'show', sample.event])
    expect(code).toBe(0)
    expect(out).toContain(`event       ${sample.event}\n`)
    expect(out).toContain('deliveries  1 delivered, 1 dead\n')
    expect(out).toMatch(/acme-analytics {2}dead {11}4 {2}http_5xx 503 {6}http_5xx {2}[0-9a-f-]{36}\n/)
    expect(out).toContain('body, v2\n{\n  "event": "out_for_delivery"')
  })

  it('says to whom it was not sent, and why', async () => {
    const { out } = await waybill(['events', 'list', '--type', 'delivered', '--json'])
    const shown = await waybill(['events', 'show', JSON.parse(out).event_id])
    expect(shown.out).toMatch(/NOT SENT TO {5}WHY\nacme-analytics {2}filtered\n/)
  })

  it('passes the whole answer on as JSON', async () => {
    const { out } = await waybill(['events', 'show', sample.event, '--json'])
    expect(JSON.parse(out)).toMatchObject({ event: { event_id: sample.event }, payloads: [{}, {}] })
  })
})

describe('waybill endpoints rotate-secret', () => {
  it('prints the new secret alone on stdout, and beside it until when the former one signs', async () => {
    const { code, out, err } = await waybill(['endpoints', 'rotate-secret', 'acme-orders', '--overlap', '2h'])
    expect(code).toBe(0)
    expect(out).toMatch(/^whsec_[A-Za-z0-9+/=]+\n$/)
    expect(err).toBe(
      'acme-orders  signs with it as made-1.1, and with the former secret until 2026-11-22 10:10:00.000 UTC\n',
    )
    const refused = await waybill(['endpoints', 'rotate-secret', 'acme-analytics'])
    expect([refused.code, refused.out]).toEqual([2, ''])
    expect(refused.err).toContain('replace it in partners.yaml')
    expect((await waybill(['endpoints', 'rotate-secret', 'acme-orders', '--overlap', 'soon'])).code).toBe(2)
  })
})

describe('waybill deliveries', () => {
  it('list is one line per delivery', async () => {
    const { out, err } = await waybill(['deliveries', 'list', '--endpoint', 'acme-analytics'])
    expect(linesOf(out)[1]).toBe(
      `11-22 08:00:00  out_for_delivery  1101   acme-analytics  dead       4  http_5xx 503  ${sample.dead}`,
    )
    expect(err).toMatch(/^1 delivery, as of /)
  })

  it('show tells the life of a delivery, request by request', async () => {
    const { out } = await waybill(['deliveries', 'show', sample.dead])
    expect(out).toContain('state     dead: http_5xx\n')
    expect(out).toContain(
      '2026-11-22 08:00:00.950  first    http_5xx 503  166 ms  Service Unavailable\n' +
        '2026-11-22 08:01:00.950  retry 1  http_5xx 503  166 ms  Service Unavailable\n',
    )
    expect(out).toContain('body\n{')
  })

  it('marks what was sent to try an endpoint, and lists it alone or leaves it out', async () => {
    const log = await sampleLog()
    const test = { of: 'test', partner_id: 'acme', order_id: `${testOrderPrefix}0b8f7f3c`, by_hand: true }
    await log.write(batch({ history: [attempted({ ...test, endpoint_id: 'acme-orders' })] }))
    const { app } = await testApi({ deliveryLog: log })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    for (const [list, all] of [
      ['deliveries', 6],
      ['events', 5],
    ] as const) {
      const rows = async (...filter: string[]) =>
        linesOf((await waybill([list, 'list', ...filter, '--json'], { url })).out).map((line) =>
          JSON.parse(line),
        )
      expect(await rows()).toHaveLength(all)
      expect(await rows('--test')).toMatchObject([{ test: true, order_id: test.order_id }])
      expect((await rows('--no-test')).map((row) => row.test)).toEqual(Array(all - 1).fill(false))
      const { out } = await waybill([list, 'list', '--test'], { url })
      expect(linesOf(out)).toEqual([
        expect.stringMatching(/ HOW +(DELIVERY|EVENT) ID$/),
        expect.stringMatching(/ test +[0-9a-f-]{36}$/),
      ])
    }
    await app.close()
  })

  it('tells what is not ordinary about a delivery, and only then', async () => {
    const log = await sampleLog()
    const again = { by_hand: true, out_of_order: true, waited_for_order_ms: 4200, redrive_id: 'redrive-7' }
    await log.write(
      batch({
        history: [
          attempted({
            ...{ of: 'out', partner_id: 'acme', endpoint_id: 'acme-orders', version: 9, queued_ms: 2500 },
            ...again,
            made: { trigger: 'REDRIVE', retry_after_ms: 90_000, started_at: testStartMs + 5000 },
          }),
        ],
      }),
    )
    const { app } = await testApi({ deliveryLog: log })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    const { out } = await waybill(['deliveries', 'show', sample.delivered], { url })
    expect(out).toContain(
      'how       redriven, by hand, out of order\nredrive   redrive-7\nwaited    4.2 s for earlier events of its order\n',
    )
    expect(out).toMatch(/OUTCOME +QUEUED +TOOK +RETRY AFTER +DETAIL\n/)
    expect(out).toMatch(/redrive +acknowledged 200 +2\.5 s +42 ms +1 m 30 s\n/)
    for (const filter of [['--redrive', 'redrive-7'], ['--out-of-order']]) {
      const listed = await waybill(['deliveries', 'list', ...filter], { url })
      expect(linesOf(listed.out)).toEqual([
        expect.stringMatching(/ HOW +DELIVERY ID$/),
        expect.stringMatching(/ redriven, by hand, out of order +[0-9a-f-]{36}$/),
      ])
    }
    const plain = await waybill(['deliveries', 'show', sample.dead], { url })
    expect(plain.out).not.toMatch(/^(how|redrive|waited) |QUEUED|RETRY AFTER/m)
    await app.close()
  })

  it('retry and cancel say what will happen', async () => {
    const { sent } = await api
    const { code, out } = await waybill(['deliveries', 'retry', sample.dead, sample.waiting])
    expect(code).toBe(0)
    expect(linesOf(out)).toEqual([
      `${sample.dead}  it is sent again, the same bytes under the same webhook-id, with all its retries`,
      `${sample.waiting}  it is sent as soon as its endpoint may be called; a request that is running is left alone`,
    ])
    expect(sent.splice(0).map(({ kind }) => kind)).toEqual(['REDRIVE', 'RETRY_NOW'])
    const cancelled = await waybill(['deliveries', 'cancel', sample.waiting, '--json'])
    expect(JSON.parse(cancelled.out)).toMatchObject({ command: 'CANCEL', state: 'waiting' })
    expect(sent.splice(0)).toHaveLength(1)
  })

  it('retry goes on past one that cannot be retried, and exits with 2', async () => {
    const { sent } = await api
    const { code, out, err } = await waybill([
      'deliveries',
      'retry',
      sample.delivered,
      'nonsense',
      sample.dead,
    ])
    expect(code).toBe(2)
    expect(linesOf(out)).toHaveLength(1)
    expect(linesOf(err)).toEqual([
      `waybill: delivery ${sample.delivered} is delivered — there is nothing to do; what was acknowledged is never sent again`,
      'waybill: there is no delivery nonsense — check the id; what just happened shows up within seconds, see as_of',
    ])
    expect(sent.splice(0)).toHaveLength(1)
  })
})

describe('waybill deliveries redrive', () => {
  it('asks for what its flags say, and names the redrive', async () => {
    const { sent } = await api
    const { code, out, err } = await waybill([
      ...['deliveries', 'redrive', '--endpoint', 'acme-orders', '--no-wait', '--json'],
      ...['--type', 'delivered', '--since', '24h', '--outcome', 'http_5xx', 'too_old', '--rate', '20'],
      '--confirm-out-of-order',
    ])
    expect(code).toBe(0)
    const [command] = sent.splice(0)
    expect(command).toMatchObject({
      kind: 'REDRIVE_MATCHING',
      endpoint_id: 'acme-orders',
      filter: {
        event: 'delivered',
        since: sampleAsOf - 24 * 3600_000,
        until: null,
        outcomes: ['http_5xx', 'too_old'],
      },
      per_second: 20,
      confirm_out_of_order: true,
      within_max_age: false,
    })
    expect(JSON.parse(out)).toMatchObject({ redrive_id: command?.command_id })
    expect(err).toBe(`redrive ${command?.command_id}\n`)
  })

  it('says all that is wrong with its flags at once', async () => {
    const { code, err } = await waybill(['deliveries', 'redrive', '--rate', 'fast', '--since', 'monday'])
    expect(code).toBe(2)
    expect(linesOf(err)).toEqual([
      'waybill: no endpoint is named — say whose deliveries with --endpoint <id>',
      'waybill: --rate "fast" is no rate — write how many a second, e.g. 20',
      expect.stringContaining('--since "monday" is not a time'),
    ])
  })

  it('lists redrives, and stops one', async () => {
    const { sent } = await api
    const { code, out } = await waybill(['deliveries', 'redrive', '--list', '--endpoint', 'acme-orders'])
    expect(code).toBe(0)
    expect(linesOf(out)).toEqual([
      expect.stringMatching(/^ASKED FOR +BY +ENDPOINT +STATE +SENT +DELIVERED +DEAD +REDRIVE ID$/),
      expect.stringMatching(/^11-22 08:00:00 +api +acme-orders +searching +4 +3 +1 +[0-9a-f-]{36}$/),
    ])
    const stopped = await waybill(['deliveries', 'redrive', '--stop', sampleRedrive.acme])
    expect(stopped.out).toBe(`${sampleRedrive.acme}  no more of it is sent again; 4 were\n`)
    expect(sent.splice(0)).toMatchObject([{ kind: 'STOP_REDRIVE', redrive_id: sampleRedrive.acme }])
  })
})

describe('waybill endpoints', () => {
  it.each([
    ['enable', 'ENABLE'],
    ['probe', 'PROBE'],
  ])('%s gives one another chance', async (wish, kind) => {
    const { sent } = await api
    const { code, out } = await waybill(['endpoints', wish, 'acme-orders'])
    expect([code, out]).toEqual([0, expect.stringMatching(/^acme-orders {2}the /)])
    expect(sent.splice(0)).toMatchObject([{ kind, endpoint_id: 'acme-orders' }])
  })
})

describe('waybill endpoints test', () => {
  /** An API whose endpoint answers at once: the outcome is in the log when the command has been taken. */
  async function answering(outcome: { class: string; status_code: number | null; detail: string | null }) {
    const log = await sampleLog()
    const { app, sent } = await testApi({
      deliveryLog: log,
      commands: {
        async send(command) {
          const { test } = command
          if (!test) throw new Error('a test without an event')
          const acknowledged = outcome.class === 'acknowledged'
          const { body: _, config_version: __, ...facts } = test
          const state = acknowledged ? 'delivered' : 'dead'
          const record = attempted({ ...facts, endpoint_id: command.endpoint_id, state, made: { outcome } })
          // Of ids that do not follow from a name.
          await log.write(batch({ history: [{ ...record, ...facts }] }))
        },
      },
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    return { url, sent, close: () => app.close() }
  }

  it('shows that the endpoint took it', async () => {
    const { url, close } = await answering({ class: 'acknowledged', status_code: 200, detail: '{}' })
    const { code, out, err } = await waybill(['endpoints', 'test', 'acme-orders', '--event', 'delivered'], {
      url,
    })
    expect([code, out]).toEqual([0, 'acme-orders  acknowledged 200 in 42 ms\n'])
    expect(err).toMatch(/^delivered, payload v2, delivery [0-9a-f-]{36}\n$/)
    await close()
  })

  it('shows what went wrong, and exits with 100', async () => {
    const { url, close } = await answering({ class: 'http_4xx', status_code: 401, detail: 'bad signature' })
    const { code, out } = await waybill(['endpoints', 'test', 'acme-orders'], { url })
    expect([code, out]).toEqual([100, 'acme-orders  http_4xx 401 in 42 ms: bad signature\n'])
    const json = await waybill(['endpoints', 'test', 'acme-orders', '--json'], { url })
    expect([json.code, JSON.parse(json.out)]).toMatchObject([100, { delivery: { state: 'dead' } }])
    await close()
  })

  it('need not be waited for, and is refused for what is none', async () => {
    const { sent } = await api
    const { code, out } = await waybill(['endpoints', 'test', 'acme-orders', '--no-wait', '--json'])
    const [command] = sent.splice(0)
    expect([code, JSON.parse(out)]).toMatchObject([0, { delivery_id: command?.test?.delivery_id }])
    const none = await waybill(['endpoints', 'test', 'nobody'])
    expect([none.code, none.err]).toEqual([
      2,
      'waybill: there is no such endpoint — check the id; an endpoint is there once its settings are published\n',
    ])
  })
})

describe('waybill gaps', () => {
  it('lists what was missed', async () => {
    const { code, out, err } = await waybill(['gaps'])
    expect([code, err]).toEqual([0, '2 missed, 1 can be sent with --send\n'])
    expect(linesOf(out)).toEqual([
      'OCCURRED        ORDER  PARTNER  FROM              TO         EVENT      STATE',
      '11-22 08:00:00  1101   acme     OUT_FOR_DELIVERY  DELIVERED  delivered  pending',
      '11-22 08:00:00  2201   bharat   OUT_FOR_DELIVERY  DELIVERED  delivered  sent',
    ])
    const some = await waybill(['gaps', '--state', 'sent', '--json'])
    expect(JSON.parse(some.out)).toMatchObject({ order_id: '2201', state: 'SENT' })
  })

  it('sends those that can be sent, and says how many it left alone', async () => {
    const { gapsSent } = await api
    const { code, out, err } = await waybill(['gaps', '--send'])
    expect([code, err]).toEqual([0, '1 sent; 1 left alone\n'])
    expect(out).toBe(
      '1101  delivered  the event is sent to every endpoint that takes it, as if the change had just come\n',
    )
    expect(gapsSent.splice(0)).toEqual([[expect.any(String), '1101', sample.event]])
    await waybill(['gaps', '--send', '--order', '2201'])
    expect(gapsSent).toEqual([])
  })

  it('is for operators', async () => {
    const { code, err } = await waybill(['gaps'], { env: { WAYBILL_TOKEN: tokens.acme } })
    expect([code, err]).toEqual([2, 'waybill: this token may not do that — use a token of an operator\n'])
  })
})

describe('what goes wrong', () => {
  const failing = async (args: string[], options: Options = {}) => {
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
