/** What a check of a source mapping found: a model for programs, in the words of the JSON output. */
import type { SentEvent } from '../../schemas/index.ts'

export interface SourceReport {
  readonly records: number
  readonly bad_lines: number
  readonly topics: readonly TopicReport[]
  /** Statuses of orders as they were seen after a change, the most frequent first. */
  readonly statuses: readonly StatusReport[]
  /** Events that would be sent, by name. */
  readonly events: Readonly<Partial<Record<SentEvent, number>>>
  readonly events_total: number
  /** Order changes that would not be sent, by why. */
  readonly not_sent: Readonly<Record<string, number>>
  readonly assignments: Readonly<Record<'upserted' | 'removed', number>>
  /** Records put aside without harm, by why. */
  readonly ignored: Readonly<Record<string, number>>
  /** Records that would be refused, by reason. */
  readonly undecodable: Readonly<Record<string, number>>
  /** What somebody should look at; none means that the mapping fits. */
  readonly findings: readonly Finding[]
}

export interface TopicReport {
  readonly topic: string
  readonly role: 'orders' | 'assignments' | 'ignored'
  readonly records: number
  /** How often each connector wrote to it. */
  readonly connectors: Readonly<Record<string, number>>
  /** Names of the blocks that took its records. */
  readonly blocks: readonly string[]
  readonly columns: readonly ColumnReport[]
  /** Columns that are there and that nothing is mapped to. */
  readonly unmapped_columns: readonly string[]
}

export interface ColumnReport {
  /** What it is mapped to, e.g. `status`. */
  readonly field: string
  readonly column: string
  /** Rows that had it, with a value or null. */
  readonly present: number
  readonly absent: number
  readonly nulls: number
  /** For times: how the mapping reads them, e.g. `local_ms Asia/Kolkata`. */
  readonly form?: string
  /** For times: values that are no time in this form. */
  readonly unreadable?: number
}

export interface StatusReport {
  readonly status: string
  readonly count: number
  /** The event it means; null: known to mean none; undefined: not mapped. */
  readonly event?: string | null
}

export type FindingKind =
  | 'nothing_mapped'
  | 'bad_line'
  | 'undecodable'
  | 'unmapped_status'
  | 'missing_column'
  | 'time_form'
  | 'time_zone'
  | 'no_before'

export interface Finding {
  readonly kind: FindingKind
  /** What is wrong. Quotes no personal column. */
  readonly what: string
  readonly mend: string
  readonly count: number
  /** The first lines that show it, as `file:line`. */
  readonly lines: readonly string[]
}
