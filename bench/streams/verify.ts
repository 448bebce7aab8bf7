/**
 * Reads an output topic, read-committed: how many records, an order-free checksum, and when how much of the work was
 * done, by the log's own append times.
 */
import { crc32c } from '@node-rs/crc32'
import { partitionKey, type RecordLog, type TopicPartition } from '../../engine/index.ts'
import { partitions } from './input.ts'

export interface Verified {
  readonly records: number
  /** Sum over records of 31·CRC-32C(key) + CRC-32C(value), modulo 2^64, in hexadecimal. */
  readonly checksum: string
  /** Input records per second after the first 30 % of the work, and over all of it. */
  readonly rate: { readonly steady: number; readonly all: number }
  /** When the steady part began and ended, on the log's clock, and how many input records it is. */
  readonly steady: { readonly fromMs: number; readonly toMs: number; readonly input: number }
}

/** `input`: how many input records the output stands for. */
export async function verify(log: RecordLog, topic: string, input: number): Promise<Verified> {
  const byTime = new Map<number, number>()
  const all = Array.from({ length: partitions }, (_, partition): TopicPartition => ({ topic, partition }))
  const ends = await log.admin.endOffsets(all, 'read_committed')
  const fetcher = log.fetcher()
  let records = 0
  let sum = 0n
  for (const tp of all) {
    for (let offset = 0; offset < (ends.get(partitionKey(tp)) ?? 0); ) {
      const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 22 }], {
        isolation: 'read_committed',
        maxWaitMs: 1000,
      })
      let part = 0
      for (const batch of fetched?.batches ?? []) {
        for (const { key, value, timestamp, offset: at } of batch.records) {
          if (at < offset) continue
          records++
          part += crc32c(asBuffer(key)) * 31 + crc32c(asBuffer(value))
          // Doubles are exact below 2^53; one record adds less than 2^37.
          if (part > 2 ** 52) {
            sum += BigInt(part)
            part = 0
          }
          byTime.set(timestamp, (byTime.get(timestamp) ?? 0) + 1)
        }
        offset = Math.max(offset, batch.lastOffset + 1)
      }
      sum += BigInt(part)
    }
  }
  await fetcher.close()
  return { records, checksum: BigInt.asUintN(64, sum).toString(16), ...rates(byTime, records, input) }
}

function rates(
  byTime: ReadonlyMap<number, number>,
  records: number,
  input: number,
): Pick<Verified, 'rate' | 'steady'> {
  const times = [...byTime].sort(([a], [b]) => a - b)
  const lastAt = times.at(-1)?.[0] ?? 0
  let done = 0
  let steadyFrom: { at: number; done: number } | undefined
  for (const [at, count] of times) {
    done += count
    if (!steadyFrom && done >= records * 0.3) steadyFrom = { at, done }
  }
  const scale = input / records
  const steady = {
    fromMs: steadyFrom?.at ?? 0,
    toMs: lastAt,
    input: (records - (steadyFrom?.done ?? 0)) * scale,
  }
  const perSecond = (count: number, ms: number) => (count / Math.max(1, ms)) * 1000
  return {
    steady,
    rate: {
      steady: perSecond(steady.input, lastAt - steady.fromMs),
      all: perSecond(input, lastAt - (times[0]?.[0] ?? 0)),
    },
  }
}

const asBuffer = (bytes: Uint8Array | null): Buffer =>
  bytes === null ? Buffer.alloc(0) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
