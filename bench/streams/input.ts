/**
 * The input of the six topologies: orders of about 500 bytes over so many keys, and customers of about 198 bytes, each
 * key once. The same bytes on every machine, so that the outputs' checksums can be compared with any other engine's.
 */
import { type NewRecord, partitionFor } from '../../engine/index.ts'
import { avroBytes } from './avro-bytes.ts'
import { makeValues } from './random-values.ts'

export const partitions = 4
const ordersSeed = 20261122
const customersSeed = 424242
const startMs = 1_760_000_000_000

/** A record and the partition that it goes to. */
export interface Placed {
  readonly partition: number
  readonly record: NewRecord
}

const keyBytes = (index: number): Buffer => Buffer.from(`k${String(index).padStart(7, '0')}`, 'latin1')

const place = (key: Buffer, value: Buffer, timestamp: number): Placed => ({
  partition: partitionFor(key, partitions),
  record: { key, value, headers: [], timestamp },
})

const first = ['Anna', 'Boris', 'Clara', 'David', 'Elena', 'Farid', 'Greta', 'Hugo', 'Irene', 'Jonas']
const last = ['Schmidt', 'Novak', 'Okafor', 'Petersen', 'Ruiz', 'Tanaka', 'Weber', 'Young']
const cities = ['Hamburg', 'Lisbon', 'Gothenburg', 'Rotterdam', 'Valencia', 'Krakow', 'Toulouse', 'Edinburgh']
const countries = ['DE', 'PT', 'SE', 'NL', 'ES', 'PL', 'FR', 'GB']
const currencies = ['EUR', 'SEK', 'GBP', 'PLN']
const statuses = ['NEW', 'PAID', 'PACKED', 'SHIPPED', 'DELIVERED', 'CANCELLED']
const channels = ['web', 'mobile-app', 'store', 'call-centre', 'partner']
const carriers = ['DHL', 'UPS', 'PostNord', 'GLS']

/** So many orders with uniform keys, in order. The order of the draws below is the format: do not change it. */
export function* orders(count: number, keys: number): Generator<Placed> {
  const values = makeValues(ordersSeed)
  const out = avroBytes()
  for (let index = 0; index < count; index++) {
    const key = values.int(keys)
    writeOrder(out, values, index, key)
    yield place(keyBytes(key), out.end(), startMs + index)
  }
}

function writeOrder(
  { begin, long, text, double, bool, optional }: ReturnType<typeof avroBytes>,
  { int, pick, hex, words }: ReturnType<typeof makeValues>,
  index: number,
  key: number,
) {
  begin(1)
  const [firstName, lastName] = [pick(first), pick(last)]
  const subtotal = 500 + int(200_000)
  const tax = Math.floor(subtotal / 5)
  const shipping = int(2000)
  const status = int(6)
  const city = int(8)
  long(10_000_000 + index)
  const id = hex(32)
  text([id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-'))
  long(key)
  long(int(500))
  long(status)
  optional(status ? (statuses[status - 1] ?? '') : null, text)
  text(pick(currencies))
  for (const cents of [subtotal, tax, shipping, subtotal + tax + shipping]) long(cents)
  long(1 + int(12))
  double(int(50_000) / 1000)
  bool(int(10) === 0)
  bool(int(8) === 0)
  text(pick(channels))
  long(startMs + index - int(86_400_000))
  long(startMs + index)
  optional(int(3) ? startMs + index + int(604_800_000) : null, long)
  text(`${firstName} ${lastName}`)
  text(`${pick(last)}strasse ${1 + int(240)}`)
  text(cities[city] ?? '')
  text(hex(2))
  text(hex(6))
  text(countries[city] ?? '')
  text(`+49${String(1e9 + int(9e8))}`)
  text(`${firstName}.${lastName}.${int(100_000)}@example.net`.toLowerCase())
  optional(status >= 3 ? pick(carriers) : null, text)
  optional(status >= 3 ? `TRK${hex(18)}` : null, text)
  double(36 + int(2_000_000) / 100_000)
  double(-9 + int(3_000_000) / 100_000)
  optional(int(5) === 0 ? `SAVE${hex(4)}` : null, text)
  text(words(220 + int(66)))
  long(0x16b374d80 + index * 8)
  long(3)
}

/** Every customer once, shuffled. */
export function* customers(keys: number): Generator<Placed> {
  const values = makeValues(customersSeed)
  const order = Uint32Array.from({ length: keys }, (_, index) => index)
  for (let index = keys - 1; index > 0; index--) {
    const other = values.int(index + 1)
    const moved = order[index] ?? 0
    order[index] = order[other] ?? 0
    order[other] = moved
  }
  const out = avroBytes()
  for (const [index, key] of order.entries()) {
    writeCustomer(out, values, key)
    yield place(keyBytes(key), out.end(), startMs - 1_000_000 + Math.floor(index / 2))
  }
}

function writeCustomer(
  { begin, long, text, bool, optional }: ReturnType<typeof avroBytes>,
  { int, pick, words }: ReturnType<typeof makeValues>,
  key: number,
) {
  begin(2)
  const [firstName, lastName] = [pick(first), pick(last)]
  long(key)
  text(`${firstName} ${lastName}`)
  long(int(3))
  text(`${firstName}.${lastName}.${int(100_000)}@example.net`.toLowerCase())
  text(`+49${String(1e9 + int(9e8))}`)
  text(pick(countries))
  long(startMs - 2e9 - int(1e9))
  long(startMs - 1e9)
  long(int(1e6))
  bool(int(20) !== 0)
  optional(int(2) ? `segment-${int(40)}` : null, text)
  text(words(90 + int(30)))
}
