import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { oneLine } from '../cli/cli-error.ts'
import { type Column, table } from './table.ts'

interface Row {
  readonly id: string
  readonly note: string
  readonly extra: string
}
const columns: Column<Row>[] = [
  { title: 'ID', text: ({ id }) => id },
  { title: 'NOTE', text: ({ note }) => note, shrinkTo: 6 },
  { title: 'EXTRA', text: ({ extra }) => extra, drop: 1, align: 'right' },
]
const rows: Row[] = [
  { id: 'a1', note: 'a long note', extra: '5' },
  { id: 'b22', note: 'short', extra: '12345678' },
]
const draw = (width?: number) => table(columns, rows, width, (text) => text)

describe('a table', () => {
  it('is as wide as it gets where nothing limits it', () => {
    expect(draw()).toEqual([
      'ID   NOTE            EXTRA',
      'a1   a long note         5',
      'b22  short        12345678',
    ])
  })

  it('drops what matters least, then cuts what is long', () => {
    expect(draw(20)).toEqual(['ID   NOTE', 'a1   a long note', 'b22  short'])
    expect(draw(12)).toEqual(['ID   NOTE', 'a1   a long…', 'b22  short'])
    expect(draw(5)).toEqual(['ID   NOTE', 'a1   a lon…', 'b22  short'])
  })

  it('paints cells without moving them', () => {
    const painted = table(
      columns.map((column) => ({ ...column, paint: (text: string) => `<${text}>` })),
      rows,
      undefined,
      (text) => text,
    )
    expect(painted[1]).toBe('<a1 >  <a long note>  <       5>')
  })

  it('stands one row on one line, whatever is in it, and never wider than asked for and possible', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.string(), note: fc.string(), extra: fc.string() })),
        fc.nat(60),
        (any, width) => {
          const lines = table(columns, any, width, (text) => text)
          expect(lines).toHaveLength(any.length + 1)
          const ids = Math.max(2, ...any.map(({ id }) => id.length))
          for (const line of lines) {
            expect(line).toBe(oneLine(line))
            expect(line.length).toBeLessThanOrEqual(Math.max(width, ids + 2 + 6))
          }
        },
      ),
    )
  })
})
