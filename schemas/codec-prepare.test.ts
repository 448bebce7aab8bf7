import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { makeCodec } from './codec.ts'
import { makeCodecs } from './codecs.ts'
import { SchemaError } from './errors.ts'
import { openFolderRegistry } from './folder-registry.ts'
import type { OrderEvent, OrderEventV1 } from './generated/types.ts'
import { buildPayload } from './payload/fields.ts'
import type { RegisteredSchema, Registry } from './registry.ts'
import { shippedSchemaFolder } from './schema-folder.ts'
import { exampleSource } from './testing/example-source.ts'

const registry = openFolderRegistry()
const event: OrderEvent = {
  payload: buildPayload(exampleSource('delivered', 'sealed:k1:AAAA')),
  internal: {
    customer_name: null,
    customer_phone: null,
    city: null,
    phone_last_digits: null,
    source_commit_at: null,
    by_hand: false,
  },
}
const eventBytes = makeCodec<OrderEvent>('order.events-value', registry).serialize(event)

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

/** A registry of one subject's versions that knows them only after `fetch`. */
function fetchingRegistry(answers: Map<number, RegisteredSchema>): { registry: Registry; asked: number[] } {
  const fetched = new Map<number, RegisteredSchema>()
  const asked: number[] = []
  const unknown = registry.idOf('order.events-value', 1)
  return {
    asked,
    registry: {
      idOf: registry.idOf,
      latest: registry.latest,
      schemaOf: (id) => (id === unknown ? fetched.get(id) : registry.schemaOf(id)),
      async fetch(id) {
        asked.push(id)
        const answer = answers.get(id)
        if (answer) fetched.set(id, answer)
        return answer
      },
    },
  }
}

describe('a registry that fetches', () => {
  const v1 = registry.schemaOf(registry.idOf('order.events-value', 1)) as RegisteredSchema
  const v1Bytes = makeCodec<OrderEventV1>('order.events-value', registry, 1).serialize({
    payload: event.payload as OrderEventV1['payload'],
    internal: event.internal,
  })

  it('is asked for an unknown id, and the value is readable afterwards', async () => {
    const { registry: fetching, asked } = fetchingRegistry(new Map([[v1.id, v1]]))
    const codec = makeCodec<OrderEvent>('order.events-value', fetching)
    expect(reasonOf(() => codec.deserialize(v1Bytes))).toBe('unknown_schema')
    await codec.prepare?.(v1Bytes)
    expect(asked).toEqual([v1.id])
    expect(codec.deserialize(v1Bytes).payload.order_id).toBe(event.payload.order_id)
    expect(codec.prepare?.(v1Bytes)).toBeUndefined()
    expect(codec.prepare?.(eventBytes)).toBeUndefined()
  })

  it('leaves it to the registry to remember what nobody knows', async () => {
    const { registry: fetching, asked } = fetchingRegistry(new Map())
    const codec = makeCodec<OrderEvent>('order.events-value', fetching)
    await codec.prepare?.(v1Bytes)
    expect(reasonOf(() => codec.deserialize(v1Bytes))).toBe('unknown_schema')
    await codec.prepare?.(v1Bytes)
    expect(asked).toEqual([v1.id, v1.id])
  })

  it('is asked for what a foreign writer wrote, too', async () => {
    const { registry: fetching } = fetchingRegistry(new Map([[v1.id, v1]]))
    const codecs = makeCodecs(fetching)
    expect(reasonOf(() => codecs.decodeMessage(v1Bytes))).toBe('unknown_schema')
    await codecs.prepareMessage?.(v1Bytes)
    expect(codecs.decodeMessage(v1Bytes)).toMatchObject({ payload: { order_id: event.payload.order_id } })
    expect(codecs.prepareMessage?.(Buffer.from('{"op":"c"}'))).toBeUndefined()
  })

  it('is asked again after it could not be reached', async () => {
    const { registry: fetching } = fetchingRegistry(new Map([[v1.id, v1]]))
    let reachable = false
    const fetch = fetching.fetch?.bind(fetching)
    const codec = makeCodec<OrderEvent>('order.events-value', {
      ...fetching,
      fetch: async (id) => {
        if (!reachable) throw new Error('connection refused')
        return fetch?.(id)
      },
    })
    await expect(codec.prepare?.(v1Bytes)).rejects.toThrow('connection refused')
    reachable = true
    await codec.prepare?.(v1Bytes)
    expect(codec.deserialize(v1Bytes).payload.order_id).toBe(event.payload.order_id)
  })

  it('is never asked about bytes without a schema id', () => {
    const { registry: fetching } = fetchingRegistry(new Map())
    const codec = makeCodec<OrderEvent>('order.events-value', fetching)
    for (const bytes of [null, new Uint8Array(2), Buffer.from('{"not":"avro"}')]) {
      expect(codec.prepare?.(bytes)).toBeUndefined()
    }
  })
})

describe('the folder of schemas that ships', () => {
  const codec = makeCodec<OrderEvent>('order.events-value', registry)
  const withId = (id: number): Buffer => {
    const bytes = Buffer.from(eventBytes)
    bytes.writeInt32BE(id, 1)
    return bytes
  }
  const { next } = JSON.parse(readFileSync(`${shippedSchemaFolder}/ids.json`, 'utf8')) as { next: number }

  it('has nothing to fetch for what it knows', () => {
    for (const version of [1, 2]) {
      expect(codec.prepare?.(withId(registry.idOf('order.events-value', version)))).toBeUndefined()
    }
  })

  it('says of an id that a later release gave to wait for an upgrade, every time', async () => {
    const upgrade = `schema id ${next} was given by a later version than this one, which knows ids below ${next}: upgrade this instance`
    await expect(codec.prepare?.(withId(next))).rejects.toThrow(upgrade)
    await expect(codec.prepare?.(withId(next))).rejects.toThrow(upgrade)
    await expect(codec.prepare?.(withId(next + 9_999))).rejects.toThrow('upgrade this instance')
    expect(() => codec.deserialize(withId(next))).toThrow(upgrade)
    expect(codec.prepare?.(eventBytes)).toBeUndefined()
  })

  it('waits for no bytes that only look like an id', () => {
    for (const id of [0, -1, next + 10_000, 0x7b7b7b7b, 0x7fffffff]) {
      expect(codec.prepare?.(withId(id))).toBeUndefined()
      expect(reasonOf(() => codec.deserialize(withId(id)))).toBe('unknown_schema')
    }
  })

  it("has no say about foreign writers' ids", () => {
    expect(makeCodecs(registry).prepareMessage).toBeUndefined()
  })
})
