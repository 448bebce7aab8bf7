/** The six topologies, as small as they can be written. `bare` has no engine and is in `bare.ts`. */
import {
  defineTopic,
  rawBytes,
  type Serde,
  type Topic,
  type Topology,
  topologyBuilder,
  utf8,
} from '../../engine/index.ts'
import { customerSerde, type Order, orderSerde } from './avro.ts'

export type TopologyName = 'raw' | 'stateless' | 'join' | 'joinavro' | 'count'

export interface TopicNames {
  readonly input: string
  readonly table: string
  readonly output: string
}

const bytes = rawBytes as Serde<Uint8Array>

const kept = { retentionMs: -1 } as const
const source = <K, V>(name: string, key: Serde<K>, value: Serde<V>): Topic<K, V> =>
  defineTopic({ name, key, value, ...kept })
/** Stamped by the log, so that the rate is read from the output itself. */
const sink = <K, V>(name: string, key: Serde<K>, value: Serde<V>): Topic<K, V> =>
  defineTopic({ name, key, value, ...kept, timestampType: 'append' })

/** Eight bytes, big-endian. */
const int64: Serde<number> = {
  serialize(value) {
    const written = Buffer.allocUnsafe(8)
    written.writeUInt32BE(Math.floor(value / 2 ** 32), 0)
    written.writeUInt32BE(value >>> 0, 4)
    return written
  },
  deserialize(read) {
    if (read?.length !== 8) throw new Error('a count takes eight bytes')
    const view = new DataView(read.buffer, read.byteOffset, 8)
    return view.getUint32(0) * 2 ** 32 + view.getUint32(4)
  },
}

/** The topology's name is its group's: one for each run. */
export function makeTopology(name: TopologyName, run: string, topics: TopicNames): Topology {
  const builder = topologyBuilder(run)
  const { input, output, table } = topics
  switch (name) {
    case 'raw':
      builder
        .stream(source(input, bytes, bytes))
        .filter(({ value }) => value[0] === 0)
        .to(sink(output, bytes, bytes))
      break
    case 'stateless':
      builder
        .stream(source(input, bytes, orderSerde()))
        .filter(({ value }) => !value.is_test)
        .mapValues(changed)
        .to(sink(output, bytes, orderSerde()))
      break
    case 'join': {
      const customers = builder.table('customers', source(table, utf8, bytes))
      builder
        .stream(source(input, utf8, bytes))
        .join('joined', customers, concatenated)
        .to(sink(output, utf8, bytes))
      break
    }
    case 'joinavro': {
      // Kept as bytes and decoded for each order, as Java does from its store: a million decoded customers are 800 MB of
      // objects, which the garbage collector marks again every second or two.
      const customers = builder.table('customers', source(table, utf8, bytes))
      const decoder = customerSerde()
      builder
        .stream(source(input, utf8, orderSerde()))
        .join('joined', customers, (order, encoded) => {
          const customer = decoder.deserialize(encoded)
          const joined = changed(order)
          joined.ship_name = customer.name
          joined.channel = customer.tier
          return joined
        })
        .to(sink(output, utf8, orderSerde()))
      break
    }
    case 'count':
      builder
        .stream(source(input, utf8, bytes))
        .aggregate('counts', { initial: () => 0, add: (count) => count + 1, value: int64 })
        .changes()
        .mapValues((count) => count ?? 0)
        .to(sink(output, utf8, int64))
      break
  }
  return builder.build()
}

function concatenated(order: Uint8Array, customer: Uint8Array): Uint8Array {
  const joined = Buffer.allocUnsafe(order.length + customer.length)
  joined.set(order, 0)
  joined.set(customer, order.length)
  return joined
}

/** A new record: 35 values copied, three of them changed. */
function changed(order: Order): Order {
  const copy = { ...order }
  copy.total_cents = order.subtotal_cents + order.tax_cents + order.shipping_cents + 1
  copy.updated_at = order.updated_at + 1
  copy.schema_rev = order.schema_rev + 1
  return copy
}
