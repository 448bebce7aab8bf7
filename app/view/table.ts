/** Draws rows as a table that fits: columns that matter least go first, then the long ones are cut. */
import { oneLine } from '../cli/cli-error.ts'
import { left, right } from './cells.ts'

export interface Column<Row> {
  readonly title: string
  text(row: Row): string
  readonly align?: 'left' | 'right'
  /** The column with the highest number goes first when space is short; one without stays. */
  readonly drop?: number
  /** May be cut down to so many characters when nothing is left to drop. */
  readonly shrinkTo?: number
  /** How a cell looks. */
  paint?(text: string, row: Row): string
}

const gap = '  '

/** Lines, the first with the titles. `width`: what fits; without, as wide as it gets. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | undefined,
  paintTitle: (text: string) => string,
): string[] {
  const measured = columns.map((column) => {
    const cells = rows.map((row) => oneLine(column.text(row)))
    return {
      column,
      cells,
      width: cells.reduce((most, cell) => Math.max(most, cell.length), column.title.length),
    }
  })
  const shown = fitInto(measured, width ?? Number.POSITIVE_INFINITY)
  const draw = (
    textOf: (one: Measured<Row>) => string,
    paint: (column: Column<Row>, cell: string) => string,
  ) =>
    shown
      .map((one, place) => {
        const cell = align(one.column, textOf(one), one.width)
        // Nothing stands to the right of the last column: spaces there would only show where they are coloured.
        return paint(one.column, place === shown.length - 1 ? cell.trimEnd() : cell)
      })
      .join(gap)
      .trimEnd()
  return [
    draw(
      ({ column }) => column.title,
      (_column, cell) => paintTitle(cell),
    ),
    ...rows.map((row, index) =>
      draw(
        ({ cells }) => cells[index] ?? '',
        (column, cell) => column.paint?.(cell, row) ?? cell,
      ),
    ),
  ]
}

interface Measured<Row> {
  readonly column: Column<Row>
  readonly cells: readonly string[]
  readonly width: number
}

function fitInto<Row>(all: readonly Measured<Row>[], width: number): readonly Measured<Row>[] {
  let kept = all
  while (total(kept) > width) {
    const first = kept.reduce<Measured<Row> | undefined>(
      (worst, one) => ((one.column.drop ?? 0) > (worst?.column.drop ?? 0) ? one : worst),
      undefined,
    )
    if (!first) break
    kept = kept.filter((one) => one !== first)
  }
  let over = total(kept) - width
  return kept.map((one) => {
    const least = one.column.shrinkTo ?? one.width
    const spared = Math.max(0, Math.min(over, one.width - least))
    over -= spared
    return { ...one, width: one.width - spared }
  })
}

const total = (columns: readonly { readonly width: number }[]): number =>
  columns.reduce((sum, { width }) => sum + width, gap.length * Math.max(0, columns.length - 1))

const align = (column: Pick<Column<never>, 'align'>, text: string, width: number): string =>
  column.align === 'right' ? right(text, width) : left(text, width)
