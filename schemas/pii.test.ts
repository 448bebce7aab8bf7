import { describe, expect, it } from 'vitest'
import { type AvroRecord, namedTypes } from './avro-schema.ts'
import { endpointDefaults } from './endpoint-defaults.ts'
import { openFolderRegistry } from './folder-registry.ts'
import type { OrderEvent, PartnerConfig, Undecodable } from './generated/types.ts'
import { buildPayload } from './payload/fields.ts'
import { makePrivacy, maskText, piiFields } from './pii.ts'
import { readSchemaFolder, shippedSchemaFolder } from './schema-folder.ts'
import { exampleSource } from './testing/example-source.ts'

/** Fields that hold something secret or personal wherever they occur. */
const sensitiveNames = new Set(['otp', 'customer_name', 'customer_phone', 'secret', 'secrets', 'body'])

/** Sensitive fields of a schema without a tag, as `Record.field`. */
function untagged(schema: AvroRecord): string[] {
  return [...namedTypes(schema).values()].flatMap((type) =>
    type.type === 'record'
      ? type.fields
          .filter(
            (field) => sensitiveNames.has(field.name) && field.pii !== 'secret' && field.pii !== 'personal',
          )
          .map((field) => `${type.name}.${field.name}`)
      : [],
  )
}

describe('pii tags', () => {
  it.each(readSchemaFolder(shippedSchemaFolder))('stand on every sensitive field of $path', ({ schema }) => {
    expect(untagged(schema)).toEqual([])
  })

  it('are missed where they are missing (the check above can fail)', () => {
    const inner: AvroRecord = {
      type: 'record',
      name: 'Inner',
      fields: [{ name: 'otp', type: ['null', 'string'] }],
    }
    const schema: AvroRecord = {
      type: 'record',
      name: 'Outer',
      fields: [
        { name: 'list', type: { type: 'array', items: ['null', inner] } },
        { name: 'body', type: 'bytes', pii: 'secret' },
      ],
    }
    expect(untagged(schema)).toEqual(['Inner.otp'])
  })
})

describe('the fields of a subject', () => {
  const privacy = makePrivacy(openFolderRegistry())

  it('are given as paths, through records, lists and optional branches', () => {
    expect(privacy.fields('order.events-value')).toEqual([
      { path: ['payload', 'delivery', 'otp'], pii: 'secret' },
      { path: ['internal', 'customer_name'], pii: 'personal' },
      { path: ['internal', 'customer_phone'], pii: 'personal' },
    ])
    expect(privacy.fields('partner.config-value')).toEqual([
      { path: ['endpoints', '*', 'secrets'], pii: 'secret' },
      { path: ['endpoints', '*', 'signing_keys', '*', 'secret'], pii: 'secret' },
      { path: ['endpoints', '*', 'headers', '*', 'value'], pii: 'secret' },
      { path: ['endpoints', '*', 'client_certificate', 'private_key'], pii: 'secret' },
      { path: ['notice_channels', '*', 'target'], pii: 'personal' },
      { path: ['notice_channels', '*', 'secret'], pii: 'secret' },
    ])
    expect(privacy.fields('orders.changes-value').map(({ path }) => path.join('.'))).toEqual([
      'after.customer_name',
      'after.customer_phone',
    ])
    expect(privacy.fields('retry.tickets-value')).toEqual([])
  })

  it('of a recursive schema end', () => {
    const schema: AvroRecord = {
      type: 'record',
      name: 'Node',
      fields: [
        { name: 'otp', type: 'string', pii: 'secret' },
        { name: 'next', type: ['null', 'Node'] },
      ],
    }
    expect(piiFields(schema)).toEqual([{ path: ['otp'], pii: 'secret' }])
  })

  const event: OrderEvent = {
    payload: buildPayload(exampleSource('out_for_delivery', 'sealed:k1:AAAA')),
    internal: {
      customer_name: 'sealed:k1:BBBB',
      customer_phone: null,
      city: 'Pune',
      phone_last_digits: '210',
      source_commit_at: 1,
      by_hand: false,
    },
  }

  it('are masked, the rest is left, and the value itself too', () => {
    const before = structuredClone(event)
    const masked = privacy.maskSecrets('order.events-value', event)
    expect(masked).toEqual({
      payload: { ...event.payload, delivery: { ...event.payload.delivery, otp: maskText } },
      internal: { ...event.internal, customer_name: maskText },
    })
    expect(event).toEqual(before)
  })

  it('keep their shape when masked: lists stay lists, bytes bytes, null null', () => {
    const config: PartnerConfig = {
      ...{ partner_id: 'p', name: 'P', version: 1, notice_channels: [] },
      endpoints: [
        {
          ...{
            ...endpointDefaults,
            endpoint_id: 'e',
            url: 'https://e.example',
            payload_version: 'v2',
          },
          ...{
            secrets: ['sealed:k1:AAAA', 'sealed:k1:BBBB'],
          },
        },
      ],
    }
    expect(privacy.maskSecrets('partner.config-value', config).endpoints[0]?.secrets).toEqual([
      maskText,
      maskText,
    ])
    const undecodable: Undecodable = {
      ...{ topic: 't', partition: 0, offset: 0, timestamp: 0, reason: 'r', detail: 'd', at: 0, preview: '' },
      ...{ key_length: -1, value_length: 1, value_sha256: '', key: null, value: new Uint8Array([1]) },
    }
    const masked = privacy.maskSecrets('undecodable-value', undecodable)
    expect(masked.key).toBeNull()
    expect(masked.value).toEqual(Buffer.from(maskText))
  })
})
