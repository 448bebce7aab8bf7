/** Everything the terminal view shows, at one moment. Plain data: made in one place, drawn in another. */

export interface ViewSnapshot {
  /** What is running, in a few words each: `embedded`, `demo 2 orders/s`. */
  readonly about: readonly string[]
  readonly startedAt: number
  readonly now: number
  /** Row changes appended since the start. */
  readonly changesIn: number
  readonly changesPerSecond: number
  readonly events: number
  readonly delivered: number
  readonly deliveredPerSecond: number
  /** Not settled yet; split below. */
  readonly waiting: number
  /** Waiting for a call. */
  readonly queued: number
  readonly inFlight: number
  /** Waiting for a retry to fall due, by tier. */
  readonly tiers: readonly { readonly name: string; readonly count: number }[]
  readonly dead: number
  readonly skipped: number
  readonly undecodable: number
  /** Orders that had to wait for their rider. */
  readonly held: number
  /** From the change in the database to the acknowledgement, of deliveries that the first request settled. */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number } | undefined
  readonly endpoints: readonly EndpointLine[]
  /** The newest first. */
  readonly recent: readonly RecentLine[]
}

export interface EndpointLine {
  readonly id: string
  readonly state: 'active' | 'paused' | 'disabled' | 'auto-disabled'
  readonly acknowledged: number
  /** Requests that failed. */
  readonly failed: number
  readonly waiting: number
  /** How the last request ended: a status, or a word. */
  readonly last: string
  readonly lastOk: boolean
}

export interface RecentLine {
  readonly deliveryId: string
  readonly at: number
  readonly result: 'delivered' | 'retry' | 'dead' | 'skipped'
  readonly event: string
  readonly orderId: string
  readonly endpointId: string
  /** Status, duration, what follows. */
  readonly detail: string
}
