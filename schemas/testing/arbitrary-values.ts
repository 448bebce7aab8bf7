/** For tests: random values of any schema, for properties that must hold for all of them. */
import fc from 'fast-check'
import {
  type AvroRecord,
  type AvroType,
  isPrimitive,
  isUnion,
  namedTypes,
  shortName,
} from '../avro-schema.ts'

/** Text that survives UTF-8: no lone surrogates. */
const text = fc.string({ unit: 'binary', maxLength: 20 })

/** The longs that our codecs take. */
const long = fc.integer({ min: -(2 ** 52), max: 2 ** 52 })

const primitives = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  long,
  float: fc.float({ noNaN: true }).map((value) => value + 0),
  double: fc.double({ noNaN: true }).map((value) => value + 0),
  string: text,
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
} as const

/** What stands in fields with a `pii` tag: a codec takes nothing else there. */
const sealed = {
  ...primitives,
  string: text.map((end) => `sealed:k1:${end}`),
  bytes: primitives.bytes.map((end) => Buffer.concat([Buffer.from([0x5e, 2, 0x6b, 0x31]), end])),
} as const

/** Values of a schema as the codec gives them back. */
export function arbitraryValue(schema: AvroRecord): fc.Arbitrary<Record<string, unknown>> {
  const types = namedTypes(schema)
  const ofType = (
    type: AvroType,
    simple: typeof primitives | typeof sealed = primitives,
  ): fc.Arbitrary<unknown> => {
    if (isUnion(type)) return fc.oneof(...type.map((branch) => ofType(branch, simple)))
    if (typeof type === 'string') {
      if (isPrimitive(type)) return simple[type]
      const named = types.get(shortName(type))
      if (!named) throw new Error(`no type ${type} in ${schema.name}`)
      return ofType(named)
    }
    switch (type.type) {
      case 'enum':
        return fc.constantFrom(...type.symbols)
      case 'array':
        return fc.array(ofType(type.items, simple), { maxLength: 4 })
      case 'map':
        return fc.dictionary(text, ofType(type.values, simple), { maxKeys: 4, noNullPrototype: true })
      case 'record':
        return ofRecord(type)
      default:
        return simple[type.type]
    }
  }
  const ofRecord = (record: AvroRecord): fc.Arbitrary<Record<string, unknown>> =>
    fc.record(
      Object.fromEntries(
        record.fields.map((field) => [field.name, ofType(field.type, field.pii ? sealed : primitives)]),
      ),
    )
  return ofRecord(schema)
}
