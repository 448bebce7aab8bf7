import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { sample } from '../../api/testing/sample-log.ts'
import { linesOf, waybill } from './testing/waybill-client.ts'

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
