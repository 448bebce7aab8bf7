import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binaryArrays, type Column, type Scalar } from './binary-arrays.ts'
import { type EmbeddedDatabase, openEmbeddedDatabase } from './embedded-database.ts'
import { createScratch, prepareTemplate, templateTimeoutMs } from './testing/scratch.ts'

const columns: readonly Column<readonly Scalar[]>[] = [
  ['id', 'uuid', (row) => row[0] ?? null],
  ['words', 'text', (row) => row[1] ?? null],
  ['large', 'bigint', (row) => row[2] ?? null],
  ['small', 'integer', (row) => row[3] ?? null],
  ['flag', 'boolean', (row) => row[4] ?? null],
]

const word = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0'))
const row = fc.tuple(
  fc.option(fc.uuid()),
  fc.option(word),
  fc.option(fc.maxSafeInteger()),
  fc.option(fc.integer()),
  fc.option(fc.boolean()),
)

describe('columns as binary arrays', () => {
  const scratch = createScratch()
  let database: EmbeddedDatabase
  beforeAll(async () => {
    await prepareTemplate()
    database = await openEmbeddedDatabase({ directory: scratch.directory() })
  }, templateTimeoutMs)
  afterAll(async () => {
    await database.close()
    scratch.remove()
  })

  const throughDatabase = async (rows: readonly (readonly Scalar[])[]) => {
    const types = columns.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ')
    const names = columns.map(([name]) => name).join(', ')
    const found = await database.query({
      text: `select * from unnest(${types}) as t (${names})`,
      values: binaryArrays(columns, rows),
    })
    return found.map((columnsOf) => columns.map(([name]) => columnsOf[name] ?? null))
  }

  it('are to PostgreSQL what was put in, row by row', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        expect(await throughDatabase(rows)).toEqual(rows)
      }),
      { numRuns: 60 },
    )
  })

  it('hold the longest and the shortest of each type, and letters of up to four bytes', async () => {
    const rows = [
      ['00000000-0000-0000-0000-000000000000', '', Number.MIN_SAFE_INTEGER, -(2 ** 31), false],
      [
        'ffffffff-ffff-ffff-ffff-ffffffffffff',
        'ü€😀'.repeat(500),
        Number.MAX_SAFE_INTEGER,
        2 ** 31 - 1,
        true,
      ],
      [null, null, null, null, null],
    ]
    expect(await throughDatabase(rows)).toEqual(rows)
  })
})

describe('a value that is none of its column', () => {
  it.each([
    ['id', [`${'0'.repeat(36)}`, '', 0, 0, false]],
    ['id', ['00000000-0000-0000-0000-00000000000g', '', 0, 0, false]],
    ['id', ['0', '', 0, 0, false]],
    ['words', [null, 5, 0, 0, false]],
    ['large', [null, '', 0.5, 0, false]],
    ['large', [null, '', 2 ** 53, 0, false]],
    ['small', [null, '', 0, 2 ** 31, false]],
    ['flag', [null, '', 0, 0, 'true']],
  ] as const)('is refused by name: %s', (name, values) => {
    expect(() => binaryArrays(columns, [values])).toThrow(new RegExp(`^${name}: .* is no `))
  })
})
