/**
 * Reads captured records with a source mapping and says what they would become: no engine, no log, nothing is sent.
 * What a change means is decided by the very functions of NORMALIZE and ENRICH. Riders, holds and routing play no part:
 * they change when an event leaves and with what, not whether there is one.
 *
 * Memory holds what is remembered of each order: some hundred bytes each.
 */
import type { BadLine, PlacedRecord } from '../../connectors/ingest/captured-file.ts'
import { defaultTiming } from '../../processors/enrich/timing.ts'
import { takeChange } from '../../processors/enrich/transition.ts'
import { readEnvelope } from '../../processors/normalize/envelope.ts'
import { parseJsonExactly } from '../../processors/normalize/json-text.ts'
import { normalizeRecord } from '../../processors/normalize/normalize-record.ts'
import type { Undecodable } from '../../processors/normalize/outcomes.ts'
import { hasWideInteger } from '../../processors/normalize/record-keys.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { blockFor, classifyTopic } from '../../processors/normalize/source-topics.ts'
import {
  makeMessageDecoder,
  type OrderChange,
  type OrderState,
  openFolderRegistry,
  type Sealer,
  type SentEvent,
} from '../../schemas/index.ts'
import { findingList, type LinePlace } from './finding-list.ts'
import { mendOf } from './mends.ts'
import type { SourceReport, StatusReport } from './source-report.ts'
import { type TopicCheck, topicCheck } from './topic-check.ts'

export interface SourceCheck {
  take(placed: PlacedRecord): void
  badLine(problem: BadLine): void
  /** What was found; call it once, at the end. */
  conclude(): SourceReport
}

/** Avro is told apart by its reason; a check of files has no registry but our own schemas. */
const decodeAvro = makeMessageDecoder(openFolderRegistry())

/** Statuses told apart; a column with more is no status. */
const statusesMax = 200

/** Makes a check of a mapping. The sealer's key may be thrown away: nothing of it is kept. */
export function sourceCheck(mapping: SourceMapping, seal: Sealer): SourceCheck {
  const findings = findingList()
  const topics = new Map<string, TopicCheck>()
  const statuses = new Map<string, { count: number; event?: string | null }>()
  const orders = new Map<string, OrderState>()
  const events = counter<SentEvent>()
  const notSent = counter()
  const ignored = counter()
  const undecodable = counter()
  const assignments = { upserted: 0, removed: 0 }
  let records = 0
  let badLines = 0

  const topicOf = (topic: string): TopicCheck => {
    let check = topics.get(topic)
    if (!check) {
      check = topicCheck(topic, classifyTopic(topic, mapping), findings)
      topics.set(topic, check)
    }
    return check
  }

  /** Looks at the row itself, before anything is made of it. */
  const look = ({ record, ...place }: PlacedRecord) => {
    const topic = topicOf(record.topic)
    const text = typeof record.value === 'string' ? record.value : null
    const envelope = text === null ? undefined : envelopeOf(text)
    const connector = envelope && String(envelope.source.connector)
    topic.count(connector)
    const block = connector === undefined ? undefined : blockFor(record.topic, connector, mapping)
    if (!envelope || !block) return
    topic.takeRow(block, envelope, place)
    if (block.role !== 'orders' || !envelope.after) return
    const status = envelope.after[block.columns.status]
    if (typeof status !== 'string' || (statuses.size >= statusesMax && !statuses.has(status))) return
    const known = statuses.get(status) ?? {
      count: 0,
      ...(block.statuses.has(status) && { event: block.statuses.get(status) ?? null }),
    }
    statuses.set(status, { ...known, count: known.count + 1 })
    if (block.statuses.has(status)) return
    findings.add(
      'unmapped_status',
      `${record.topic}: status ${JSON.stringify(status.slice(0, 40))} is not mapped`,
      mendOf('unknown_status'),
      place,
    )
  }

  const takeOrder = (change: OrderChange, timestamp: number) => {
    // The moment of its capture stands for "now", as in a pipeline that keeps up.
    const at = { now: timestamp, recordTimestamp: timestamp }
    const { order, taken } = takeChange(orders.get(change.order_id), change, at, defaultTiming)
    if (taken.kind !== 'stale') orders.set(change.order_id, order)
    if (taken.kind === 'fired') events.add(taken.fired.event)
    else if (taken.kind === 'hydrated') notSent.add(taken.why)
    else notSent.add(taken.kind)
  }

  const refused = ({ reason, detail }: Undecodable, topic: string, place: LinePlace) => {
    undecodable.add(reason)
    // These two have findings of their own, with more to say.
    if (reason === 'unknown_status' || reason === 'missing_column') return
    findings.add('undecodable', `${topic}: ${reason}: ${detail}`, mendOf(reason), place)
  }

  return {
    take(placed) {
      records += 1
      look(placed)
      const { record, ...place } = placed
      const result = normalizeRecord(asLogRecord(record), { mapping, seal, decodeAvro })
      switch (result.kind) {
        case 'order':
          return takeOrder(result.change, record.timestamp)
        case 'assignments':
          for (const { op } of result.changes) assignments[op === 'REMOVED' ? 'removed' : 'upserted'] += 1
          return
        case 'truncated':
          return ignored.add('truncate')
        case 'ignored':
          return ignored.add(result.why)
        case 'undecodable':
          return refused(result, record.topic, place)
      }
    },
    badLine({ file, line, reason }) {
      badLines += 1
      findings.add('bad_line', `not a record: ${reason}`, 'a line is a captured record or a change message', {
        file,
        line,
      })
    },
    conclude() {
      const reports = [...topics.values()].map((topic) => topic.conclude(findings))
      if (!reports.some(({ role }) => role === 'orders')) {
        const seen = reports
          .map(({ topic }) => topic)
          .slice(0, 5)
          .join(', ')
        findings.add(
          'nothing_mapped',
          records === 0 ? 'there is no record' : `no topic is mapped to orders; seen: ${seen}`,
          'name the topic of your orders under topics: in source.yaml',
        )
      }
      return {
        records,
        bad_lines: badLines,
        topics: reports.sort((left, right) => right.records - left.records),
        statuses: statusReports(statuses),
        events: events.counts(),
        events_total: events.total(),
        not_sent: notSent.counts(),
        assignments,
        ignored: ignored.counts(),
        undecodable: undecodable.counts(),
        findings: findings.list(),
      }
    },
  }
}

function envelopeOf(text: string) {
  try {
    const read = readEnvelope(parseJsonExactly(text, hasWideInteger))
    return read.kind === 'envelope' ? read.envelope : undefined
  } catch {
    // Told when the record is normalized, as what it is.
    return undefined
  }
}

function asLogRecord({ topic, key, value, headers, timestamp }: PlacedRecord['record']) {
  const bytes = (part: string | Uint8Array | null) => (typeof part === 'string' ? Buffer.from(part) : part)
  return {
    topic,
    timestamp,
    key: bytes(key),
    value: bytes(value),
    headers: Object.entries(headers).map(([name, header]) => ({ key: name, value: bytes(header) })),
  }
}

function statusReports(statuses: ReadonlyMap<string, Omit<StatusReport, 'status'>>): StatusReport[] {
  return [...statuses]
    .map(([status, report]) => ({ status, ...report }))
    .sort((left, right) => right.count - left.count)
}

function counter<K extends string = string>() {
  const counts: Partial<Record<K, number>> = {}
  return {
    add(word: K) {
      counts[word] = (counts[word] ?? 0) + 1
    },
    counts: () => counts as Record<K, number>,
    total: () =>
      Object.values<number | undefined>(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0),
  }
}
