/** What WATCH is wired to, what can be set, and what it counts. */
import type { ProcessorContext, Serde } from '../../engine/index.ts'
import type { NoticeCallRequest, NoticeChannelKind, NoticeResult } from '../../ports/notices.ts'
import type {
  DeliveryHistory,
  EndpointHealth,
  EndpointWatch,
  EndpointWindows,
  OpenDelivery,
  PartnerConfig,
  PendingNotice,
  SubjectTypes,
} from '../../schemas/index.ts'
import type { HealthRules } from './judge.ts'
import type { NoticeRules } from './notice-decision.ts'

/**
 * Input and output are keyed by endpoint_id, the stores `endpoints` and `windows` too; `open` by delivery_id, `notices`
 * by notice and channel.
 */
export type WatchShape = {
  readonly inputs: { readonly history: { key: string; value: DeliveryHistory } }
  readonly outputs: { readonly health: { key: string; value: EndpointHealth } }
  readonly stores: {
    readonly endpoints: EndpointWatch
    readonly windows: EndpointWindows
    readonly open: OpenDelivery
    readonly notices: PendingNotice
  }
  /** The partner's part of an endpoint's state: what takes no deliveries keeps no deadline and is not judged. */
  readonly globals: { readonly partners: PartnerConfig }
  readonly effects: { readonly notify: { request: NoticeCallRequest; result: NoticeResult } }
}

export type WatchContext = ProcessorContext<WatchShape>

export interface WatchTimes {
  /** An endpoint is reported at most once in this time. */
  readonly reportEveryMs: number
  /**
   * Without a record for so long, and nothing left to read when the task started, the history is taken to be read up
   * to this long ago: deadlines before that are past. Covers the commit interval of DELIVER and a slow fetch.
   */
  readonly quietMs: number
}

export const defaultWatchTimes: WatchTimes = { reportEveryMs: 5000, quietMs: 5000 }

/** Makes the codec of a subject; `Codecs` of schemas/ fits. */
export interface CodecSource {
  of<S extends keyof SubjectTypes>(subject: S): Serde<SubjectTypes[S]>
}

export interface WatchOptions {
  readonly codecs: CodecSource
  /** Default: `deadlinesMs` of ports/endpoint-health.ts. */
  readonly deadlinesMs?: Readonly<Record<string, number>>
  /** Default: `healthRules`. */
  readonly rules?: HealthRules
  readonly times?: Partial<WatchTimes>
  /** After how long without success DELIVER disables an endpoint. Default: never. */
  readonly disabledAfterMs?: number
  /** Who is told, and when. Default: partners, by the channels that they have. */
  readonly notices?: Partial<NoticeOptions>
}

/** Who is told, beside the rules when. */
export interface NoticeOptions {
  readonly rules: NoticeRules
  /** Whether partners are told by their channels. */
  readonly partners: boolean
  /** The operator's channels, whose addresses the sender knows. */
  readonly operator: readonly NoticeChannelKind[]
}

/** Counters of WATCH. */
export const watchCounters = {
  /** Verdicts on deadlines, labelled `event` and `verdict`. */
  deadlines: 'watch_deadlines',
  /** History records that were taken before, labelled `by`: offset or version. */
  repeats: 'watch_repeats',
  /** Verdicts that turned out to be too early: the history lagged. Worth a look. */
  earlyVerdicts: 'watch_early_verdicts',
  /** Events from the future: the source's clock is ahead of ours. */
  futureEvents: 'watch_future_events',
  /** Endpoints that changed their state, labelled `state` by the new one. */
  stateChanges: 'watch_state_changes',
  /** Health records written. */
  reports: 'watch_reports',
  /** Notices by channel and what became of them: made, sent, failed (and tried again), given_up, or why not sent. */
  notices: 'watch_notices',
} as const
