import { readFileSync } from 'node:fs'
import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LogRecord, type NewRecord, recordBytes } from '../../port.ts'
import { batchSlackBytes } from '../topic-configs.ts'
import { WireWriter } from './primitives.ts'
import { uncommittedFilter } from './read-committed.ts'
import { layout } from './record-batch-layout.ts'
import { CorruptBatchError, peekEnd, readBatches } from './record-batch-reader.ts'
import { anonymousProducer, writeRecordBatch } from './record-batch-writer.ts'

/** Written by Kafka's own classes: golden/GoldenBatches.java. */
const golden: Record<string, string> = JSON.parse(
  readFileSync(new URL('golden/batches.json', import.meta.url), 'utf8'),
)
const goldenBatch = (name: string): Buffer => Buffer.from(golden[name] ?? '', 'base64')

/** The record that GoldenBatches.java makes for `n`. */
function goldenRecord(n: number): NewRecord {
  const headers = []
  if (n % 3 === 0) headers.push({ key: 'trace-é', value: Buffer.from(`t${n}`) })
  if (n % 6 === 0) headers.push({ key: 'none', value: null })
  return {
    key: n % 5 === 4 ? null : Buffer.from(`key-${n}`),
    value: n % 7 === 6 ? null : Buffer.from(`value ${n} `.repeat(n % 40)),
    headers,
    timestamp: 1_700_000_000_000 + n * 1000 - (n % 4) * 5000,
  }
}
const goldenRecords = (count: number): NewRecord[] => Array.from({ length: count }, (_, n) => goldenRecord(n))

const tp = { topic: 'orders', partition: 3 }
const read = (bytes: Buffer, position = 0) => readBatches(bytes, { tp, position, filter: uncommittedFilter })
const recordsIn = (bytes: Buffer, position = 0): LogRecord[] => {
  const { batches, corrupt } = read(bytes, position)
  if (corrupt) throw corrupt
  return batches.flatMap((batch) => batch.records)
}

function write(records: readonly NewRecord[], baseOffset = 0, producer = anonymousProducer): Buffer {
  const out = new WireWriter(16).begin(false)
  writeRecordBatch(out, records, { producer })
  const bytes = out.copy()
  bytes.writeBigInt64BE(BigInt(baseOffset), layout.baseOffset)
  return bytes
}

describe('batches written by Kafka itself', () => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    it(`are read with compression ${compression}`, () => {
      const records = recordsIn(goldenBatch(compression))
      expect(records).toEqual(goldenRecords(200).map((record, n) => ({ ...record, offset: 1000 + n })))
    })
  }

  it('are written by us byte for byte', () => {
    expect(write(goldenRecords(200), 1000).toString('hex')).toBe(goldenBatch('none').toString('hex'))
    const transactional = write(goldenRecords(2), 3000, {
      producerId: 77,
      epoch: 5,
      baseSequence: 9,
      transactional: true,
    })
    transactional.writeInt32BE(4, layout.leaderEpoch)
    expect(transactional.toString('hex')).toBe(goldenBatch('transactional').toString('hex'))
  })

  it('carry the time of the append where the log stamps records', () => {
    const times = recordsIn(goldenBatch('append time')).map((record) => record.timestamp)
    expect(times).toEqual([1_800_000_000_000, 1_800_000_000_000, 1_800_000_000_000])
  })

  it('may hold timestamps that are decades apart', () => {
    const times = recordsIn(goldenBatch('far timestamps')).map((record) => record.timestamp)
    expect(times).toEqual([1_700_000_000_000, 1, 1_900_000_000_000])
  })

  it('move the position by their markers, which are no records', () => {
    const { batches, next } = read(Buffer.concat([goldenBatch('transactional'), goldenBatch('abort marker')]))
    expect(batches.map((batch) => batch.records.length)).toEqual([2, 0])
    expect(next).toBe(3003)
  })

  it('are refused in the format before Kafka 0.11', () => {
    // Followed by more, as it would be in a log: the old format is shorter than the new one's header.
    const { corrupt } = read(Buffer.concat([goldenBatch('old format'), goldenBatch('old format')]))
    expect(corrupt?.message).toContain('its format is 1, and only 2 can be read')
  })

  it('are refused with a compression that is not known', () => {
    const bytes = goldenBatch('none')
    const out = resealed(bytes, (batch) => batch.writeInt16BE(6, layout.attributes))
    expect(read(out).corrupt?.message).toContain('compression 6 is not known')
  })
})

describe('a batch of snappy blocks without frames', () => {
  it('is read too', async () => {
    const { compressSync } = await import('snappy')
    const plain = goldenBatch('none')
    const packed = Buffer.concat([
      plain.subarray(0, layout.records),
      compressSync(plain.subarray(layout.records)),
    ])
    packed.writeInt32BE(packed.length - layout.leaderEpoch, layout.length)
    const bytes = resealed(packed, (batch) => batch.writeInt16BE(2, layout.attributes))
    expect(recordsIn(bytes)).toHaveLength(200)
  })
})

describe('the batch codec', () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 300 }))
  const anyRecord = fc.record({
    key: bytes,
    value: bytes,
    headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes }), { maxLength: 3 }),
    timestamp: fc.oneof(
      fc.integer({ min: -1, max: 2 ** 41 }),
      fc.constantFrom(0, 2 ** 50, 1_700_000_000_000),
    ),
  })

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), fc.nat(), (records, baseOffset) => {
        const batch = write(records, baseOffset)
        const { batches, next, corrupt } = read(batch)
        expect(corrupt).toBeUndefined()
        expect(next).toBe(baseOffset + records.length)
        expect(peekEnd(batch)).toEqual({ next, epoch: -1 })
        expect(batches[0]?.records.map(plain)).toEqual(
          records.map((record, n) => plain({ ...record, offset: baseOffset + n })),
        )
      }),
      { seed: 20_260_201 },
    )
  })

  it('takes a damaged byte for what it is, wherever the checksum reaches', () => {
    const whole = write(goldenRecords(20), 500)
    // Base offset and leader epoch are the broker's, and no checksum of the writer's can cover them.
    const covered = fc.oneof(
      fc.integer({ min: layout.length, max: layout.leaderEpoch - 1 }),
      fc.integer({ min: layout.magic, max: whole.length - 1 }),
    )
    fc.assert(
      fc.property(covered, fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const damaged = Buffer.from(whole)
        damaged[at] = (damaged[at] ?? 0) ^ mask
        const { batches, next, corrupt } = read(damaged)
        expect(corrupt).toBeInstanceOf(CorruptBatchError)
        expect(batches).toEqual([])
        expect(next).toBe(0)
      }),
      { seed: 20_260_202, numRuns: 1000 },
    )
  })

  it('ends with an error, not with nonsense, when damaged bytes pass the checksum', () => {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const whole = goldenBatch(compression)
      fc.assert(
        fc.property(
          fc.integer({ min: layout.attributes + 2, max: whole.length - 1 }),
          fc.integer({ min: 1, max: 255 }),
          (at, mask) => {
            const bytes = resealed(whole, (batch) => {
              batch[at] = (batch[at] ?? 0) ^ mask
            })
            const { batches, corrupt } = read(bytes)
            if (corrupt) expect(batches).toEqual([])
            for (const { baseOffset, lastOffset, records } of batches) {
              for (const { offset } of records)
                expect(offset >= baseOffset && offset <= lastOffset).toBe(true)
            }
          },
        ),
        { seed: 20_260_203, numRuns: 100 },
      )
    }
  })

  it('names topic, partition and offset of what is damaged, and hands over what stands before', () => {
    const good = write(goldenRecords(3), 10)
    const bad = write(goldenRecords(3), 13)
    bad[80] = (bad[80] ?? 0) ^ 1
    const { batches, next, corrupt } = read(Buffer.concat([good, bad]), 10)
    expect(batches).toHaveLength(1)
    expect(next).toBe(13)
    expect(corrupt).toMatchObject({ topic: 'orders', partition: 3, offset: 13 })
    expect(corrupt?.message).toMatch(/^orders:3@13: the batch there is corrupt: its checksum is wrong/)
  })

  it('leaves what is cut off for the next fetch, but not the first batch', () => {
    const [first, second] = [write(goldenRecords(3), 0), write(goldenRecords(3), 3)]
    for (let cut = 0; cut < second.length; cut++) {
      const { next, corrupt } = read(Buffer.concat([first, second.subarray(0, cut)]))
      expect([next, corrupt]).toEqual([3, undefined])
    }
    for (let cut = 1; cut < first.length; cut++) expect(read(first.subarray(0, cut)).corrupt).toBeDefined()
  })

  it('goes neither backwards nor in circles', () => {
    const [first, second] = [write(goldenRecords(3), 0), write(goldenRecords(3), 3)]
    expect(read(Buffer.concat([first, second]), 3).next).toBe(6)
    expect(read(first, 3).corrupt?.message).toContain('all that came ends before the position')
    expect(read(Buffer.concat([second, first]), 3)).toMatchObject({ next: 6, corrupt: expect.any(Error) })
  })

  it('makes no records before the position, though the batch comes whole', () => {
    expect(recordsIn(write(goldenRecords(5), 10), 12).map((record) => record.offset)).toEqual([12, 13, 14])
  })

  it('takes no more for one record than the port says and topics allow for', () => {
    const size = fc.oneof(fc.constantFrom(0, 63, 64, 8190, 8191, 8192, 2 ** 20 - 1, 2 ** 20), fc.nat(20_000))
    fc.assert(
      fc.property(size, size, fc.array(fc.string(), { maxLength: 3 }), (keySize, valueSize, names) => {
        const headers = names.map((key) => ({ key, value: Buffer.alloc(valueSize % 300) }))
        const record = {
          ...goldenRecord(1),
          key: Buffer.alloc(keySize),
          value: Buffer.alloc(valueSize),
          headers,
        }
        expect(write([record]).length).toBeLessThanOrEqual(recordBytes(record) + batchSlackBytes)
      }),
      {
        seed: 20_260_204,
        examples: [
          [64, 8180, []],
          [8192, 2 ** 20, []],
        ],
      },
    )
  })

  it('copies neither keys nor values', () => {
    const batch = write(goldenRecords(3), 0)
    for (const { key, value } of recordsIn(batch)) {
      expect(key?.buffer ?? batch.buffer).toBe(batch.buffer)
      expect(value?.buffer ?? batch.buffer).toBe(batch.buffer)
    }
  })

  it('ends a batch before the record that would take it past the limit, but takes one', () => {
    const records = goldenRecords(40)
    const out = new WireWriter().begin(false)
    let from = 0
    for (let rounds = 0; from < records.length; rounds++) {
      const { next, bytes } = writeRecordBatch(out, records, {
        producer: anonymousProducer,
        from,
        maxBytes: 600,
      })
      expect(bytes <= 600 || next === from + 1).toBe(true)
      expect(next).toBeGreaterThan(from)
      from = next
      expect(rounds).toBeLessThan(40)
    }
  })
})

/** A copy, changed, with the checksum made right again. */
function resealed(batch: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  copy.writeUInt32BE(crc32c(copy.subarray(layout.attributes)), layout.crc)
  return copy
}

const hex = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('hex')
const plain = ({ key, value, headers, timestamp, offset }: LogRecord) => ({
  key: hex(key),
  value: hex(value),
  headers: headers.map((header) => [header.key, hex(header.value)]),
  timestamp,
  offset,
})
