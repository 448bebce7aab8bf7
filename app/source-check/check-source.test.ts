import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { exitCode } from '../cli/exit-code.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'
import type { Finding, SourceReport } from './source-report.ts'

const fixtures = fileURLToPath(new URL('../../test/fixtures/', import.meta.url))
const golden = fileURLToPath(new URL('../../test/golden-events/golden/', import.meta.url))
const second = {
  source: join(fixtures, 'second-schema/source.yaml'),
  mysql: join(fixtures, 'second-schema/mysql.jsonl'),
  postgresql: join(fixtures, 'second-schema/postgresql.jsonl'),
}
const folder = mkdtempSync(join(tmpdir(), 'waybill-source-check-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function run(...args: string[]) {
  const surroundings = capturedSurroundings({ cwd: fixtures })
  const code = await runCommand(['source', 'check', ...args], surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

async function report(...args: string[]): Promise<SourceReport> {
  const { out, err } = await run('--json', ...args)
  expect(err).toBe('')
  return JSON.parse(out)
}

const kinds = (findings: readonly Finding[]) => findings.map(({ kind }) => kind)

/** The second schema's source.yaml, changed. */
function sourceWith(change: (text: string) => string): string {
  const path = join(folder, `${readdirSync(folder).length}.yaml`)
  writeFileSync(path, change(readFileSync(second.source, 'utf8')))
  return path
}

describe('waybill source check', () => {
  it('finds nothing to mend where everything is mapped, and says what would be sent', async () => {
    for (const file of [second.mysql, second.postgresql]) {
      const found = await report('--source', second.source, file)
      expect(found.findings).toEqual([])
      expect(found.events).toEqual({
        ...{ order_confirmed: 5, out_for_delivery: 3, delivered: 2, delivery_failed: 1 },
        ...{ return_initiated: 1, return_picked_up: 1 },
      })
      expect((await run('--source', second.source, file)).code).toBe(exitCode.ok)
    }
  })

  it.each(['mariadb', 'postgres'])('counts as many events as the %s recording gives', async (database) => {
    const files = readdirSync(join(fixtures, 'cdc', database)).filter((name) => /^\d\d-.*jsonl$/.test(name))
    const found = await report(...files.map((name) => join(fixtures, 'cdc', database, name)))
    const events = readFileSync(join(golden, `${database}.jsonl`), 'utf8')
      .trimEnd()
      .split('\n')
    expect(found.events_total).toBe(events.length)
  })

  it('names an unmapped status, and where it stands', async () => {
    const source = sourceWith((text) => text.replace('      handed over: delivered\n', ''))
    const found = await report('--source', source, second.mysql)
    expect(found.statuses).toContainEqual({ status: 'handed over', count: 2 })
    expect(found.findings).toMatchObject([
      { kind: 'unmapped_status', count: 2, lines: [`${second.mysql}:9`, `${second.mysql}:10`] },
    ])
    expect(found.undecodable).toEqual({ unknown_status: 2 })
  })

  it('names a column that is mapped and not there, and the one that was probably meant', async () => {
    const source = sourceWith((text) => text.replace('partner_id: merchant', 'partner_id: merchand'))
    const { findings, topics } = await report('--source', source, second.mysql)
    expect(findings).toMatchObject([{ kind: 'missing_column', mend: 'did you mean merchant?' }])
    expect(topics[0]?.columns.find(({ field }) => field === 'partner_id')).toMatchObject({ present: 0 })
    expect(topics[0]?.unmapped_columns).toEqual(['colli', 'merchant'])
  })

  it('says when no topic is mapped, and which there are', async () => {
    const found = await report(second.mysql)
    expect(found.findings).toMatchObject([
      { kind: 'nothing_mapped', what: expect.stringContaining('shop.logistics.consignments') },
    ])
    expect(kinds((await report('-')).findings)).toEqual(['nothing_mapped'])
  })

  it('suspects a zone in which changes come before or after their commit', async () => {
    const source = sourceWith((text) => text.replaceAll('zone: Europe/Berlin', 'zone: UTC'))
    const { findings } = await report('--source', source, second.mysql)
    const zones = findings.filter(({ kind }) => kind === 'time_zone')
    expect(zones.map(({ what }) => what)).toContainEqual(
      expect.stringMatching(
        /updated_at \(column changed, local_ms, zone UTC\) is 60 minutes ahead of the commit/,
      ),
    )
    expect(zones[0]?.mend).toContain('a zone of +01:00 would fit')
  })

  it('suspects a form that makes times of 1970 of them, or none at all', async () => {
    const micro = sourceWith((text) => text.replaceAll('local_ms', 'local_us'))
    const early = (await report('--source', micro, second.mysql)).findings
    expect(early[0]).toMatchObject({
      kind: 'time_form',
      mend: 'if these are milliseconds, write form: local_ms',
    })
    const milli = sourceWith((text) => text.replaceAll('local_us', 'local_ms'))
    const none = (await report('--source', milli, second.postgresql)).findings
    expect(none[0]).toMatchObject({ kind: 'time_form', mend: expect.stringContaining('microseconds') })
    const instant = sourceWith((text) => text.replaceAll('form: local_ms', 'form: instant'))
    const text = (await report('--source', instant, second.mysql)).findings
    expect(text[0]).toMatchObject({ kind: 'time_form', mend: expect.stringContaining('milliseconds') })
  })

  it('tells an update without the row before, where the mapping relies on one', async () => {
    const source = sourceWith((text) => text.replaceAll('before_image: key', 'before_image: full'))
    const { findings } = await report('--source', source, second.postgresql)
    expect(kinds(findings)).toContain('no_before')
  })

  it('names bad lines and refused records, and quotes neither names, phones nor passwords', async () => {
    const lines = readFileSync(second.mysql, 'utf8').split('\n')
    const file = join(folder, 'broken.jsonl')
    const flat = JSON.stringify({
      topic: 'shop.logistics.consignments',
      timestamp: 1,
      key: '{}',
      value: '{"pin":"0042"}',
    })
    writeFileSync(
      file,
      [lines[1], 'no json 0042', flat, lines[3]?.replaceAll('\\"pin\\":\\"0042\\"', '\\"pin\\":{}')].join(
        '\n',
      ),
    )
    const found = await report('--source', second.source, file)
    expect(found.bad_lines).toBe(1)
    expect(found.findings).toMatchObject([
      { kind: 'bad_line', lines: [`${file}:2`] },
      { kind: 'undecodable', what: expect.stringContaining('not_an_envelope'), lines: [`${file}:3`] },
      {
        kind: 'undecodable',
        what: expect.stringContaining('column pin holds an object'),
        lines: [`${file}:4`],
      },
    ])
    const whole = JSON.stringify(found) + (await run('--source', second.source, file, second.mysql)).out
    for (const secret of ['0042', '7710', 'Jürgen', '0151', 'Mia', '1234567'])
      expect(whole).not.toContain(secret)
  })

  it('shows people the statuses, the columns and what to mend', async () => {
    const source = sourceWith((text) => text.replace('sorted, ', ''))
    const { code, out } = await run('--source', source, second.mysql)
    expect(code).toBe(exitCode.findings)
    expect(out).toContain('handed over → delivered')
    expect(out).toContain('sorted → NOT MAPPED')
    expect(out).toMatch(/updated_at +changed +local_ms, zone Europe\/Berlin/)
    expect(out).toContain('1 to look at:')
  })

  it('says what is wrong with a file that cannot be read, or a mapping', async () => {
    expect(await run('missing.jsonl')).toMatchObject({
      code: exitCode.usage,
      err: expect.stringContaining('no such file'),
    })
    const source = sourceWith((text) => text.replace('role: orders', 'role: order'))
    expect(await run('--source', source, second.mysql)).toMatchObject({
      code: exitCode.usage,
      err: expect.stringContaining('orders?'),
    })
  })
})
