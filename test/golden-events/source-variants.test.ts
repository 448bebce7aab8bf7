/** Recordings of connectors that are set up otherwise: the same stories, told by another source.yaml. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readSourceFile } from '../../app/config/source.ts'
import {
  defaultMapping,
  iso,
  linesOf,
  payloadsOf,
  readCaptured,
  runCaptured,
  storyOf,
} from './captured-run.ts'

describe('connectors that differ in one respect, each with a source.yaml of its own', () => {
  const expected = ['order_confirmed', 'out_for_delivery 1 - SUPERSEDED', 'delivered']
  const sourceOf = (name: string) =>
    readSourceFile(fileURLToPath(new URL(`../fixtures/sources/${name}.yaml`, import.meta.url)))
  const linesOfVariant = (name: string) => readCaptured([`mariadb/variants/${name}.jsonl`])
  const variants = readdirSync(new URL('../fixtures/cdc/mariadb/variants/', import.meta.url)).map((name) =>
    name.replace('.jsonl', ''),
  )

  it.each(variants)('%s: nothing is refused, and every event is on file', async (name) => {
    const run = runCaptured(linesOfVariant(name), sourceOf(name))
    expect([...run.asides.keys()].filter((word) => word !== 'ignored tombstone')).toEqual([])
    if (name !== 'mysql-connector-on-mariadb') expect(storyOf(run, '1801')).toEqual(expected)
    await expect(linesOf(run)).toMatchFileSnapshot(`golden/variants/${name}.jsonl`)
  })

  it.each(variants.filter((name) => !/^(?:isostring|mysql)/.test(name)))(
    '%s: the same story with the default mapping, and the same in any other of these',
    (name) => {
      const run = runCaptured(linesOfVariant(name), defaultMapping())
      expect(linesOf(run)).toBe(linesOf(runCaptured(linesOfVariant(name), sourceOf(name))))
      // DATETIME(3) 18:30:00.250, and address_confirmed as 1 or true.
      expect(payloadsOf(run, '1801').map(({ sla_due_at }) => iso(sla_due_at ?? 0))).toEqual(
        Array(3).fill('2026-11-24T18:30:00.250Z'),
      )
      expect(payloadsOf(run, '1801').at(-1)?.delivery.address_confirmed).toBe(true)
    },
  )

  it('isostring-times-changed-only: nine columns need a mapping that knows of nine', () => {
    const name = 'isostring-times-changed-only'
    const unmapped = runCaptured(linesOfVariant(name), defaultMapping())
    expect(unmapped.asides.get('undecodable missing_column')).toBe(5)
    expect(unmapped.events).toEqual([])
    const run = runCaptured(linesOfVariant(name), sourceOf(name))
    expect(iso(payloadsOf(run, '1801')[0]?.sla_due_at ?? 0)).toBe('2026-11-24T18:30:00.250Z')
  })

  it('mysql-connector-on-mariadb: without GTID the file and its offset are the position', () => {
    const name = 'mysql-connector-on-mariadb'
    const run = runCaptured(linesOfVariant(name), sourceOf(name))
    // 1701 is a snapshot row, 1802 is inserted as NEW: nothing to say about either.
    expect(run.events).toEqual([])
    expect(run.enrich.order('1701')?.position).toBeNull()
    expect(run.enrich.order('1802')?.position).toMatchObject({
      source: 'mysql:omsmysql',
      lineage: 'server:223344:binlog',
      sequence: 1,
      offset_in_log: 468912,
      identity: '223344|binlog.000001|468912|0|c|1802',
    })
  })
})
