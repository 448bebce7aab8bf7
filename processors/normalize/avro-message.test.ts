import avsc from 'avsc'
import { describe, expect, it } from 'vitest'
import { makeMessageDecoder, type Registry } from '../../schemas/index.ts'
import { normalizeRecord } from './normalize-record.ts'
import { sealMessage } from './seal-change.ts'
import { capturedRecord, envelope, orderRow, testMapping, testSealer } from './testing/captured-message.ts'

/** As Debezium's Avro converter writes it: one record for the row, used before and after, and 19-digit times. */
const nullable = (type: unknown) => ['null', type]
const row = JSON.parse(JSON.stringify(orderRow())) as Record<string, unknown>
const rowType = {
  type: 'record',
  name: 'Value',
  namespace: 'oms.oms.orders',
  fields: Object.entries(row).map(([name, value]) => ({ name, type: typeOf(name, value), default: null })),
}

const { ts_ns: __, ...sampleSource } = envelope().source as Record<string, unknown>

function typeOf(name: string, value: unknown) {
  if (name === 'id' || name.endsWith('_no') || name.endsWith('_version')) return nullable('long')
  return nullable(typeof value === 'number' ? 'long' : 'string')
}

const schema = {
  type: 'record',
  name: 'Envelope',
  namespace: 'oms.oms.orders',
  fields: [
    { name: 'before', type: ['null', rowType], default: null },
    { name: 'after', type: ['null', 'Value'], default: null },
    {
      name: 'source',
      type: {
        type: 'record',
        name: 'Source',
        fields: [
          ...Object.entries(sampleSource).map(([name, value]) => ({
            name,
            type: nullable(typeof value === 'number' ? 'long' : 'string'),
          })),
          { name: 'ts_ns', type: 'long' },
        ],
      },
    },
    { name: 'op', type: 'string' },
    { name: 'ts_ms', type: nullable('long') },
    { name: 'ts_ns', type: nullable('long') },
  ],
}

const schemaId = 4711
const registry: Registry = {
  idOf: () => schemaId,
  latest: () => {
    throw new Error('nobody asks for the latest of a foreign subject')
  },
  schemaOf: (id) =>
    id === schemaId
      ? { id, subject: 'cdc.oms.orders-value', version: 1, text: JSON.stringify(schema) }
      : undefined,
}

/** avsc refuses to write what it cannot read: the nanoseconds are spliced in as the bytes that Java writes. */
const tsNs = 1_795_322_369_720_864_187n

function framed(message: Record<string, unknown>): Buffer {
  const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: 'never' })
  const source = message.source as Record<string, unknown>
  const marker = 123_456_789
  const body = type.toBuffer({ ...message, ts_ns: marker, source: { ...source, ts_ns: marker } })
  const spliced = replaceAll(body, zigzag(BigInt(marker)), zigzag(tsNs))
  const header = Buffer.alloc(5)
  header.writeInt32BE(schemaId, 1)
  return Buffer.concat([header, spliced])
}

function zigzag(value: bigint): Buffer {
  const bytes: number[] = []
  for (let left = value << 1n; ; left >>= 7n) {
    const low = Number(left & 0x7fn)
    if (left < 0x80n) return Buffer.from([...bytes, low])
    bytes.push(low | 0x80)
  }
}

function replaceAll(body: Buffer, from: Buffer, to: Buffer): Buffer {
  const at = body.indexOf(from)
  if (at < 0) return body
  return Buffer.concat([body.subarray(0, at), to, replaceAll(body.subarray(at + from.length), from, to)])
}

const { transaction: _, ...message } = JSON.parse(JSON.stringify(envelope())) as Record<string, unknown>
const options = { mapping: testMapping(), seal: testSealer, decodeAvro: makeMessageDecoder(registry) }

/** Sealing draws a nonce each time: two changes are alike when what is sealed in them is. */
const opened = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_name, part) =>
      typeof part === 'string' && part.startsWith('sealed:') ? testSealer.open(part) : part,
    ),
  )

describe('a change in Avro', () => {
  const value = framed(message)

  it('means the same as the one in JSON, 19-digit times and all', () => {
    const fromAvro = normalizeRecord({ ...capturedRecord(), value }, options)
    const fromJson = normalizeRecord(capturedRecord({ value: JSON.stringify(message) }), options)
    expect(fromAvro.kind).toBe('order')
    expect(opened(fromAvro)).toEqual(opened(fromJson))
  })

  it('is sealed whole on its way into a log of ours, and read all the same', () => {
    const sealed = sealMessage('cdc.oms.orders', value, options.mapping, testSealer)
    expect(sealed).toMatch(/^sealed:/)
    const read = normalizeRecord({ ...capturedRecord(), value: Buffer.from(sealed) }, options)
    expect(opened(read)).toEqual(opened(normalizeRecord({ ...capturedRecord(), value }, options)))
  })

  it.each([
    ['truncated', value.subarray(0, value.length - 3)],
    ['unknown_schema', Buffer.concat([Buffer.from([0, 0x7f, 0, 0, 9]), value.subarray(5)])],
    ['trailing_bytes', Buffer.concat([value, Buffer.from([1])])],
    ['too_short', Buffer.from([0, 1])],
  ])('is undecodable when it is %s', (reason, bytes) => {
    const result = normalizeRecord({ ...capturedRecord(), value: bytes }, options)
    expect(result).toMatchObject({ kind: 'undecodable', reason })
  })
})
