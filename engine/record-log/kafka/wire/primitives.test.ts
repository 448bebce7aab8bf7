import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Api, decodeReply, encodeRequest } from './api.ts'
import { WireError, WireReader, WireWriter } from './primitives.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the writer of Kafka primitives', () => {
  it('writes the plain dialect as the protocol has it', () => {
    const out = new WireWriter(1).begin(false)
    out.int8(-1).boolean(true).int16(-2).int32(3).int64(-4).string('é').string(null).bytes(null)
    out
      .bytes(Uint8Array.of(7))
      .array([1, 2], (to, n) => to.int8(n))
      .array(null, () => {})
      .tags()
    expect(hex(out.view())).toBe(
      'ff' +
        '01' +
        'fffe' +
        '00000003' +
        'fffffffffffffffc' +
        '0002c3a9' +
        'ffff' +
        'ffffffff' +
        '0000000107' +
        '000000020102' +
        'ffffffff',
    )
  })

  it('writes the flexible dialect as the protocol has it', () => {
    const out = new WireWriter(1).begin(true)
    out
      .string('é')
      .string(null)
      .bytes(null)
      .bytes(Uint8Array.of(7))
      .array([1, 2], (to, n) => to.int8(n))
    out
      .array(null, () => {})
      .uvarint(300)
      .tags()
    expect(hex(out.view())).toBe('03c3a9' + '00' + '00' + '0207' + '030102' + '00' + 'ac02' + '00')
  })

  it('starts over in the same memory', () => {
    const out = new WireWriter(64)
    out.begin(false).string('first')
    const memory = out.memory()
    out.begin(true).int8(1)
    expect(out.memory()).toBe(memory)
    expect(hex(out.view())).toBe('01')
  })
})

describe('the reader of Kafka primitives', () => {
  it('reads what was written, in both dialects', () => {
    const seed = 20_260_101
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.nat({ max: 0xffffffff }),
        fc.option(fc.string({ unit: 'grapheme' })),
        fc.option(fc.uint8Array()),
        fc.array(fc.string()),
        (flexible, int64, uvarint, string, bytes, array) => {
          const out = new WireWriter(1).begin(flexible)
          out.int64(int64).uvarint(uvarint).string(string).bytes(bytes)
          out.array(array, (to, item) => to.string(item)).tags()
          const from = new WireReader(out.copy(), flexible)
          expect(from.int64()).toBe(int64)
          expect(from.uvarint()).toBe(uvarint)
          expect(from.nullableString()).toBe(string)
          const read = from.nullableBytes()
          expect(read === null ? null : [...read]).toEqual(bytes === null ? null : [...bytes])
          expect(from.array((item) => item.string())).toEqual(array)
          from.tags()
          expect(from.remaining).toBe(0)
        },
      ),
      { seed },
    )
  })

  it('never reads past the end, however the bytes are damaged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, flexible) => {
        const from = new WireReader(Buffer.from(bytes), flexible)
        try {
          from.array((item) => [item.nullableString(), item.nullableBytes(), item.uvarint(), item.tags()])
          from.string()
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
        expect(from.remaining).toBeGreaterThanOrEqual(0)
      }),
      { seed: 20_260_102 },
    )
  })

  it('refuses a number that would be rounded', () => {
    expect(() => new WireReader(Buffer.from('7fffffffffffffff', 'hex'), false).int64()).toThrow(WireError)
    expect(new WireReader(Buffer.from('ffffffffffffffff', 'hex'), false).int64()).toBe(-1)
  })

  it('shows the tags of a structure to who asks, and passes over the rest', () => {
    const bytes = Buffer.from('02' + '0001aa' + '0502bbcc' + '11', 'hex')
    const seen: [number, number][] = []
    const from = new WireReader(bytes, true)
    from.tags((tag, value) => seen.push([tag, value.remaining]))
    expect(seen).toEqual([
      [0, 1],
      [5, 2],
    ])
    expect(from.int8()).toBe(0x11)
  })
})

describe('a request as a value', () => {
  const echo: Api<{ text: string }, string> = {
    name: 'Echo',
    key: 99,
    version: 3,
    flexible: true,
    encode: (out, { text }) => out.string(text).tags(),
    decode(from) {
      const text = from.string()
      from.tags()
      return text
    },
  }

  it('puts the tags of the flexible header before the body', () => {
    expect(hex(encodeRequest(new WireWriter(), echo, { text: 'x' }))).toBe('00' + '0278' + '00')
  })

  it('takes a reply only as a whole', () => {
    expect(decodeReply(echo, Buffer.from('00027800', 'hex'))).toBe('x')
    expect(() => decodeReply(echo, Buffer.from('0002780000', 'hex'))).toThrow(
      'the reply to Echo v3 cannot be read: 1 bytes are left over',
    )
    expect(() => decodeReply(echo, Buffer.from('000278', 'hex'))).toThrow(WireError)
  })
})
