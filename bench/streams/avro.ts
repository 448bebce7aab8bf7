/** Orders and customers as Avro records in the Confluent wire format, ids 1 and 2. */
import { readFileSync } from 'node:fs'
import { avroSerde, type Serde } from '../../engine/index.ts'

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

function schemaIn(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, schemaFolder()), 'utf8'))
}

/** The schemas stand beside the source; the compiler does not copy them. */
function schemaFolder(): URL {
  return import.meta.url.includes('/dist/')
    ? new URL('../../../bench/streams/', import.meta.url)
    : new URL('./', import.meta.url)
}

export const orderSerde = (): Serde<Order> => avroSerde<Order>(schemaIn('order.avsc'), 1)
export const customerSerde = (): Serde<Customer> => avroSerde<Customer>(schemaIn('customer.avsc'), 2)
