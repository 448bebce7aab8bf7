import { describe, expect, it } from 'vitest'
import { makeCodec } from './codec.ts'
import { makeCodecs } from './codecs.ts'
import { SchemaError } from './errors.ts'
import { openFolderRegistry } from './folder-registry.ts'
import type { OrderEvent, OrderEventV1 } from './generated/types.ts'
import { buildPayload } from './payload/fields.ts'
import type { RegisteredSchema, Registry } from './registry.ts'
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

  it('the folder has nothing to fetch, so its codecs have nothing to prepare', () => {
    expect(makeCodec<OrderEvent>('order.events-value', registry).prepare).toBeUndefined()
  })
})
