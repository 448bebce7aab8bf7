import { describe, expect, it } from 'vitest'
import { defaultSource } from './default-source.ts'
import {
  envelope,
  mariadbSource,
  normalized,
  normalizedOrder,
  orderOf,
  orderRow,
  reasonOf,
  testMapping,
  testSealer,
} from './testing/captured-message.ts'

describe('an order change', () => {
  it('comes out typed, keyed, positioned and sealed', () => {
    const change = orderOf(normalized())
    expect(change).toMatchObject({
      order_id: '1101',
      op: 'UPDATE',
      previous_key: null,
      next_key: null,
      before: { status: 'NEW', event: null, attempt_no: 0 },
      position: {
        source: 'mariadb:oms',
        lineage: 'gtid:0',
        sequence: 23,
        offset_in_log: 15150,
        row: 0,
        identity: '0-223344-23|15150|0|u|1101',
        transaction_id: '0-223344-23',
        commit_at: 1795322369000,
      },
      after: {
        partner_id: 'acme-retail',
        status: 'CONFIRMED',
        event: 'order_confirmed',
        version: 1,
        attempt_no: 0,
        address_confirmed: true,
        phone_last_digits: '210',
        updated_at: Date.parse('2026-11-22T04:39:29.851Z'),
        sla_due_at: 1795545000000,
      },
    })
    expect(testSealer.open(change.after?.customer_name ?? '')).toBe('Asha Verma')
    expect(testSealer.open(change.after?.customer_phone ?? '')).toBe('+919876543210')
    expect(JSON.stringify(change)).not.toMatch(/Asha|9876543210/)
  })

  it('is the same with a schema around it', () => {
    const schema = { type: 'struct' }
    const change = orderOf(
      normalized({
        value: { schema, payload: envelope() },
        key: JSON.stringify({ schema, payload: { id: 1101 } }),
      }),
    )
    expect(change.before).toEqual({ status: 'NEW', event: null, attempt_no: 0 })
  })

  it('keeps numeric ids exact beyond 2^53, and takes text ids', () => {
    const text = JSON.stringify(envelope()).replaceAll('"id":1101', '"id":9007199254740993')
    expect(orderOf(normalized({ value: text })).order_id).toBe('9007199254740993')
    expect(orderOf(normalizedOrder({ id: 'A-77', partner_id: 42 }))).toMatchObject({
      order_id: 'A-77',
      after: { partner_id: '42' },
    })
  })

  it('does not take the digits behind a point or an exponent for such an id', () => {
    const columns = { lat: 0.1 + 0.2, lng: -77.12345678901234, share: 1 / 7e6 }
    const text = JSON.stringify(envelope({ after: orderRow(columns) }))
    expect(text).toMatch(/0\.30000000000000004/)
    const wide = text.replaceAll('"id":1101', '"id":9007199254740993')
    expect(orderOf(normalized({ value: wide })).order_id).toBe('9007199254740993')
  })

  it('does not mind 19-digit times, decimals in base64 and columns it does not know', () => {
    const row = orderRow({ cod_amount: 'Afue', slot: 'MORNING' })
    const text = JSON.stringify(envelope({ after: row, ts_ns: 0 })).replace(
      '"ts_ns":0',
      '"ts_ns":1795322369897684627',
    )
    expect(text).toContain('897684627')
    expect(orderOf(normalized({ value: text })).after?.status).toBe('CONFIRMED')
  })

  it('passes on what an ingest sealed, and derives the last digits from it', () => {
    const phone = testSealer.seal('+919876543210')
    const row = orderOf(normalizedOrder({ customer_phone: phone })).after
    expect(row?.customer_phone).toBe(phone)
    expect(row?.phone_last_digits).toBe('210')
  })

  it('seals a name that only looks sealed, as any other name', () => {
    const name = orderOf(normalizedOrder({ customer_name: 'sealed:k1:AAAA' })).after?.customer_name
    expect(testSealer.open(name ?? '')).toBe('sealed:k1:AAAA')
  })

  it('does not believe a before that is not full, or a status there that is not mapped', () => {
    const keyOnly = {
      ...defaultSource,
      sources: defaultSource.sources.map((source) => ({ ...source, before_image: 'key' })),
    }
    expect(orderOf(normalized({}, testMapping(keyOnly))).before).toBeNull()
    const onHold = envelope({ before: orderRow({ status: 'ON_HOLD' }) })
    expect(orderOf(normalized({ value: onHold })).before).toBeNull()
    expect(orderOf(normalized({ value: envelope({ before: null }) })).before).toBeNull()
  })
})

describe('deletes, keys and snapshots', () => {
  it('takes nothing but the key from a deleted row', () => {
    const change = orderOf(normalized({ value: envelope({ op: 'd', before: orderRow(), after: null }) }))
    expect(change).toMatchObject({
      order_id: '1101',
      op: 'DELETE',
      before: null,
      after: null,
      next_key: null,
    })
  })

  it('takes the key from the record when a delete has no row before', () => {
    const change = orderOf(normalized({ value: envelope({ op: 'd', before: null, after: null }) }))
    expect(change.order_id).toBe('1101')
  })

  it('names the other key on both halves of a key change', () => {
    const half = (op: string, header: string) =>
      orderOf(
        normalized({
          value: envelope(op === 'd' ? { op, after: null } : { op, before: null }),
          headers: { [header]: '{"id":2123}' },
        }),
      )
    expect(half('d', '__debezium.newkey')).toMatchObject({ next_key: '2123', previous_key: null })
    expect(half('c', '__debezium.oldkey')).toMatchObject({ previous_key: '2123', next_key: null })
  })

  it('refuses a key header that it cannot read, because it decides what fires', () => {
    const headers = { '__debezium.oldkey': 'nonsense' }
    expect(reasonOf(normalized({ value: envelope({ op: 'c', before: null }), headers }))).toBe(
      'bad_key_header',
    )
  })

  it('sees a snapshot row behind a transform that calls it a create', () => {
    const source = mariadbSource({ snapshot: 'true', gtid: null })
    expect(orderOf(normalized({ value: envelope({ op: 'c', before: null, source }) })).op).toBe('SNAPSHOT')
  })
})
