import { describe, expect, it } from 'vitest'
import { normalizeRecord, sourceTopicHeader } from './normalize-record.ts'
import type { NormalizeResult } from './outcomes.ts'
import {
  capturedRecord,
  envelope,
  mariadbSource,
  normalized,
  normalizedOrder,
  orderOf,
  orderRow,
  reasonOf,
  testDecoder,
  testMapping,
  testSealer,
} from './testing/captured-message.ts'

describe('what is put aside', () => {
  it('a tombstone, with and without a key', () => {
    expect(normalized({ value: null })).toEqual({ kind: 'ignored', why: 'tombstone' })
    expect(normalized({ value: null, key: null })).toEqual({ kind: 'ignored', why: 'tombstone' })
  })
  it('a logical message and topics without a block', () => {
    expect(normalized({ value: envelope({ op: 'm', before: null, after: null }) })).toEqual({
      kind: 'ignored',
      why: 'message',
    })
    expect(normalized({ topic: '__debezium-heartbeat.oms' })).toEqual({
      kind: 'ignored',
      why: 'unmapped_topic',
    })
  })
  it('a truncate, which has no key, is a word of its own', () => {
    const value = envelope({ op: 't', before: null, after: null })
    expect(normalized({ value, key: null })).toEqual({ kind: 'truncated' })
  })
  it('a change without a key is read from its row', () => {
    expect(orderOf(normalized({ key: null })).order_id).toBe('1101')
  })
})

describe('the topic a record was captured from', () => {
  it('stands in a header where it was appended under another name', () => {
    const parts = { topic: 'anything', headers: { [sourceTopicHeader]: 'cdcpg.oms.orders' } }
    expect(reasonOf(normalized(parts))).toBe('order')
    expect(reasonOf(normalized({ topic: 'anything' }))).toBe('ignored')
  })
})

describe('what cannot be read', () => {
  it.each<[string, NormalizeResult]>([
    ['not_json', normalized({ value: '{"before":' })],
    ['not_json', normalized({ value: '' })],
    ['not_an_envelope', normalized({ value: '[]' })],
    ['not_an_envelope', normalized({ value: '"text"' })],
    ['not_an_envelope', normalized({ value: orderRow() })],
    ['not_an_envelope', normalized({ value: { op: 'c', after: orderRow() } })],
    ['unknown_op', normalized({ value: envelope({ op: 'x' }) })],
    ['no_after', normalized({ value: { ...envelope(), after: null } })],
    ['no_after', normalized({ value: { op: 'u', source: mariadbSource() } })],
    ['unmapped_source', normalized({ value: envelope({ source: mariadbSource({ connector: 'oracle' }) }) })],
    ['no_order_id', normalizedOrder({ id: null })],
    ['no_order_id', normalizedOrder({ id: {} })],
    ['no_partner', normalizedOrder({ partner_id: null })],
    ['no_partner', normalizedOrder({ partner_id: ' ' })],
    ['unknown_status', normalizedOrder({ status: 'ON_HOLD' })],
    ['unknown_status', normalizedOrder({ status: null })],
    ['wrong_type', normalizedOrder({ status: 7 })],
    ['wrong_type', normalizedOrder({ city: 411001 })],
    ['wrong_type', normalizedOrder({ attempt_no: 'first' })],
    ['wrong_type', normalizedOrder({ attempt_no: 2 ** 40 })],
    ['wrong_type', normalizedOrder({ address_confirmed: 2 })],
    ['missing_column', normalizedOrder({ status_version: undefined })],
    ['missing_column', normalizedOrder({ city: undefined })],
    [
      'unavailable_value',
      normalized({
        value: envelope({ before: null, after: orderRow({ status: '__debezium_unavailable_value' }) }),
      }),
    ],
  ])('%s', (reason, result) => {
    expect(reasonOf(result)).toBe(reason)
  })

  it('not_utf8, and Avro of a schema that nobody knows', () => {
    const bytes = (value: Uint8Array) =>
      normalizeRecord(
        { ...capturedRecord(), value },
        {
          mapping: testMapping(),
          seal: testSealer,
          decodeAvro: testDecoder,
        },
      )
    expect(reasonOf(bytes(Uint8Array.of(0x7b, 0xff, 0xfe)))).toBe('not_utf8')
    expect(reasonOf(bytes(Uint8Array.of(0, 0x7f, 0, 0, 7, 1)))).toBe('unknown_schema')
  })

  it('framed Avro goes through the same way once it is decoded', () => {
    const options = { mapping: testMapping(), seal: testSealer, decodeAvro: () => envelope() }
    const result = normalizeRecord({ ...capturedRecord(), value: Uint8Array.of(0, 0, 0, 0, 7, 1) }, options)
    expect(orderOf(result).order_id).toBe('1101')
  })

  it('says nothing personal in the detail', () => {
    const details = [
      normalizedOrder({ customer_name: { first: 'Asha' } }),
      normalizedOrder({ customer_phone: ['+919876543210'] }),
      normalized({ value: '{"after":{"otp":"894819"' }),
    ].map((result) => (result.kind === 'undecodable' ? result.detail : 'read'))
    for (const detail of details) expect(detail).not.toMatch(/read|Asha|9876|8948/)
  })

  it.each([
    ['a phone with four digits', { customer_phone: '1234' }],
    ['a phone as a number', { customer_phone: 919876543210 }],
    ['a phone that is none', { customer_phone: 'N/A' }],
  ])('%s is no reason to refuse', (_, changes) => {
    expect(reasonOf(normalizedOrder(changes))).toBe('order')
  })
})
