import { describe, expect, it } from 'vitest'
import type { AvroRecord } from './avro-schema.ts'
import { makeCodec } from './codec.ts'
import { openFolderRegistry } from './folder-registry.ts'
import type { OrderEvent } from './generated/types.ts'
import { buildPayload } from './payload/fields.ts'
import { exampleSource } from './testing/example-source.ts'
import { makeFindUnsealed } from './unsealed.ts'

const schema: AvroRecord = {
  type: 'record',
  name: 'A',
  fields: [
    { name: 'otp', type: ['null', 'string'], pii: 'secret' },
    { name: 'body', type: 'bytes', pii: 'secret' },
    { name: 'keys', type: { type: 'array', items: 'string' }, pii: 'secret' },
    {
      name: 'headers',
      type: {
        type: 'map',
        values: { type: 'record', name: 'H', fields: [{ name: 'value', type: 'string', pii: 'personal' }] },
      },
    },
    { name: 'open', type: 'string' },
  ],
}
const sealed = 'sealed:k1:AAAA'
const bytes = new Uint8Array([0x5e, 2, 0x6b, 0x31])
const sound = { otp: sealed, body: bytes, keys: [sealed], headers: { a: { value: sealed } }, open: 'x' }

describe('what a schema wants sealed', () => {
  const find = makeFindUnsealed(schema)

  it('passes when it is, or when there is nothing', () => {
    expect(find?.(sound)).toBeUndefined()
    expect(find?.({ ...sound, otp: null, body: new Uint8Array(), keys: [], headers: {} })).toBeUndefined()
  })

  it.each([
    ['otp', { otp: '8821' }],
    ['body', { body: new Uint8Array([0x7b]) }],
    ['keys', { keys: [sealed, 'whsec_x'] }],
    ['headers.*.value', { headers: { a: { value: sealed }, b: { value: 'Bearer x' } } }],
  ])('is found in clear in %s', (path, change) => {
    expect(find?.({ ...sound, ...change })).toBe(path)
  })

  it('costs nothing where nothing is tagged', () => {
    expect(
      makeFindUnsealed({ type: 'record', name: 'B', fields: [{ name: 'x', type: 'int' }] }),
    ).toBeUndefined()
  })

  it('is never written in clear: the codec refuses the value, and does not repeat it', () => {
    const codec = makeCodec<OrderEvent>('order.events-value', openFolderRegistry())
    const event = (otp: string): OrderEvent => ({
      payload: buildPayload(exampleSource('out_for_delivery', otp)),
      internal: {
        ...{ customer_name: null, customer_phone: null, city: null, phone_last_digits: null },
        ...{ source_commit_at: null, by_hand: false },
      },
    })
    expect(() => codec.serialize(event(sealed))).not.toThrow()
    expect(() => codec.serialize(event('8821'))).toThrow(/^(?!.*8821).*payload\.delivery\.otp must be sealed/)
  })
})
