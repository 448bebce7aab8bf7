import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSchema } from './avro-schema.ts'
import { makeCodec } from './codec.ts'
import { makeCodecs } from './codecs.ts'
import { endpointDefaults } from './endpoint-defaults.ts'
import { SchemaError } from './errors.ts'
import { openFolderRegistry } from './folder-registry.ts'
import type { OrderEvent, OrderEventV1, Undecodable } from './generated/types.ts'
import { readSchemaFolder, shippedSchemaFolder } from './schema-folder.ts'
import { arbitraryValue } from './testing/arbitrary-values.ts'

const registry = openFolderRegistry()
const codecs = makeCodecs(registry)
const files = readSchemaFolder(shippedSchemaFolder)
const subjects = [...new Set(files.map((file) => file.subject))]

/** The reason of the SchemaError that `run` throws; anything else thrown is a failure of its own. */
function reasonOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof SchemaError) return error.reason
    throw error
  }
  return 'nothing thrown'
}

const schemaOf = (subject: string, version: number) =>
  parseSchema(registry.schemaOf(registry.idOf(subject, version))?.text ?? '', subject)

const anyEvent = arbitraryValue(
  schemaOf('order.events-value', 3),
) as fc.Arbitrary<unknown> as fc.Arbitrary<OrderEvent>
const sampled = fc.sample(anyEvent, { seed: 7, numRuns: 1 })[0] as OrderEvent
const event: OrderEvent = { ...sampled, payload: { ...sampled.payload, event: 'delivered' } }
const eventBytes = codecs.orderEvent.serialize(event)

describe('a codec', () => {
  it('gives back a map entry named __proto__ as an entry, not as a prototype', () => {
    const config = {
      partner_id: 'acme',
      name: 'Acme',
      version: 1,
      notice_channels: [],
      endpoints: [
        {
          ...endpointDefaults,
          endpoint_id: 'acme-1',
          url: 'https://acme.example/hooks',
          payload_version: 'v2',
          secrets: [],
          max_age_ms: Object.fromEntries([['__proto__', 5]]),
        },
      ],
    } as const
    const { partnerConfig } = codecs
    const [endpoint] = partnerConfig.deserialize(partnerConfig.serialize(config)).endpoints
    expect(Object.entries(endpoint?.max_age_ms ?? {})).toEqual([['__proto__', 5]])
  })

  it.each(subjects)('gives back every value of %s', (subject) => {
    const codec = makeCodec<unknown>(subject, registry)
    const anyValue = arbitraryValue(parseSchema(registry.latest(subject).text, subject))
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = codec.serialize(value)
        expect(codec.deserialize(bytes)).toEqual(value)
      }),
      { numRuns: 60 },
    )
  })

  it('writes the Confluent wire format: zero, schema id, Avro', () => {
    const bytes = codecs.retryTicket.serialize({
      delivery_id: 'd',
      endpoint_id: 'e',
      generation: 3,
      retry: 1,
    })
    const id = registry.idOf('retry.tickets-value', 1)
    expect([...bytes]).toEqual([0, 0, 0, 0, id, 2, 0x64, 2, 0x65, 6, 2])
  })

  it('returns bytes of its own: a later value leaves them alone', () => {
    const first = codecs.orderEvent.serialize(event)
    const copy = Buffer.from(first)
    codecs.orderEvent.serialize({ ...event, internal: { ...event.internal, city: 'Elsewhere' } })
    expect(Buffer.compare(first, copy)).toBe(0)
  })

  it('writes values larger than its scratch space, and small ones after them', () => {
    const large = { ...event, internal: { ...event.internal, city: 'x'.repeat(300_000) } }
    expect(codecs.orderEvent.deserialize(codecs.orderEvent.serialize(large))).toEqual(large)
    expect(codecs.orderEvent.serialize(event)).toEqual(eventBytes)
  })

  it('takes bytes as plain Uint8Arrays, at the top, in unions and in the input', () => {
    const value: Undecodable = {
      ...{ topic: 't', partition: 0, offset: 1, timestamp: 2, reason: 'r', detail: 'd', at: 3, preview: '' },
      ...{ key_length: -1, value_length: 2, value_sha256: 'h', key: null, value: new Uint8Array([0x5e, 2]) },
    }
    const bytes = new Uint8Array(codecs.undecodable.serialize(value))
    expect(codecs.undecodable.deserialize(bytes).value).toEqual(Buffer.from([0x5e, 2]))
    expect(value.value).toEqual(new Uint8Array([0x5e, 2]))
  })

  it('reads what an older version wrote, with defaults for what it did not know', () => {
    const v1 = makeCodec<OrderEventV1>('order.events-value', registry, 1)
    const old = arbitraryValue(
      schemaOf('order.events-value', 1),
    ) as fc.Arbitrary<unknown> as fc.Arbitrary<OrderEventV1>
    fc.assert(
      fc.property(old, (value) => {
        const read = codecs.orderEvent.deserialize(v1.serialize(value))
        expect(read).toMatchObject(value)
        expect(read.payload.order_sequence).toBeNull()
        expect(read.payload.enrichment_status).toBe('UNKNOWN')
      }),
      { numRuns: 50 },
    )
  })

  it('lets an older reader read what a newer version wrote; an event it does not know is UNKNOWN', () => {
    const v1 = makeCodec<OrderEventV1>('order.events-value', registry, 1)
    const picked = { ...event, payload: { ...event.payload, event: 'return_picked_up' as const } }
    expect(v1.deserialize(codecs.orderEvent.serialize(picked)).payload.event).toBe('UNKNOWN')
  })
})

describe('bytes that are no value', () => {
  const read = (bytes: Uint8Array | null) => reasonOf(() => codecs.orderEvent.deserialize(bytes))

  it('name what is wrong with the header', () => {
    expect(read(null)).toBe('null')
    expect(read(new Uint8Array(0))).toBe('too_short')
    expect(read(eventBytes.subarray(0, 4))).toBe('too_short')
    expect(read(Buffer.from('{"a":1}'))).toBe('bad_magic')
    expect(read(Buffer.from([0, 0, 0x0f, 0xff, 0xff, 0]))).toBe('unknown_schema')
  })

  it.each(subjects)(
    'of %s: cut anywhere they are truncated, with a byte more they have trailing bytes',
    (subject) => {
      const codec = makeCodec<unknown>(subject, registry)
      const anyValue = arbitraryValue(parseSchema(registry.latest(subject).text, subject))
      for (const value of fc.sample(anyValue, { seed: 11, numRuns: 2 })) {
        const bytes = codec.serialize(value)
        for (let end = 5; end < bytes.length; end += 1 + Math.floor(bytes.length / 200)) {
          expect(reasonOf(() => codec.deserialize(bytes.subarray(0, end)))).toBe('truncated')
        }
        expect(reasonOf(() => codec.deserialize(Buffer.concat([bytes, Buffer.from([0])])))).toBe(
          'trailing_bytes',
        )
      }
    },
  )

  it.each(subjects)('of %s: whatever they are, they end in a value or a reason, and soon', (subject) => {
    const codec = makeCodec<unknown>(subject, registry)
    const id = registry.latest(subject).id
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        reasonOf(() => codec.deserialize(Buffer.concat([Buffer.from([0, 0, 0, 0, id]), body])))
      }),
      { numRuns: 300 },
    )
  })

  it('cannot keep the reader busy with a count of items that are not there', () => {
    const id = registry.idOf('partner.config-value', 1)
    // partner_id "", name "", version 0, then an array block that claims 2^50 endpoints.
    const bytes = [0, 0, 0, 0, id, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x04]
    expect(reasonOf(() => codecs.partnerConfig.deserialize(Buffer.from(bytes)))).toBe('truncated')
  })

  it('of another subject are incompatible, and the cause is kept', () => {
    const ticket = codecs.retryTicket.serialize({
      delivery_id: 'd',
      endpoint_id: 'e',
      generation: 3,
      retry: 1,
    })
    expect(read(ticket)).toBe('incompatible')
    expect(read(ticket)).toBe('incompatible')
  })

  it('hold a number that JavaScript would round', () => {
    const id = registry.idOf('delivery.commands-value', 1)
    // command_id "", kind 0, endpoint_id "", delivery_id null, requested_at 2^62, requested_by "".
    const bytes = [0, 0, 0, 0, id, 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0]
    expect(reasonOf(() => codecs.deliveryCommand.deserialize(Buffer.from(bytes)))).toBe('unsafe_number')
  })

  it('name a symbol or branch that does not exist', () => {
    const id = registry.idOf('delivery.commands-value', 1)
    expect(reasonOf(() => codecs.deliveryCommand.deserialize(Buffer.from([0, 0, 0, 0, id, 0, 0x7e])))).toBe(
      'malformed',
    )
  })
})

describe('a value that does not fit', () => {
  const write = (value: unknown) => () => codecs.orderEvent.serialize(value as OrderEvent)

  it('is refused with the field, what it should be and what it is', () => {
    expect(write({ ...event, payload: { ...event.payload, occurred_at: 1.5 } })).toThrow(
      'OrderEvent.payload.occurred_at must be long, is not a whole, safe number',
    )
    expect(write({ ...event, payload: { ...event.payload, occurred_at: 2 ** 53 } })).toThrow(
      'OrderEvent.payload.occurred_at',
    )
    expect(write({ ...event, payload: { ...event.payload, order_id: undefined } })).toThrow(
      'OrderEvent.payload.order_id must be string, is undefined',
    )
    expect(write({ ...event, payload: { ...event.payload, event: 'teleported' } })).toThrow(
      'OrderEvent.payload.event must be enum',
    )
    expect(reasonOf(write(null))).toBe('invalid_value')
  })

  it('is a long beyond 2^52 either way: avsc would write another number', () => {
    const at = (occurred_at: number): OrderEvent => ({ ...event, payload: { ...event.payload, occurred_at } })
    for (const edge of [2 ** 52, -(2 ** 52)]) {
      expect(codecs.orderEvent.deserialize(codecs.orderEvent.serialize(at(edge))).payload.occurred_at).toBe(
        edge,
      )
      expect(reasonOf(write(at(edge + Math.sign(edge))))).toBe('invalid_value')
    }
  })

  it('is never quoted, because it may be a secret', () => {
    const secret = { otp: '8821' }
    const wrong = {
      ...event,
      payload: { ...event.payload, delivery: { ...event.payload.delivery, otp: secret } },
    }
    try {
      codecs.orderEvent.serialize(wrong as unknown as OrderEvent)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaError)
      expect(JSON.stringify([String(error), error, (error as Error).cause ?? null])).not.toContain('8821')
      expect((error as Error).message).toContain('payload.delivery.otp must be null or string')
    }
  })

  it('leaves the codec as it was', () => {
    expect(write({ ...event, internal: null })).toThrow(SchemaError)
    expect(codecs.orderEvent.serialize(event)).toEqual(eventBytes)
  })
})
