/** Which of two changes is newer in its source. Positions of different sources or lineages say nothing. */
import type { SourcePosition } from '../../schemas/index.ts'

/** How a change stands to what was applied last. */
export type SourceOrder = 'newer' | 'same' | 'older' | 'incomparable'

/** Compares `position` with `last`: by sequence, then place in the log, then row of the statement. */
export function compareInSource(position: SourcePosition, last: SourcePosition | null): SourceOrder {
  if (!last || position.lineage === null || last.lineage === null) return 'incomparable'
  if (position.source !== last.source || position.lineage !== last.lineage) return 'incomparable'
  const difference =
    compare(position.sequence, last.sequence) ||
    compare(position.offset_in_log, last.offset_in_log) ||
    compare(position.row, last.row)
  if (difference === 0) return 'same'
  return difference > 0 ? 'newer' : 'older'
}

const compare = (left: number | null, right: number | null): number => (left ?? 0) - (right ?? 0)
