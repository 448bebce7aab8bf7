/** One thing that is said about a folder of schemas, whoever found it: the checker, the lint or the promise. */
import type { RegistryReason } from '../compatibility/finding.ts'
import type { Direction } from '../compatibility/levels.ts'
import type { Place } from '../compatibility/places.ts'
import type { Severity } from '../compatibility/severity.ts'
import type { LintRuleId } from './lint-rules.ts'

/** What every output is made from. */
export interface Remark {
  /** The id of a rule of the catalogue. */
  readonly rule: string
  readonly severity: Severity
  /** What is wrong, in one sentence. */
  readonly message: string
  /** What to change. */
  readonly mend: string
  readonly place: Place
  readonly subject?: string
  /** The fields that lead there: `payload.delivery.slot`. */
  readonly field?: string
  /** Who fails on whose records. */
  readonly who?: string
  /** The version that brought it. */
  readonly since?: number
  /** Which promise it breaks. */
  readonly direction?: Direction | undefined
  /** What a registry would say. */
  readonly registry?: RegistryReason | undefined
  /** The same field in the version it is compared with. */
  readonly other?: Place
  /** The reason of whoever allowed it, and until when; then it is no finding. */
  readonly allowed?: { readonly reason: string; readonly expires: string }
}

/** Reports one remark at a pointer of the schema. */
export type ReportRemark = (
  rule: LintRuleId,
  at: { readonly pointer: string; readonly field: string },
  message: string,
  mend?: string,
) => void
