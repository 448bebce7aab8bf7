/**
 * The tables of the delivery log, as numbered steps that only go forward: what was released is never edited, the
 * next number changes it. Applied by `migrate`.
 *
 * Which index serves which query stands beside it. Text compares by bytes (`C`), the same on every server. Ids are
 * UUIDs, a third of their text. Bodies stand apart from deliveries: they are written once, the rows beside them
 * change, and endpoints of the same version share one.
 */
export interface Migration {
  readonly number: number
  readonly name: string
  /** Statements, given the schema's name. */
  readonly statements: (schema: string) => readonly string[]
}

export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: 'the delivery log',
    statements: (schema) => [
      `create table ${schema}.events (
         event_id uuid primary key,
         partner_id text collate "C" not null,
         order_id text collate "C" not null,
         event text collate "C" not null,
         occurred_at bigint not null,
         routed_at bigint not null
       )`,
      // Newest first; of a partner; of a type; of a partner's type (a rare one must not be searched for); of an order.
      `create index events_newest on ${schema}.events (occurred_at, event_id)`,
      `create index events_of_partner on ${schema}.events (partner_id, occurred_at, event_id)`,
      `create index events_of_type on ${schema}.events (event, occurred_at, event_id)`,
      `create index events_of_partner_type on ${schema}.events (partner_id, event, occurred_at, event_id)`,
      `create index events_of_order on ${schema}.events (order_id, occurred_at, event_id)`,

      `create table ${schema}.payloads (
         event_id uuid not null,
         payload_version text collate "C" not null,
         payload text not null,
         primary key (event_id, payload_version)
       )`,

      `create table ${schema}.verdicts (
         event_id uuid not null,
         -- Empty: the partner has no endpoint.
         endpoint_id text collate "C" not null,
         verdict text collate "C" not null,
         delivery_id uuid,
         payload_version text collate "C",
         decided_at bigint not null,
         primary key (event_id, endpoint_id)
       )`,

      `create table ${schema}.deliveries (
         delivery_id uuid primary key,
         event_id uuid not null,
         endpoint_id text collate "C" not null,
         partner_id text collate "C" not null,
         order_id text collate "C" not null,
         event text collate "C" not null,
         payload_version text collate "C" not null,
         occurred_at bigint not null,
         routed_at bigint not null,
         order_sequence bigint,
         version integer not null,
         changed_at bigint not null,
         change text collate "C" not null,
         state text collate "C" not null,
         retry_count integer not null,
         next_due_at bigint,
         reason text collate "C"
       )`,
      `create index deliveries_of_event on ${schema}.deliveries (event_id)`,
      `create index deliveries_of_endpoint on ${schema}.deliveries (endpoint_id, occurred_at, event_id)`,
      // What is searched for is rare, and must be found among a million that are not: by state, and by retries.
      `create index deliveries_in_state on ${schema}.deliveries (state, occurred_at, event_id)
         where state <> 'delivered'`,
      `create index deliveries_of_partner_in_state on ${schema}.deliveries (partner_id, state, occurred_at, event_id)
         where state <> 'delivered'`,
      `create index deliveries_of_endpoint_in_state on ${schema}.deliveries (endpoint_id, state, occurred_at, event_id)
         where state <> 'delivered'`,
      `create index deliveries_retried on ${schema}.deliveries (occurred_at, event_id) where retry_count > 0`,
      `create index deliveries_of_partner_retried on ${schema}.deliveries (partner_id, occurred_at, event_id)
         where retry_count > 0`,
      `create index deliveries_of_endpoint_retried on ${schema}.deliveries (endpoint_id, occurred_at, event_id)
         where retry_count > 0`,

      // One index for both: the attempts of a delivery (UUIDv7: in order of time), and each attempt once.
      `create table ${schema}.attempts (
         delivery_id uuid not null,
         attempt_id uuid not null,
         version integer not null,
         retry_count integer not null,
         trigger text collate "C" not null,
         started_at bigint not null,
         reported_at bigint not null,
         outcome text collate "C" not null,
         status_code integer,
         detail text,
         duration_ms integer not null,
         again boolean not null,
         resulting_state text collate "C" not null,
         primary key (delivery_id, attempt_id)
       )`,

      `create table ${schema}.endpoint_health (
         endpoint_id text collate "C" primary key,
         partner_id text collate "C" not null,
         reported_at bigint not null,
         health text not null
       )`,

      `create table ${schema}.positions (
         source text collate "C" not null,
         partition integer not null,
         "offset" bigint not null,
         "at" bigint not null,
         primary key (source, partition)
       )`,
    ],
  },
  {
    number: 2,
    name: 'hand, order and redrives',
    // Of rows from before, the defaults: the same that a record of the first version is read with.
    statements: (schema) => [
      `alter table ${schema}.deliveries
         add column by_hand boolean not null default false,
         add column out_of_order boolean not null default false,
         add column waited_for_order_ms bigint not null default 0,
         add column redrive_id text collate "C"`,
      `alter table ${schema}.attempts
         add column queued_ms bigint not null default 0,
         add column retry_after_ms bigint`,
      // Newest first: what a redrive sent, and what went out of order. Most deliveries are in neither.
      `create index deliveries_of_redrive on ${schema}.deliveries (redrive_id, occurred_at, event_id)
         where redrive_id is not null`,
      `create index deliveries_out_of_order on ${schema}.deliveries (occurred_at, event_id) where out_of_order`,
    ],
  },
  {
    number: 3,
    name: 'what is searched for stands apart',
    // No index of deliveries names a column that changes any more, and pages keep room for a second version of their
    // rows: so a change writes one row where it was, and no index. What is waiting, and what is rare, has rows of its own.
    statements: (schema) => [
      `create table ${schema}.waiting (
         partner_id text collate "C" not null,
         endpoint_id text collate "C" not null,
         occurred_at bigint not null,
         event_id uuid not null,
         event text collate "C" not null,
         order_id text collate "C" not null,
         primary key (partner_id, endpoint_id, occurred_at, event_id)
       )`,
      `create index waiting_newest on ${schema}.waiting (occurred_at, event_id)`,
      `insert into ${schema}.waiting
         select partner_id, endpoint_id, occurred_at, event_id, event, order_id from ${schema}.deliveries
         where state = 'waiting'`,

      `create table ${schema}.exceptions (
         delivery_id uuid primary key,
         event_id uuid not null,
         endpoint_id text collate "C" not null,
         partner_id text collate "C" not null,
         order_id text collate "C" not null,
         event text collate "C" not null,
         occurred_at bigint not null,
         state text collate "C" not null,
         retry_count integer not null,
         redrive_id text collate "C",
         out_of_order boolean not null
       )`,
      `insert into ${schema}.exceptions
         select delivery_id, event_id, endpoint_id, partner_id, order_id, event, occurred_at, state, retry_count,
           redrive_id, out_of_order from ${schema}.deliveries
         where state in ('dead', 'skipped') or retry_count > 0 or redrive_id is not null or out_of_order`,
      `create index exceptions_in_state on ${schema}.exceptions (state, occurred_at, event_id)
         where state in ('dead', 'skipped')`,
      `create index exceptions_of_partner_in_state on ${schema}.exceptions (partner_id, state, occurred_at, event_id)
         where state in ('dead', 'skipped')`,
      `create index exceptions_of_endpoint_in_state on ${schema}.exceptions (endpoint_id, state, occurred_at, event_id)
         where state in ('dead', 'skipped')`,
      `create index exceptions_retried on ${schema}.exceptions (occurred_at, event_id) where retry_count > 0`,
      `create index exceptions_of_partner_retried on ${schema}.exceptions (partner_id, occurred_at, event_id)
         where retry_count > 0`,
      `create index exceptions_of_endpoint_retried on ${schema}.exceptions (endpoint_id, occurred_at, event_id)
         where retry_count > 0`,
      `create index exceptions_of_redrive on ${schema}.exceptions (redrive_id, occurred_at, event_id)
         where redrive_id is not null`,
      `create index exceptions_out_of_order on ${schema}.exceptions (occurred_at, event_id) where out_of_order`,

      `drop index ${[
        'deliveries_in_state',
        'deliveries_of_partner_in_state',
        'deliveries_of_endpoint_in_state',
        'deliveries_retried',
        'deliveries_of_partner_retried',
        'deliveries_of_endpoint_retried',
        'deliveries_of_redrive',
        'deliveries_out_of_order',
      ]
        .map((index) => `${schema}.${index}`)
        .join(', ')}`,
      `alter table ${schema}.deliveries set (fillfactor = 55)`,
      // A body is only ever looked up by its key: no plan needs to know what is in it.
      `alter table ${schema}.payloads alter column payload set statistics 0`,
    ],
  },
]
