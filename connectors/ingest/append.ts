/**
 * Appends captured changes to the record log's change topics. Secret columns are sealed first: nothing of ours, on
 * disk or in a topic, ever holds an OTP, a phone or a name in clear.
 */
import type { AppendBatch, Header, NewRecord, Writer } from '../../engine/index.ts'
import type { CapturedBytes, CapturedRecord } from './captured-record.ts'

export interface IngestOptions {
  readonly writer: Pick<Writer, 'append'>
  /**
   * The topic of the log that takes the records of a captured topic, and its partition count; `undefined` for
   * topics that no mapping names (heartbeats, transactions, schema changes): counted, not appended.
   */
  target(topic: string): { readonly topic: string; readonly partitions: number } | undefined
  /** The header in which a record says its captured topic, where that is not the one it is appended to. */
  readonly sourceTopicHeader: string
  /** The key of a change that came without one; null where it has none (a truncate). */
  keyOf(topic: string, value: string | Uint8Array): string | null
  /** The partition of a key, for records that do not say where they were. */
  partitionFor(key: Uint8Array, partitions: number): number
  /** The value with its secret columns sealed; called for every value that is not null. */
  sealChange(topic: string, value: string | Uint8Array): string | Uint8Array
}

/** What has been done since the start. */
export interface IngestCounts {
  readonly appended: number
  /** Records of topics that no mapping names. */
  readonly ignored: number
}

/** Records ready to be appended; for whoever appends them together with something else. */
export interface PreparedRecords {
  readonly batches: readonly AppendBatch[]
  /** Call when they are appended. */
  appended(): void
}

/** The appending end: whatever takes changes in ends here. */
export interface Ingest {
  /** Seals and places records without appending them. */
  prepare(records: readonly CapturedRecord[]): PreparedRecords
  /** Durable when it resolves, in the order given within each partition. */
  append(records: readonly CapturedRecord[]): Promise<void>
  counts(): IngestCounts
}

/** Makes the appending end of ingest. */
export function createIngest(options: IngestOptions): Ingest {
  let appended = 0
  let ignored = 0
  function prepare(records: readonly CapturedRecord[]): PreparedRecords {
    const batches = new Map<string, { topic: string; partition: number; records: NewRecord[] }>()
    let left = 0
    for (const record of records) {
      const target = options.target(record.topic)
      if (target === undefined) {
        left++
        continue
      }
      const key = toBytes(keyOf(record, options))
      const partition = partitionOf(record, key, target.partitions, options)
      const name = `${target.topic}:${partition}`
      const batch = batches.get(name) ?? { topic: target.topic, partition, records: [] }
      batches.set(name, batch)
      batch.records.push(toNewRecord(record, key, target.topic, options))
    }
    return {
      batches: [...batches.values()],
      appended() {
        ignored += left
        for (const batch of batches.values()) appended += batch.records.length
      },
    }
  }

  return {
    prepare,
    async append(records) {
      const prepared = prepare(records)
      if (prepared.batches.length > 0) await options.writer.append(prepared.batches)
      prepared.appended()
    },
    counts: () => ({ appended, ignored }),
  }
}

/**
 * A captured partition is kept, modulo the count here: two records that shared a partition still do, so no order
 * is lost. A null key without a partition (a truncate) may lie anywhere.
 */
function partitionOf(
  record: CapturedRecord,
  key: Uint8Array | null,
  partitions: number,
  options: IngestOptions,
): number {
  if (record.partition !== null) return record.partition % partitions
  return key === null ? 0 : options.partitionFor(key, partitions)
}

/** What shares no captured partition is placed by its key, so a change needs one. */
function keyOf({ topic, partition, key, value }: CapturedRecord, options: IngestOptions): CapturedBytes {
  return key === null && partition === null && value !== null ? options.keyOf(topic, value) : key
}

function toNewRecord(
  record: CapturedRecord,
  key: Uint8Array | null,
  target: string,
  options: IngestOptions,
): NewRecord {
  const { topic, value, timestamp } = record
  const headers = toHeaders(record.headers)
  // The mapping is asked for the captured topic.
  if (topic !== target) headers.push({ key: options.sourceTopicHeader, value: Buffer.from(topic) })
  return {
    key,
    value: value === null ? null : toBytes(options.sealChange(topic, value)),
    headers,
    timestamp,
  }
}

function toHeaders(headers: CapturedRecord['headers']): Header[] {
  const list: Header[] = []
  for (const name in headers) list.push({ key: name, value: toBytes(headers[name] ?? null) })
  return list
}

const toBytes = (bytes: CapturedBytes): Uint8Array | null =>
  typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes
