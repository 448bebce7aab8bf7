/** What is known of an endpoint when it is judged. */
import type { WindowCounts } from '../../schemas/index.ts'

/** What the partner's settings say. `unknown`: there is no such partner, not yet or no longer. */
export type EndpointSetting = 'active' | 'paused' | 'disabled' | 'gone' | 'unknown'

/** What is judged. */
export interface HealthFacts {
  readonly setting: EndpointSetting
  readonly autoDisabled: boolean
  /** Whether deliveries are sent to it now: it is active. */
  readonly takesDeliveries: boolean
  readonly consecutiveFailures: number
  /** From the first of them to the last. */
  readonly failingForMs: number
  /** From the first of them to now; 0 while it takes no deliveries. */
  readonly noSuccessMs: number
  /** How long one call may take. */
  readonly timeoutMs: number
  /** Deliveries that wait. */
  readonly open: number
  /** From the newest and shortest span to the oldest and longest: the first with enough in it is judged. */
  readonly spans: readonly WindowCounts[]
  /** The last hour, for its deadlines. */
  readonly hour: WindowCounts
}
