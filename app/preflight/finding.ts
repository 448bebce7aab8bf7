/** What the check of an endpoint finds: one line per question, each with what to change. */

/** `fail`: deliveries would go wrong. `warn`: they would not, but something would go better. */
export type FindingStatus = 'ok' | 'warn' | 'fail' | 'skipped'

export interface Finding {
  /** A stable word. */
  readonly check: string
  readonly status: FindingStatus
  /** What was done. */
  readonly tried: string
  /** What came of it. */
  readonly came: string
  /** What the partner changes; null where nothing is to be. */
  readonly mend: string | null
}

export interface PreflightReport {
  readonly url: string
  readonly endpoint_id: string | null
  /** `unreachable`: no connection came about, so nothing else could be asked. */
  readonly result: 'ok' | 'findings' | 'unreachable'
  readonly checks: readonly Finding[]
}
