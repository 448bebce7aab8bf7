/**
 * NORMALIZE as a processor: captured records in, typed changes keyed by order_id out. Stateless. Whatever does not
 * go on is counted; what cannot be read is refused and so reaches the dead letters.
 */
import type {
  InputRecord,
  ProcessorContext,
  ProcessorDefinition,
  ProcessorShape,
} from '../../engine/index.ts'
import type { AssignmentChange, OrderChange } from '../../schemas/index.ts'
import { type NormalizeOptions, normalizeRecord } from './normalize-record.ts'

/** Names of the counters; labels in brackets. */
export const normalizeCounters = {
  /** Changes sent on [role]. */
  changes: 'normalize_changes',
  /** Records put aside [why]. */
  ignored: 'normalize_ignored',
  /** A table was emptied; somebody should know. */
  truncated: 'normalize_truncated',
  /** Records refused [reason]. */
  undecodable: 'normalize_undecodable',
  /** Time columns that held no date and became null. */
  badTimes: 'normalize_bad_times',
} as const

type Captured = { key: Uint8Array | null; value: Uint8Array | null }

export interface NormalizeShape extends ProcessorShape {
  /** Both are handled alike: what a record is follows from its topic and the mapping. */
  readonly inputs: { readonly orders: Captured; readonly assignments: Captured }
  readonly outputs: {
    readonly orderChange: { key: string; value: OrderChange }
    readonly assignmentChange: { key: string; value: AssignmentChange }
  }
  readonly stores: Record<never, never>
  readonly globals: Record<never, never>
  readonly effects: Record<never, never>
}

/** The definition of NORMALIZE. */
export function normalize(options: NormalizeOptions): ProcessorDefinition<NormalizeShape> {
  return {
    stores: {},
    effects: {},
    create(context) {
      const take = (record: InputRecord<Captured['key'], Captured['value']>) =>
        handle(record, options, context)
      return { inputs: { orders: take, assignments: take } }
    },
  }
}

function handle(
  record: InputRecord<Captured['key'], Captured['value']>,
  options: NormalizeOptions,
  context: ProcessorContext<NormalizeShape>,
): void {
  const result = normalizeRecord(record, options)
  switch (result.kind) {
    case 'order':
      countBadTimes(result.badTimes, context)
      context.count(normalizeCounters.changes, { role: 'orders' })
      context.emit.orderChange(result.change.order_id, result.change)
      return
    case 'assignments':
      countBadTimes(result.badTimes, context)
      for (const change of result.changes) {
        context.count(normalizeCounters.changes, { role: 'assignments' })
        context.emit.assignmentChange(change.order_id, change)
      }
      return
    case 'truncated':
      context.count(normalizeCounters.truncated, { topic: record.topic })
      return
    case 'ignored':
      context.count(normalizeCounters.ignored, { why: result.why })
      return
    case 'undecodable':
      context.count(normalizeCounters.undecodable, { reason: result.reason })
      context.reject(result.reason, result.detail)
  }
}

function countBadTimes(found: number, context: ProcessorContext<NormalizeShape>): void {
  for (let counted = 0; counted < found; counted += 1) context.count(normalizeCounters.badTimes)
}
