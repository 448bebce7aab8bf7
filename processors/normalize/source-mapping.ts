/**
 * Reads a source mapping out of a document (source.yaml, or the default one) and says everything that is wrong with
 * it, each with its place and a mend. It never guesses: what is needed and missing is a problem, never a default.
 */
import type { EventType } from '../../schemas/index.ts'
import { documentReader, type ObjectReader } from './document-reader.ts'
import { isKnownZone } from './local-time.ts'
import { isKnownRegion } from './mask-phone.ts'
import {
  type AssignmentsBlock,
  connectors,
  type MappingProblem,
  mappableEvents,
  type OrdersBlock,
  type SourceBlock,
  type SourceMapping,
  type TimeColumn,
  timeForms,
} from './source-blocks.ts'
import { topicMatcher } from './source-topics.ts'

export type * from './source-blocks.ts'

/** The word for "the source has no such column". */
const none = 'none'

/** Checks a mapping document. Either the whole mapping, or every problem found. */
export function parseSourceMapping(
  document: unknown,
): { readonly mapping: SourceMapping } | { readonly problems: readonly MappingProblem[] } {
  const problems: MappingProblem[] = []
  const root = documentReader(document, [], problems)
  const defaultRegion = root.text('default_region', 'the region of phones without a country code, e.g. IN')
  if (defaultRegion !== '' && !isKnownRegion(defaultRegion)) {
    root.problem(
      'default_region',
      `"${defaultRegion}" is no region`,
      'use two capital letters such as IN or DE',
    )
  }
  const blocks: SourceBlock[] = []
  for (const reader of root.objects('sources', 'a list of blocks, one per role and connector')) {
    const block = parseBlock(reader)
    if (block) blocks.push(block)
  }
  root.refuseUnknown()
  checkRoles(blocks, root)
  return problems.length > 0 ? { problems } : { mapping: { defaultRegion, blocks } }
}

function checkRoles(blocks: readonly SourceBlock[], root: ObjectReader): void {
  if (!blocks.some((block) => block.role === 'orders')) {
    root.problem('sources', 'no block has the role orders', 'add a block with role: orders')
  }
}

function parseBlock(reader: ObjectReader): SourceBlock | undefined {
  const role = reader.choice('role', ['orders', 'assignments'] as const)
  const connector = reader.choice('connector', [...connectors, 'any'] as const)
  const base = {
    name: reader.text('name', 'any name; it is used in messages'),
    topics: parseTopics(reader),
    connector: connector === 'any' || connector === undefined ? null : connector,
    beforeImage: reader.choice('before_image', ['full', 'key'] as const) ?? ('key' as const),
  }
  const zone = parseZone(reader, 'zone')
  const columns = reader.object('columns', 'which column holds what')
  const times = reader.object('times', 'which column holds which time, and its form')
  const block = { ...base, columns, times, zone }
  const parsed =
    role === 'orders'
      ? parseOrders(reader, block)
      : role === 'assignments'
        ? parseAssignments(block)
        : undefined
  if (parsed) {
    columns.refuseUnknown()
    times.refuseUnknown()
    reader.refuseUnknown()
  }
  return parsed
}

interface BlockInProgress {
  readonly name: string
  readonly topics: readonly string[]
  readonly connector: OrdersBlock['connector']
  readonly beforeImage: 'full' | 'key'
  readonly columns: ObjectReader
  readonly times: ObjectReader
  readonly zone: string | null
}

function parseOrders(reader: ObjectReader, block: BlockInProgress): OrdersBlock {
  const { columns, times, zone, ...base } = block
  return {
    ...base,
    role: 'orders',
    columns: {
      order_id: columns.text('order_id', 'the column of the order id'),
      partner_id: columns.text('partner_id', 'the column of the partner id'),
      status: columns.text('status', 'the column of the status'),
      version: columnOrNone(columns, 'version', 'stated'),
      attempt_no: columnOrNone(columns, 'attempt_no', 'stated'),
      order_ref: columnOrNone(columns, 'order_ref'),
      customer_id: columnOrNone(columns, 'customer_id'),
      customer_name: columnOrNone(columns, 'customer_name'),
      customer_phone: columnOrNone(columns, 'customer_phone'),
      city: columnOrNone(columns, 'city'),
      address_confirmed: columnOrNone(columns, 'address_confirmed'),
      failure_reason_code: columnOrNone(columns, 'failure_reason_code'),
      return_reason_code: columnOrNone(columns, 'return_reason_code'),
      return_condition: columnOrNone(columns, 'return_condition'),
    },
    times: {
      created_at: timeColumn(times, 'created_at', zone, 'stated'),
      updated_at: timeColumn(times, 'updated_at', zone, 'stated'),
      sla_due_at: timeColumn(times, 'sla_due_at', zone),
      delivered_at: timeColumn(times, 'delivered_at', zone),
      rescheduled_for: timeColumn(times, 'rescheduled_for', zone),
      return_pickup_eta: timeColumn(times, 'return_pickup_eta', zone),
    },
    statuses: parseStatuses(reader),
  }
}

function parseAssignments(block: BlockInProgress): AssignmentsBlock {
  const { columns, times, zone, ...base } = block
  return {
    ...base,
    role: 'assignments',
    columns: {
      assignment_id: columns.text('assignment_id', 'the column of the assignment id'),
      order_id: columns.text('order_id', 'the column of the order id'),
      attempt_no: columnOrNone(columns, 'attempt_no', 'stated'),
      rider_name: columnOrNone(columns, 'rider_name'),
      rider_phone: columnOrNone(columns, 'rider_phone'),
      otp: columnOrNone(columns, 'otp'),
    },
    times: {
      updated_at: timeColumn(times, 'updated_at', zone, 'stated'),
      eta_start: timeColumn(times, 'eta_start', zone),
      eta_end: timeColumn(times, 'eta_end', zone),
    },
  }
}

function parseTopics(reader: ObjectReader): readonly string[] {
  const topics = reader.texts('topics', 'topic names, or patterns with *')
  topics.forEach((topic, index) => {
    try {
      topicMatcher(topic)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      reader.problem(['topics', index], reason, 'correct the expression, or use a pattern with *')
    }
  })
  return topics
}

/** What changes event ids or ordering when it is forgotten has to be stated, if only as `none`. */
function columnOrNone(columns: ObjectReader, field: string, need?: 'stated'): string | null {
  if (need !== 'stated' && !columns.has(field)) return null
  const column = columns.text(field, `its column, or ${none}`)
  return column === none || column === '' ? null : column
}

function timeColumn(
  times: ObjectReader,
  field: string,
  blockZone: string | null,
  need?: 'stated',
): TimeColumn | null {
  if (!times.has(field)) {
    if (need) times.problem(field, `${field} is missing`, `name its column and form, or write ${none}`)
    return null
  }
  if (times.raw(field) === none) return null
  const reader = times.object(field, `{ column: …, form: … }, or ${none}`)
  const column = reader.text('column', 'the name of the column')
  const form = reader.choice('form', timeForms)
  const zone = parseZone(reader, 'zone') ?? blockZone
  reader.refuseUnknown()
  const isLocal = form === 'local_ms' || form === 'local_us'
  if (isLocal && zone === null) {
    reader.problem(
      'zone',
      `${field} is local time, but its zone is not given`,
      'add zone: to the column or to its block, e.g. zone: Asia/Kolkata, or zone: UTC if it is written in UTC',
    )
  }
  return form === undefined ? null : { column, form, zone: isLocal ? zone : null }
}

function parseZone(reader: ObjectReader, field: string): string | null {
  if (!reader.has(field)) return null
  const zone = reader.text(field, 'a time zone')
  if (zone === '' || isKnownZone(zone)) return zone === '' ? null : zone
  reader.problem(field, `"${zone}" is no time zone`, 'use a name such as Asia/Kolkata, UTC, or +05:30')
  return null
}

function parseStatuses(reader: ObjectReader): ReadonlyMap<string, EventType | null> {
  const statuses = new Map<string, EventType | null>()
  const events = reader.object('events', 'which status means which event')
  for (const status of events.keys()) {
    const event = events.choice(status, mappableEvents)
    if (event !== undefined) statuses.set(status, event)
  }
  const without = reader.texts('no_event', 'the statuses known to have no event', { mayBeEmpty: true })
  for (const [index, status] of without.entries()) {
    if (statuses.has(status)) {
      reader.problem(
        ['no_event', index],
        `"${status}" has an event and none`,
        'remove it from one of the two',
      )
    }
    statuses.set(status, null)
  }
  return statuses
}
