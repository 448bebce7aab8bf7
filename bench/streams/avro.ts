/** Orders and customers as Avro records in the Confluent wire format, ids 1 and 2. */
import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import type { Serde } from '../../engine/index.ts'

export interface Order {
  readonly subtotal_cents: number
  readonly tax_cents: number
  readonly shipping_cents: number
  readonly is_test: boolean
  total_cents: number
  updated_at: number
  schema_rev: number
  ship_name: string
  channel: string
}

export interface Customer {
  readonly name: string
  readonly tier: string
}

const headerBytes = 5

function avroSerde<T>(file: string, id: number): Serde<T> {
  const text = readFileSync(new URL(file, schemaFolder()), 'utf8')
  const type = avsc.Type.forSchema(JSON.parse(text))
  const scratch = Buffer.alloc(8192)
  scratch.writeUInt32BE(id, 1)
  return {
    serialize(value) {
      const end = type.encode(value, scratch, headerBytes)
      if (end < 0) throw new Error('a record is larger than any of the generator')
      const bytes = Buffer.allocUnsafe(end)
      scratch.copy(bytes, 0, 0, end)
      return bytes
    },
    deserialize(bytes) {
      if (bytes === null || bytes[0] !== 0 || bytes[4] !== id) throw new Error(`not a value of schema ${id}`)
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      // The type follows from the schema.
      return type.decode(buffer, headerBytes).value as T
    },
  }
}

/** The schemas stand beside the source; the compiler does not copy them. */
function schemaFolder(): URL {
  return import.meta.url.includes('/dist/')
    ? new URL('../../../bench/streams/', import.meta.url)
    : new URL('./', import.meta.url)
}

export const orderSerde = (): Serde<Order> => avroSerde<Order>('order.avsc', 1)
export const customerSerde = (): Serde<Customer> => avroSerde<Customer>('customer.avsc', 2)
