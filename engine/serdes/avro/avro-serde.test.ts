import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { avroSerde } from './avro-serde.ts'
import { compileAvro } from './compile.ts'

const schema = {
  type: 'record',
  name: 'Everything',
  namespace: 'test',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'large', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'single', type: 'float' },
    { name: 'double', type: 'double' },
    { name: 'text', type: 'string' },
    { name: 'bytes', type: 'bytes' },
    { name: 'colour', type: { type: 'enum', name: 'Colour', symbols: ['RED', 'GREEN', 'BLUE'] } },
    { name: 'maybe', type: ['null', 'string'], default: null },
    { name: 'certain', type: ['long', 'null'], default: 0 },
    {
      name: 'inner',
      type: { type: 'record', name: 'Inner', fields: [{ name: 'colour', type: 'Colour' }] },
    },
    { name: 'inners', type: { type: 'array', items: 'test.Inner' } },
    { name: 'counts', type: { type: 'map', values: 'long' } },
    { name: 'nothing', type: 'null' },
  ],
}

/** Another implementation, to agree with. */
const reference = avsc.Type.forSchema(schema as avsc.Schema)
const serde = avroSerde<Record<string, unknown>>(schema, 7)

const colour = fc.constantFrom('RED', 'GREEN', 'BLUE')
/** avsc takes no more than ±(2^52 - 1). */
const long = fc.oneof(
  fc.maxSafeInteger().filter((value) => Math.abs(value) < 2 ** 52),
  fc.integer({ min: -200, max: 200 }),
  fc.constantFrom(2 ** 27, 2 ** 28 - 1, 2 ** 28, 2 ** 30, -(2 ** 30), 2 ** 31, -(2 ** 31) - 1, 2 ** 40),
)
const text = fc.string({ unit: 'grapheme', maxLength: 80 })
const value = fc.record({
  flag: fc.boolean(),
  small: fc.integer(),
  large: long,
  single: fc.float({ noNaN: true }),
  double: fc.double({ noNaN: true }),
  text: fc.oneof(text, fc.string({ unit: 'grapheme-ascii', maxLength: 300 })),
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  colour,
  maybe: fc.option(text),
  certain: fc.option(long),
  inner: fc.record({ colour }),
  inners: fc.array(fc.record({ colour }), { maxLength: 5 }),
  counts: fc.dictionary(
    fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'),
    long,
    {
      maxKeys: 4,
      noNullPrototype: true,
    },
  ),
  nothing: fc.constant(null),
})

const body = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).subarray(5)

describe('a compiled Avro codec', () => {
  it('writes what another implementation writes, and reads it back', () => {
    fc.assert(
      fc.property(value, (given) => {
        const bytes = serde.serialize(given)
        expect(Buffer.from(bytes ?? []).subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, 7]))
        expect(body(bytes)).toEqual(reference.toBuffer(given))
        expect(serde.deserialize(bytes)).toEqual({ ...reference.fromBuffer(body(bytes)) })
      }),
      { numRuns: 500 },
    )
  })

  it('never reads beyond bytes that were cut short, nor takes more than there is', () => {
    fc.assert(
      fc.property(value, fc.nat(), (given, cut) => {
        const bytes = Buffer.from(serde.serialize(given) ?? [])
        const short = bytes.subarray(0, 5 + (cut % Math.max(1, bytes.length - 5)))
        expect(() => serde.deserialize(short)).toThrow()
        expect(() => serde.deserialize(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(/1 bytes after/)
      }),
    )
  })

  it('ends, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          serde.deserialize(Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), noise]))
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('reads values that lie one behind the other in a slab, and grows for a large one', () => {
    const one = avroSerde<{ text: string }>(
      { type: 'record', name: 'One', fields: [{ name: 'text', type: 'string' }] },
      1,
    )
    const texts = [...Array.from({ length: 3000 }, (_, index) => `text ${index}`), 'x'.repeat(300_000), 'é']
    const written = texts.map((each) => one.serialize({ text: each }))
    expect(written.map((bytes) => one.deserialize(bytes).text)).toEqual(texts)
  })

  it('refuses what does not fit, by the name of the field and without its value', () => {
    const [given] = fc.sample(value, 1)
    const wrong = { flag: 1, small: 2 ** 31, large: 1.5, text: null, colour: 'secret', inner: null, maybe: 5 }
    for (const [field, bad] of Object.entries(wrong)) {
      const write = () => serde.serialize({ ...given, [field]: bad })
      expect(write).toThrow(new RegExp(`value.${field}.* must be`))
      expect(write).not.toThrow(/secret/)
    }
  })

  it('refuses another schema id, bytes of something else, and text that is not UTF-8', () => {
    const one = avroSerde({ type: 'record', name: 'One', fields: [{ name: 'text', type: 'string' }] }, 1)
    expect(() => one.deserialize(Buffer.from([0, 0, 0, 0, 2, 0]))).toThrow('schema id 2, expected 1')
    expect(() => one.deserialize(Buffer.from('{"a":1}'))).toThrow(/do not start/)
    expect(() => one.deserialize(null)).toThrow(/null/)
    expect(() => one.deserialize(Buffer.from([0, 0, 0, 0, 1, 2, 0xff]))).toThrow(/not valid UTF-8/)
    const long = Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 200, 1]), Buffer.alloc(100, 0xff)])
    expect(() => one.deserialize(long)).toThrow(/not valid UTF-8/)
  })

  it('says what it does not cover, and lets no name into the generated code that is none', () => {
    expect(() => compileAvro(['null', 'string', 'int'])).toThrow(/a union other than of null and one type/)
    expect(() => compileAvro({ type: 'fixed', name: 'F', size: 4 })).toThrow(/the type fixed is not covered/)
    const evil = { type: 'record', name: 'E', fields: [{ name: 'a;process.exit()', type: 'int' }] }
    expect(() => compileAvro(evil)).toThrow(/without a proper name/)
  })
})
