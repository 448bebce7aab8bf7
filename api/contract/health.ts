/** How endpoints and partners do, as WATCH reports it. */
import { type Static, Type } from 'typebox'
import { count, named, nullable, text, time, word } from './fields.ts'

const riskScore = Type.Integer({
  minimum: 0,
  maximum: 100,
  description:
    'How near it is to failing: at risk from 50, failing at 100. Of a partner: its worst endpoint.',
})

const healthState = word(['unknown', 'healthy', 'at_risk', 'failing', 'disabled'], 'How it does.')

export const windowBody = Type.Object(
  {
    ack_rate: nullable(
      Type.Number({
        description:
          'Acknowledged by all requests but those failed by our own fault, 0 to 1; null without any.',
      }),
    ),
    attempts: count('Requests made.'),
    acknowledged: count('Requests that the receiver took.'),
    failed: Type.Record(Type.String(), Type.Integer(), { description: 'By outcome class.' }),
    first_attempts: count('First requests of a delivery.'),
    first_acknowledged: count('First requests that the receiver took.'),
    within_deadline: count('Deliveries acknowledged by their deadline.'),
    missed_by_partner: count('Deliveries past their deadline that waited for the receiver.'),
    missed_by_us: count('Deliveries past their deadline by our own doing.'),
    latency_p95_ms: nullable(
      count('95 of 100 acknowledged requests took at most so long; null without any.'),
    ),
  },
  {
    $id: 'HealthWindow',
    description: 'Counts over the last hour, day or week.',
    examples: [
      {
        ack_rate: 0.975,
        attempts: 41,
        acknowledged: 39,
        failed: { http_5xx: 1, blocked_address: 1 },
        first_attempts: 40,
        first_acknowledged: 38,
        within_deadline: 12,
        missed_by_partner: 1,
        missed_by_us: 0,
        latency_p95_ms: 180,
      },
    ],
  },
)
export type WindowBody = Static<typeof windowBody>

const deadlines = Type.Record(
  Type.String(),
  Type.Object({
    within: count('Acknowledged in time.'),
    missed_by_partner: count('Late, waiting for the receiver.'),
    missed_by_us: count('Late by our own doing.'),
    excluded: count(
      'Neither: skipped or cancelled, the endpoint took no deliveries, or a person had it sent when it was late already.',
    ),
  }),
  { description: 'By event type; only types that have a deadline.' },
)

const windows = { hour: named(windowBody), day: named(windowBody), week: named(windowBody) }

export const endpointHealthBody = Type.Object(
  {
    endpoint_id: text('The endpoint.'),
    partner_id: text('The partner.'),
    at: time('When this was reported.'),
    state: healthState,
    reason: text(
      'Why, as a stable word: the signal that is worst (ack_rate, ack_trend, failures_in_a_row, no_success, slow, ' +
        'missed_deadlines, backlog), or recovering, none, few_attempts, no_traffic, auto_disabled, disabled_by_partner, removed.',
    ),
    score: riskScore,
    signals: Type.Record(Type.String(), Type.Integer(), {
      description: 'What the score is the worst of, each 0 to 100; those at 0 are left out.',
    }),
    ack_trend: nullable(
      Type.Number({
        description:
          'The newest acknowledgement rate less the rate before it: below 0 it gets worse; null where there is too little.',
      }),
    ),
    since: time('When this state began.'),
    open: count('Deliveries that wait.'),
    consecutive_failures: count('Failed requests since the last success.'),
    failing_since: nullable(time('When the first of them ended.')),
    disables_at: nullable(
      time('When the system disables it if it takes nothing until then; null while it is not failing.'),
    ),
    last_success_at: nullable(time('When the receiver last took one.')),
    last_failure_at: nullable(time('When a request last failed by the fault of the receiver.')),
    last_failure_class: nullable(text('Outcome class of that failure.')),
    auto_disabled_at: nullable(time('When the system disabled it; null when it is not.')),
    auto_disabled_reason: nullable(text('Why, as an outcome class.')),
    ...windows,
    deadlines,
  },
  { $id: 'EndpointHealth', description: 'How an endpoint does.' },
)
export type EndpointHealthBody = Static<typeof endpointHealthBody>

export const partnerHealthBody = Type.Object(
  {
    partner_id: text('The partner.'),
    at: nullable(time('The oldest of the reports: everything here is at least as new.')),
    state: healthState,
    because: nullable(
      Type.Object(
        { endpoint_id: text('The endpoint that decided the state.'), reason: text('Its reason.') },
        { description: 'Null without endpoints.' },
      ),
    ),
    score: riskScore,
    open: count('Deliveries that wait.'),
    consecutive_failures: count('The most of any endpoint that takes deliveries.'),
    last_success_at: nullable(time('When one of its receivers last took one.')),
    last_failure_at: nullable(time('When one of them last failed.')),
    ...windows,
    deadlines,
    endpoints: Type.Array(named(endpointHealthBody), {
      description: 'The reports that this is the fold of.',
    }),
  },
  { $id: 'PartnerHealth', description: 'How a partner does: its endpoints together.' },
)
export type PartnerHealthBody = Static<typeof partnerHealthBody>
