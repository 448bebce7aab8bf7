import { describe, expect, it } from 'vitest'
import { attempted, batch, history } from '../../ports/testing/log-records.ts'
import { foldBatch } from './log-rows.ts'
import { createMaintenance } from './maintenance.ts'
import type { Sql, SqlDatabase } from './sql-database.ts'

/** Remembers what it is asked to do, and tells of a table with so many rows, and of a log that grew by so much. */
function database(estimatedRows: number, grown = 0) {
  const asked: string[] = []
  const fake: SqlDatabase = {
    name: 'fake',
    autovacuum: false,
    async query({ text }: Sql) {
      const of = text.endsWith('.exceptions') ? ' aside' : ''
      if (/^(analyze|vacuum|checkpoint)/.test(text)) asked.push(`${text.split(' ', 1)[0]}${of}`)
      return [{ n: estimatedRows, grown }]
    },
    transaction: async () => [],
    close: async () => undefined,
  }
  return { fake, asked }
}

const rowsOf = (count: number, version: number) =>
  foldBatch(
    batch({
      history: Array.from({ length: count }, (_, n) =>
        version === 1 ? history({ of: `event-${n}` }) : attempted({ of: `event-${n}`, version }),
      ),
    }),
  )

describe('maintenance', () => {
  it('takes statistics early, and then whenever the log has doubled', async () => {
    const { fake, asked } = database(0)
    const maintenance = createMaintenance(fake, 'waybill')
    const batchesUntil: number[] = []
    for (let n = 1; n <= 40; n++) {
      await maintenance.wrote(rowsOf(100, 1))
      if (asked.length > batchesUntil.length) batchesUntil.push(n)
    }
    expect(batchesUntil).toEqual([3, 6, 12, 24])
  })

  it('vacuums when a fifth of the deliveries has changed, and never for inserts', async () => {
    const { fake, asked } = database(200_000)
    const maintenance = createMaintenance(fake, 'waybill')
    const inserts = rowsOf(5000, 1)
    const updates = rowsOf(5000, 2)
    for (let n = 0; n < 50; n++) await maintenance.wrote(inserts)
    expect(asked).not.toContain('vacuum')
    for (let n = 0; n < 7; n++) await maintenance.wrote(updates)
    expect(asked).not.toContain('vacuum')
    await maintenance.wrote(updates)
    expect(asked.filter((what) => what === 'vacuum')).toHaveLength(1)
    await maintenance.wrote(updates)
    expect(asked.filter((what) => what === 'vacuum')).toHaveLength(1)
  })

  it('vacuums the side tables after so many changes, whatever the size of the log', async () => {
    const { fake, asked } = database(10_000_000)
    const maintenance = createMaintenance(fake, 'waybill')
    const updates = rowsOf(5000, 2)
    for (let n = 0; n < 3; n++) await maintenance.wrote(updates)
    expect(asked).not.toContain('vacuum aside')
    for (let n = 0; n < 5; n++) await maintenance.wrote(updates)
    expect(asked.filter((what) => what.startsWith('vacuum'))).toEqual(['vacuum aside', 'vacuum aside'])
  })

  it('makes a checkpoint when the write-ahead log has grown, not for every batch', async () => {
    const checkpoints = async (grown: number) => {
      const { fake, asked } = database(0, grown)
      const maintenance = createMaintenance(fake, 'waybill')
      for (let n = 0; n < 25; n++) await maintenance.wrote(rowsOf(100, 1))
      return asked.filter((what) => what === 'checkpoint').length
    }
    expect(await checkpoints(1024)).toBe(0)
    expect(await checkpoints(2 ** 28)).toBe(2)
  })

  it('vacuums every table after a removal', async () => {
    const { fake, asked } = database(0)
    await createMaintenance(fake, 'waybill').removed()
    expect(asked).toEqual(['vacuum'])
  })
})
