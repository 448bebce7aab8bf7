/** Builds captured records for tests: everything has a sound default but what the test is about. */
import { seededRandom } from '../../../engine/index.ts'
import {
  type AssignmentChange,
  makeMessageDecoder,
  makeSealer,
  type OrderChange,
  openFolderRegistry,
} from '../../../schemas/index.ts'
import { defaultSource } from '../default-source.ts'
import { type CapturedRecord, normalizeRecord } from '../normalize-record.ts'
import type { NormalizeResult } from '../outcomes.ts'
import type { SourceMapping } from '../source-blocks.ts'
import { parseSourceMapping } from '../source-mapping.ts'

/** Knows the schemas of ours alone. */
export const testDecoder = makeMessageDecoder(openFolderRegistry())

/** Seals with a key that every run has. */
export const testSealer = makeSealer({
  keys: [{ id: 'k1', key: seededRandom(1).bytes(32) }],
  active: 'k1',
  random: seededRandom(2),
})

/** The default mapping, or another document; a problem in it fails the test. */
export function testMapping(document: unknown = defaultSource): SourceMapping {
  const parsed = parseSourceMapping(document)
  if ('mapping' in parsed) return parsed.mapping
  throw new Error(JSON.stringify(parsed.problems))
}

type Members = Readonly<Record<string, unknown>>

/** A row of orders: CONFIRMED, its first attempt not begun. */
export const orderRow = (changes: Members = {}): Members => ({
  id: 1101,
  order_number: 'ORD-1101',
  partner_id: 'acme-retail',
  customer_id: 'C-1101',
  customer_name: 'Asha Verma',
  customer_phone: '+919876543210',
  city: 'Pune',
  status: 'CONFIRMED',
  status_version: 1,
  attempt_no: 0,
  sla_due_at: 1795545000000,
  address_confirmed: 1,
  failure_reason_code: null,
  rescheduled_for: null,
  return_reason_code: null,
  return_condition: null,
  return_pickup_eta: null,
  created_at: '2026-11-22T04:39:29.689Z',
  updated_at: '2026-11-22T04:39:29.851Z',
  delivered_at: null,
  ...changes,
})

/** A row of assignments: the rider of attempt 1. */
export const assignmentRow = (changes: Members = {}): Members => ({
  id: 5101,
  order_id: 1101,
  attempt_no: 1,
  rider_name: 'Ravi Kumar',
  rider_phone: '+919811122233',
  otp: '894819',
  eta_start: 1795428000000,
  eta_end: 1795435200000,
  updated_at: '2026-11-22T04:39:30.160Z',
  ...changes,
})

/** The source block of a MariaDB connector's message. */
export const mariadbSource = (changes: Members = {}): Members => ({
  connector: 'mariadb',
  name: 'oms',
  ts_ms: 1795322369000,
  snapshot: 'false',
  server_id: 223344,
  gtid: '0-223344-23',
  file: 'binlog.000001',
  pos: 15150,
  row: 0,
  query: null,
  ...changes,
})

/** An envelope; `op: 'u'` from NEW to CONFIRMED unless told otherwise. */
export const envelope = (changes: Members = {}): Members => ({
  before: orderRow({ status: 'NEW', status_version: 0 }),
  after: orderRow(),
  source: mariadbSource(),
  transaction: { id: '0-223344-23', total_order: 1, data_collection_order: 1 },
  op: 'u',
  ts_ms: 1795322369897,
  ...changes,
})

interface RecordParts {
  readonly topic?: string
  readonly key?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** JSON text, or a message to be written as such. */
  readonly value?: string | Members | null
}

/** A captured record; of orders, in the shape of the default mapping. */
export function capturedRecord({ topic, key, headers, value }: RecordParts = {}): CapturedRecord {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : value
  return {
    topic: topic ?? 'cdc.oms.orders',
    key: key === null ? null : Buffer.from(key ?? '{"id":1101}'),
    value: text === null ? null : Buffer.from(text ?? JSON.stringify(envelope())),
    headers: Object.entries(headers ?? {}).map(([name, header]) => ({
      key: name,
      value: Buffer.from(header),
    })),
    timestamp: 1795322369936,
  }
}

/** Normalizes a record with the default mapping. */
export const normalized = (parts: RecordParts = {}, mapping = testMapping()): NormalizeResult =>
  normalizeRecord(capturedRecord(parts), { mapping, seal: testSealer, decodeAvro: testDecoder })

/** Normalizes an order's update to a row with these columns. */
export const normalizedOrder = (columns: Members): NormalizeResult =>
  normalized({ value: envelope({ after: orderRow(columns) }) })

/** The order change that a record came to; anything else fails the test. */
export function orderOf(result: NormalizeResult): OrderChange {
  if (result.kind !== 'order') throw new Error(JSON.stringify(result))
  return result.change
}

/** The assignment changes that a record came to; anything else fails the test. */
export function assignmentsOf(result: NormalizeResult): readonly AssignmentChange[] {
  if (result.kind !== 'assignments') throw new Error(JSON.stringify(result))
  return result.changes
}

/** Why a record was refused, or else what it came to. */
export const reasonOf = (result: NormalizeResult): string =>
  result.kind === 'undecodable' ? result.reason : result.kind
