import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'
import { tellPutAside } from './tell-put-aside.ts'

describe('records that are put aside', () => {
  it('are told with reason and mend, a reason of a topic once a minute', () => {
    const lines: string[] = []
    const clock = manualClock(1_000_000)
    const tell = tellPutAside((text) => lines.push(text), clock)
    const strange = (status: string) =>
      tell({ topic: 'shop.orders', reason: 'unknown_status', detail: `status "${status}" is not mapped` })
    for (const status of ['strange', 'odd', 'queer']) strange(status)
    tell({ topic: 'shop.orders', reason: 'not_json', detail: '3 characters that are not JSON' })
    expect(lines).toEqual([
      'a record of shop.orders was put aside, unknown_status: status "strange" is not mapped — map it under events:, ' +
        'or list it under no_event: if it means nothing to partners',
      'a record of shop.orders was put aside, not_json: 3 characters that are not JSON — look at the message',
    ])
    clock.advance(60_000)
    strange('weird')
    expect(lines[2]).toMatch(/"weird".*\(and 2 times more before\)$/)
  })

  it('are told by waybill run, under the name of their own topic', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-put-aside-'))
    const files: Record<string, string> = {
      'source.yaml': source,
      'partners.yaml':
        'partners: [{ id: m-1, endpoints: [{ id: m-1-orders, url: "https://hooks.example/" }] }]\n',
      'waybill.yaml':
        'data_dir: data\nkey_file: keys.json\nsource: source.yaml\npartners: partners.yaml\n' +
        'api: { enabled: false }\ningest: { folder: incoming }\n',
      'incoming/changes.jsonl': `${JSON.stringify(strangeOrder)}\n`,
    }
    mkdirSync(join(folder, 'incoming'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    await runCommand(['keys', 'new', 'keys.json'], capturedSurroundings({ cwd: folder }))
    const surroundings = capturedSurroundings({ cwd: folder })
    surroundings.stderr.onWrite = (text) => {
      if (text.includes('put aside')) surroundings.end('SIGTERM')
    }
    await runCommand(['run', '--config', 'waybill.yaml', '--duration', '30s'], surroundings)
    expect(surroundings.stderr.text()).toContain(
      'waybill: a record of shop.shop.orders was put aside, unknown_status: status "strange" is not mapped — map it',
    )
  })
})

const source = `
default_region: IN
sources:
  - name: orders
    role: orders
    topics: [shop.shop.orders]
    connector: mysql
    before_image: full
    zone: UTC
    events: { paid: order_confirmed }
    no_event: [cart]
    columns: { order_id: id, partner_id: merchant, status: status, version: none, attempt_no: none }
    times:
      created_at: { column: created_at, form: instant }
      updated_at: { column: updated_at, form: instant }
`

const at = '2026-11-22T08:00:00Z'
const strangeOrder = {
  op: 'c',
  before: null,
  after: { id: 7, merchant: 'm-1', status: 'strange', created_at: at, updated_at: at },
  ts_ms: Date.parse(at),
  source: {
    ...{ connector: 'mysql', name: 'shop', db: 'shop', table: 'orders', ts_ms: Date.parse(at) },
    ...{ snapshot: 'false', server_id: 1, gtid: null, file: 'binlog.000001', pos: 100, row: 0 },
  },
}
