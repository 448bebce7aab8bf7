import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import type { CapturedRecord } from './captured-record.ts'
import { createHttpIngest, type HttpIngestOptions, type IngestRequest } from './http-ingest.ts'

const nowMs = Date.parse('2026-11-22T08:00:00.000Z')
const token = 'a-token'
const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`

const change = (position: number, over: Record<string, unknown> = {}) => ({
  before: null,
  after: { id: 1101 },
  source: { connector: 'mysql', name: 'shop', db: 'oms', table: 'orders', pos: position },
  op: 'c',
  ts_ms: nowMs - 100,
  ...over,
})

function fixture(over: Partial<HttpIngestOptions> = {}) {
  const appended: CapturedRecord[] = []
  const reports: string[] = []
  const clock = manualClock(nowMs)
  const http = createHttpIngest({
    ingest: { append: async (records) => void appended.push(...records) },
    auth: { tokens: [token], signingSecrets: [secret] },
    clock,
    isMapped: (topic) => topic.endsWith('.orders'),
    positionOf: (topic, value) => {
      const message = JSON.parse(value)
      const { source } = (message.payload ?? message) as { source: { pos: number } }
      return source.pos === 0 ? null : `${topic}|${source.pos}`
    },
    report: (message) => void reports.push(message),
    ...over,
  })
  const post = (body: unknown, request: Partial<IngestRequest> = {}) =>
    http.handle({
      query: {},
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      ...request,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...request.headers },
    })
  return { http, post, appended, reports, clock }
}

describe('a change over HTTP', () => {
  it('is appended as it was sent, to the topic that Debezium would name, with the time of its capture', async () => {
    const { post, appended } = fixture()
    const text = `{"before":null,"after":{"id":1101, "n":1795322507190950001},"source":{"connector":"postgresql",
      "name":"shop","db":"x","schema":"oms","table":"orders","pos":1},"op":"c","ts_ms":${nowMs - 100}}`
    expect(await post(text)).toMatchObject({ status: 200, body: { accepted: 1, repeated: 0, ignored: {} } })
    expect(appended).toEqual([
      {
        topic: 'shop.oms.orders',
        partition: null,
        key: null,
        timestamp: nowMs - 100,
        value: text,
        headers: {},
      },
    ])
  })

  it('comes with or without schema, alone, as an array, as lines, and zipped', async () => {
    const { post, appended } = fixture()
    const [first, second] = [change(1), { schema: { type: 'struct' }, payload: change(2) }]
    await post(first)
    await post(JSON.stringify([second, change(3)], null, 2))
    await post(`${JSON.stringify(change(4))}\n\n${JSON.stringify(change(5))}\n`)
    const zipped = gzipSync(JSON.stringify([change(6)]))
    await post('', { body: zipped, headers: { 'content-encoding': 'gzip' } })
    expect(appended.map(({ topic }) => topic)).toEqual(Array(6).fill('shop.oms.orders'))
    expect(JSON.parse(String(appended[1]?.value))).toEqual(second)
  })

  it('may name its topic, in the query or as a captured record', async () => {
    const { post, appended } = fixture()
    await post(change(1), { query: { topic: 'cdc.oms.orders' } })
    await post({ topic: 'a.orders', timestamp: 7, key: '{"id":1}', value: JSON.stringify(change(2)) })
    await post({ topic: 'a.orders', timestamp: 8, key: '{"id":1}', value: null })
    expect(appended.map(({ topic, timestamp, key }) => [topic, timestamp, key])).toEqual([
      ['cdc.oms.orders', nowMs - 100, null],
      ['a.orders', 7, '{"id":1}'],
      ['a.orders', 8, '{"id":1}'],
    ])
  })

  it('keeps the headers that tell of a new primary key, in base64 or plain', async () => {
    const { post, appended } = fixture()
    const oldKey = '{"id":1100}'
    const encoded = Buffer.from(oldKey).toString('base64')
    await post(change(1), { headers: { 'x-debezium-__debezium.oldkey': encoded } })
    await post(change(2), { headers: { 'x-debezium-__debezium.newkey': oldKey, 'x-debezium-other': 'x' } })
    expect(appended.map(({ headers }) => headers)).toEqual([
      { '__debezium.oldkey': oldKey },
      { '__debezium.newkey': oldKey },
    ])
  })

  it('as a CloudEvent becomes the envelope that it was', async () => {
    const { post, appended } = fixture()
    const event = `{"id":"name:pg;lsn:29274832;txId:565","source":"/debezium/postgresql/pg","specversion":"1.0",
      "type":"io.debezium.connector.postgresql.DataChangeEvent","time":"2026-11-22T08:00:00.000Z",
      "datacontenttype":"application/json","iodebeziumop":"u","iodebeziumversion":"3.5.0.Final",
      "iodebeziumconnector":"postgresql","iodebeziumname":"pg","iodebeziumtsms":"1795334399900",
      "iodebeziumsnapshot":"false","iodebeziumdb":"x","iodebeziumschema":"oms","iodebeziumtable":"orders",
      "iodebeziumtxId":"565","iodebeziumlsn":"29274832","iodebeziumxmin":null,"iodebeziumtxid":"565:29274832",
      "iodebeziumtxtotalorder":"1","data":{"schema":{},"payload":{"before":{"id":1},"after":{"id":9007199254740993}}}}`
    await post(event, { headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' } })
    expect(appended[0]).toMatchObject({ topic: 'pg.oms.orders', timestamp: 1795334399900 })
    expect(appended[0]?.value).toContain('"after":{"id":9007199254740993}')
    expect(JSON.parse(String(appended[0]?.value))).toMatchObject({
      before: { id: 1 },
      op: 'u',
      source: { connector: 'postgresql', name: 'pg', snapshot: 'false', txId: '565', lsn: '29274832' },
      transaction: { id: '565:29274832' },
    })
  })

  it('sent again is answered as taken and not appended again; a snapshot row, which has no place, is', async () => {
    const { post, appended } = fixture()
    await post([change(1), change(2), change(1)])
    expect((await post([change(2), change(3)])).body).toEqual({ accepted: 1, repeated: 1, ignored: {} })
    await post([change(0), change(0)])
    expect(appended.map(({ value }) => JSON.parse(String(value)).source.pos)).toEqual([1, 2, 3, 0, 0])
  })

  it('of a table that nobody mapped, and what a server sends beside changes, is counted and not appended', async () => {
    const { http, post, appended } = fixture()
    const others = [
      change(1, { source: { connector: 'mysql', name: 'shop', db: 'oms', table: 'carts', pos: 1 } }),
      { ts_ms: nowMs },
      { status: 'BEGIN', id: '0-1-2', event_count: null, data_collections: null, ts_ms: nowMs },
      { schema: {}, payload: { source: {}, databaseName: 'oms', ddl: 'ALTER TABLE', tableChanges: [] } },
    ]
    expect((await post(others)).body).toEqual({
      accepted: 0,
      repeated: 0,
      ignored: { other_topic: 1, heartbeat: 1, transaction: 1, schema_change: 1 },
    })
    expect(appended).toEqual([])
    expect(http.counts().ignored).toBe(4)
  })

  it('is appended in the order in which it was sent, one request after the other', async () => {
    const order: number[] = []
    const waits: (() => void)[] = []
    const { post } = fixture({
      ingest: {
        async append(records) {
          await new Promise<void>((resolve) => waits.push(resolve))
          for (const { value } of records) order.push(JSON.parse(String(value)).source.pos)
        },
      },
    })
    const answers = Promise.all([post(change(1)), post([change(2), change(3)]), post(change(1))])
    for (let turn = 0; turn < 2; turn += 1) {
      while (waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
      waits.shift()?.()
    }
    // The third is the first one again, sent while that was being written.
    expect((await answers).map(({ body }) => body)).toMatchObject([
      { accepted: 1 },
      { accepted: 2 },
      { accepted: 0, repeated: 1 },
    ])
    expect(order).toEqual([1, 2, 3])
  })

  it('is not overtaken by a later one while it is unzipped, nor by one that a refused one stands before', async () => {
    const { post, appended } = fixture()
    const zipped = (body: string | object) => ({
      body: gzipSync(typeof body === 'string' ? body : JSON.stringify(body)),
      headers: { 'content-encoding': 'gzip' },
    })
    const answers = await Promise.all([
      post('', zipped(change(1))),
      post(change(2)),
      post('', zipped('no change')),
      post('', zipped(change(3))),
      post(change(4)),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 200, 200])
    expect(appended.map(({ value }) => JSON.parse(String(value)).source.pos)).toEqual([1, 2, 3, 4])
  })
})

describe('what cannot be taken', () => {
  it('is refused whole, with the number and reason of each message and nothing of its content', async () => {
    const { post, appended } = fixture()
    const refused = await post(`${JSON.stringify(change(1))}\n{"otp":"4213"\n[]\n{"id":1,"otp":"4213"}\n`)
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'unreadable' } } })
    const text = JSON.stringify(refused.body)
    expect(text).toContain(
      'message 2: not JSON; message 3: not a JSON object; message 4: no change of Debezium',
    )
    expect(text).not.toContain('4213')
    expect(appended).toEqual([])
  })

  it.each([
    ['nothing', '', {}, 400],
    ['no JSON', 'op=u', {}, 400],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 400],
    ['Avro', change(1), { 'content-type': 'avro/bytes' }, 415],
    ['another encoding', change(1), { 'content-encoding': 'br' }, 415],
    ['damaged gzip', 'x', { 'content-encoding': 'gzip' }, 400],
    ['too much', `"${'x'.repeat(2000)}"`, {}, 413],
    ['too much when unzipped', gzipSync('x'.repeat(100_000)), { 'content-encoding': 'gzip' }, 413],
  ])('%s: refused with words', async (_, body, headers, status) => {
    const { post } = fixture({ bodyBytesMax: 1000 })
    const request = body instanceof Uint8Array ? { body, headers } : { headers }
    const answer = await post(body instanceof Uint8Array ? '' : body, request)
    expect(answer).toMatchObject({ status, body: { error: { mend: expect.any(String) } } })
  })

  it('is held back while the pipeline is behind, the log refuses, or too many wait', async () => {
    let holdS: number | undefined = 4.2
    let broken = true
    const { http, post, reports } = fixture({
      overloaded: () => holdS,
      waitingMax: 1,
      ingest: {
        async append() {
          if (broken) throw new Error('ENOSPC')
        },
      },
    })
    expect(await post(change(1))).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
    holdS = undefined
    expect(await post(change(1))).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(reports).toHaveLength(1)
    broken = false
    const [taken, waiting] = await Promise.all([post(change(1)), post(change(2))])
    // What was refused was not appended, so it is no repeat now.
    expect(taken).toMatchObject({ status: 200, body: { accepted: 1 } })
    expect(waiting).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
    expect(http.counts()).toMatchObject({ accepted: 1, refused: { 503: 2, 429: 1 } })
  })
})

describe('who may send', () => {
  const signed = (body: string, over: { secret?: string; atMs?: number } = {}) => {
    const timestamp = String(Math.floor((over.atMs ?? nowMs) / 1000))
    const key = Buffer.from((over.secret ?? secret).slice('whsec_'.length), 'base64')
    const hmac = createHmac('sha256', key).update(`msg_1.${timestamp}.${body}`).digest('base64')
    return {
      authorization: undefined,
      'webhook-id': 'msg_1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${hmac}`,
    }
  }

  it('a known token, or a signature of now by a known secret', async () => {
    const { post } = fixture()
    const body = JSON.stringify(change(1))
    expect((await post(body)).status).toBe(200)
    expect((await post(body, { headers: signed(body) })).status).toBe(200)
    const others = [
      { authorization: undefined },
      { authorization: 'Bearer another' },
      { authorization: token },
      signed(`${body} `),
      signed(body, { atMs: nowMs - 6 * 60_000 }),
      signed(body, { secret: `whsec_${Buffer.alloc(24, 6).toString('base64')}` }),
      { ...signed(body), 'webhook-signature': '' },
      { ...signed(body), 'webhook-timestamp': 'now' },
    ]
    for (const headers of others) {
      expect((await post(body, { headers })).status, JSON.stringify(headers)).toBe(401)
    }
  })

  it('nobody: then it cannot be made', () => {
    const auth = { tokens: [], signingSecrets: [] }
    expect(() => fixture({ auth })).toThrow('needs a token')
    expect(() => fixture({ auth: { ...auth, tokens: [' '] } })).toThrow('empty')
    expect(() => fixture({ auth: { ...auth, signingSecrets: ['whsec_c2hvcnQ='] } })).toThrow('24 bytes')
  })
})
