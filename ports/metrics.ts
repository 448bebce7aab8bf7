/**
 * Every metric that the product exports, as data: the exporter makes them from this list, boards and alerts may use
 * nothing else. Where their values come from is in metric-samples.ts.
 *
 * Labels are bounded: words of ours, topics, and the ids of endpoints up to a cap. Never an event, an order or a
 * delivery. Where a series is counted by each process, add over all of them.
 */

export type MetricType = 'counter' | 'gauge' | 'histogram'

export interface MetricDefinition {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly labels: readonly string[]
  /** Of a histogram: upper bounds, rising. */
  readonly buckets?: readonly number[]
}

/** A counter of the program and the metric that it becomes. */
export interface CountedMetric extends MetricDefinition {
  readonly type: 'counter'
  /** Labels of the program's counter that bear another name in the metric. */
  readonly renamed: Readonly<Record<string, string>>
}

function counted(
  name: string,
  help: string,
  labels: readonly string[] = [],
  renamed: CountedMetric['renamed'] = {},
): CountedMetric {
  return { name: `waybill_${name}_total`, type: 'counter', help, labels, renamed }
}

/** The metric of each of the program's counters, by the counter's name. */
export const counterMetrics = {
  commits: counted('commits', 'Commits that the record log took.'),
  'commits.failed': counted('commits_failed', 'Commits that did not go through, by kind of failure.', [
    'kind',
  ]),
  'records.dead_lettered': counted('undecodable', 'Records that could not be read or were refused.', [
    'topic',
    'reason',
  ]),
  'restore.records': counted('restored_records', 'Changelog records read to restore stores.', ['topic']),
  'state.dropped': counted('local_state_dropped', 'Local state of tasks that run elsewhere now, given up.'),
  'standby.records': counted('standby_records', 'Changelog records that warm copies took.', ['topic']),
  'restore.rebuilt': counted(
    'stores_rebuilt',
    'Stores that were thrown away and rebuilt from their changelog.',
    ['topic'],
  ),
  'purge.offsets': counted('purged_offsets', 'Offsets given up behind all readers.', ['topic']),
  'global_table.undecodable': counted(
    'global_table_undecodable',
    'Entries of a table that could not be read.',
    ['table'],
  ),
  'branch.unmatched': counted('branch_unmatched', 'Records that fitted no branch.', ['node']),
  'join.dropped': counted('join_dropped', 'Records without an entry to join.', ['node']),
  'bulk_sink.records': counted('bulk_sink_records', 'Records written outside the log.', ['sink']),
  'bulk_sink.write_failed': counted('bulk_sink_failed_writes', 'Writes that failed and are repeated.', [
    'sink',
  ]),
  'effect.handler_failed': counted('call_handler_failures', 'Calls whose code failed.', ['effect']),
  'effect.result_unheard': counted('call_results_unheard', 'Results of calls whose task is gone.', [
    'effect',
  ]),
  'effect.result_without_intent': counted('call_results_without_intent', 'Results that nobody waits for.', [
    'effect',
  ]),
  'effect.result_not_handled': counted('call_results_not_handled', 'Results whose handling failed.', [
    'effect',
  ]),

  ingest_http_changes: counted('ingest_http_changes', 'Changes that came over HTTP.', ['outcome']),
  ingest_http_refused: counted('ingest_http_refused', 'Requests with changes that were refused.', ['status']),
  ingest_files: counted('ingest_files', 'Files of changes taken to their end.'),
  ingest_file_records: counted('ingest_file_records', 'Changes taken from files.'),
  ingest_bad_lines: counted('ingest_bad_lines', 'Lines of files that are no change, and were skipped.'),

  normalize_changes: counted('changes', 'Row changes taken from the source.', ['role']),
  normalize_ignored: counted('changes_ignored', 'Captured records put aside.', ['reason'], { why: 'reason' }),
  normalize_truncated: counted('source_truncations', 'Tables that were emptied at the source.', ['topic']),
  normalize_undecodable: counted('changes_refused', 'Captured records that cannot be read.', ['reason']),
  normalize_bad_times: counted('bad_times', 'Time columns that held no date and became null.'),

  enrich_events: counted('events', 'Events made of order changes.', ['event']),
  enrich_enrichments: counted('enrichments', 'out_for_delivery events by how complete their rider was.', [
    'status',
  ]),
  enrich_hydrated: counted('changes_hydrated', 'Order changes that were only remembered.', ['reason'], {
    why: 'reason',
  }),
  enrich_stale: counted('changes_stale', 'Order changes that are no news.', ['by']),
  enrich_incomparable: counted(
    'changes_incomparable',
    'Order changes of another source than the one before.',
  ),
  enrich_deleted: counted('rows_deleted', 'Order rows deleted at the source.'),
  enrich_replaced: counted('rows_replaced', 'Order rows deleted and inserted again in one step.'),
  enrich_missed_transitions: counted('missed_transitions', 'Transitions that only a snapshot row showed.', [
    'event',
  ]),
  enrich_gap_commands: counted('gap_commands', 'Missed transitions that people asked to send.', ['outcome']),
  enrich_unknown_previous: counted('changes_of_unknown_orders', 'Updates of orders never seen before.'),
  enrich_imports: counted('imported_orders', 'Inserts that were old when they were captured.'),
  enrich_held: counted('orders_held', 'Orders that began to wait for their rider.'),
  enrich_assignments: counted('assignments', 'Rider assignments taken.', ['op']),
  enrich_stale_assignments: counted('assignments_stale', 'Rider assignments that are no news.'),
  enrich_late_riders: counted('late_riders', 'Riders that came or changed after their event had left.', [
    'case',
  ]),
  enrich_lookups: counted('dispatch_lookups', 'Questions to dispatch.', ['outcome']),
  enrich_forgotten: counted('enrich_forgotten', 'Entries that ENRICH no longer needs.', ['what']),

  route_verdicts: counted('routing_verdicts', 'What was decided for each event and endpoint.', ['verdict']),

  deliver_accepted: counted('deliveries_accepted', 'Deliveries taken in.'),
  deliver_repeats: counted('deliveries_repeated', 'Deliveries dropped because they were known.'),
  deliver_attempts: counted('attempts', 'Requests made.', ['class']),
  deliver_delivered: counted('deliveries_delivered', 'Deliveries that were acknowledged.'),
  deliver_dead: counted('deliveries_dead', 'Deliveries without retries left.', ['reason']),
  deliver_skipped: counted('deliveries_skipped', 'Deliveries not tried, or no longer.', ['reason']),
  deliver_not_sent: counted('calls_not_sent', 'Started calls that made no request.', ['reason']),
  deliver_expired_calls: counted('calls_expired', 'Calls that were too old when their turn came.'),
  deliver_tickets_stale: counted('tickets_stale', 'Tickets of an earlier plan, dropped.'),
  deliver_tickets_overdue: counted(
    'tickets_overdue',
    'Tickets written again because the first did not come.',
    ['tier'],
  ),
  deliver_commands: counted('commands', 'Commands by what they ask for and how they were answered.', [
    'kind',
    'answer',
  ]),
  deliver_auto_disabled: counted('endpoints_auto_disabled', 'Endpoints that the system disabled.', [
    'reason',
  ]),
  deliver_forgotten: counted('deliveries_forgotten', 'Deliveries that can no longer be redriven.'),
  deliver_breaker_opened: counted(
    'breaker_opened',
    'Times that the circuit breaker of an endpoint opened, or stayed open after a probe.',
    ['reason'],
  ),
  deliver_redrives: counted('redrives', 'Redrives of many deliveries that were begun.', ['automatic']),

  watch_deadlines: counted('deadlines', 'Verdicts on deadlines, each given once, at the deadline.', [
    'event',
    'verdict',
  ]),
  watch_repeats: counted('history_repeats', 'History records that WATCH had taken before.', ['by']),
  watch_early_verdicts: counted('deadline_verdicts_early', 'Verdicts given before the history was read.'),
  watch_future_events: counted('future_events', "Events from the future: the source's clock is ahead."),
  watch_state_changes: counted('endpoint_state_changes', 'Endpoints that changed their state.', ['state']),
  watch_reports: counted('health_reports', 'Health records written.'),
  watch_notices: counted('notices', 'Notices about endpoints, by channel and what became of them.', [
    'kind',
    'channel',
    'outcome',
  ]),
} as const satisfies Readonly<Record<string, CountedMetric>>

/** What becomes of a counter that the list above does not know: seen, and a reason to add it. */
export const unlistedCounter: MetricDefinition = {
  name: 'waybill_unlisted_counter_total',
  type: 'counter',
  help: 'Counters of the program that have no metric of their own.',
  labels: ['counter'],
}

const gauge = (name: string, help: string, labels: readonly string[] = []): MetricDefinition => ({
  name: `waybill_${name}`,
  type: 'gauge',
  help,
  labels,
})

const ofEndpoint = ['partner_id', 'endpoint_id'] as const

/** What the latest reports on endpoints say. */
export const healthMetrics = {
  endpoints: gauge('endpoints', 'Endpoints by state.', ['state']),
  unlisted: gauge('endpoints_unlisted', 'Endpoints beyond the cap, which have no series of their own.'),
  state: gauge('endpoint_state', '1 for the state that the endpoint is in, 0 for the others.', [
    ...ofEndpoint,
    'state',
  ]),
  ackRate: gauge('endpoint_ack_ratio', 'Acknowledged by answerable requests, over 1h, 24h or 7d.', [
    ...ofEndpoint,
    'window',
  ]),
  score: gauge(
    'endpoint_risk_score',
    'At risk from 50, failing at 100: the worst of its signals.',
    ofEndpoint,
  ),
  latency: gauge(
    'endpoint_latency_seconds',
    '95 of 100 acknowledged requests of the last hour took at most so long.',
    ofEndpoint,
  ),
  attempts: gauge('endpoint_attempts', 'Requests made, over 1h, 24h or 7d.', [...ofEndpoint, 'window']),
  open: gauge('endpoint_open_deliveries', 'Deliveries that wait.', ofEndpoint),
  failures: gauge('endpoint_consecutive_failures', 'Failed requests since the last success.', ofEndpoint),
  lastSuccess: gauge(
    'endpoint_last_success_timestamp_seconds',
    'When the receiver last took a request.',
    ofEndpoint,
  ),
  lastFailure: gauge(
    'endpoint_last_failure_timestamp_seconds',
    'When a request last failed that was not our own fault.',
    ofEndpoint,
  ),
} as const

/** Both deadlines, 60 s and 90 s, are bounds, so the share within them can be read off exactly. */
const latencyBuckets = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 90, 180, 660, 3600] as const

/** What history records tell as they come. They know only what has ended: deadlines are counted by WATCH. */
export const historyMetrics = {
  attemptDuration: {
    name: 'waybill_attempt_duration_seconds',
    type: 'histogram',
    help: 'From the start of a request to its end, by whether it was acknowledged.',
    labels: ['result'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  dispatchLatency: {
    name: 'waybill_dispatch_latency_seconds',
    type: 'histogram',
    help: 'From the change in the source to the start of the first request: our part.',
    labels: ['event'],
    buckets: latencyBuckets,
  },
  deliveryLatency: {
    name: 'waybill_delivery_latency_seconds',
    type: 'histogram',
    help: 'From the change in the source to the acknowledgement.',
    labels: ['event'],
    buckets: latencyBuckets,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>

/** What only the process itself can say, when it is asked. */
export const processMetrics = {
  buildInfo: gauge('build_info', 'Always 1; the version is in the label.', ['version']),
  ready: gauge('ready', '1 when the process would answer that it is ready.'),
  waiting: gauge(
    'deliveries_waiting',
    'Deliveries that wait with this process: queued, in_flight, or in the retry tiers 30s, 2m and 8m.',
    ['where'],
  ),
  lag: gauge('topic_lag_offsets', 'Offsets between the end of a topic and what its readers have committed.', [
    'topic',
  ]),
  logWrittenUntil: gauge(
    'delivery_log_written_until_timestamp_seconds',
    'Everything that happened before this is in the delivery log.',
  ),
} as const

/** Prefixes of what the client library says of the process itself. */
export const defaultMetricPrefixes = ['process_', 'nodejs_'] as const

/** All of them. */
export const metrics: readonly MetricDefinition[] = [
  ...Object.values(counterMetrics),
  unlistedCounter,
  ...Object.values(healthMetrics),
  ...Object.values(historyMetrics),
  ...Object.values(processMetrics),
]
