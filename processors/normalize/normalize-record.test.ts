import { describe, expect, it } from 'vitest'
import type { AssignmentChange, OrderChange } from '../../schemas/index.ts'
import { defaultSource } from './default-source.ts'
import { normalizeRecord, sourceTopicHeader } from './normalize-record.ts'
import type { NormalizeResult } from './outcomes.ts'
import {
  assignmentRow,
  capturedRecord,
  envelope,
  mariadbSource,
  normalized,
  orderRow,
  testDecoder,
  testMapping,
  testSealer,
} from './testing/captured-message.ts'

const orderOf = (result: NormalizeResult): OrderChange => {
  if (result.kind !== 'order') throw new Error(JSON.stringify(result))
  return result.change
}
const assignmentsOf = (result: NormalizeResult): readonly AssignmentChange[] => {
  if (result.kind !== 'assignments') throw new Error(JSON.stringify(result))
  return result.changes
}
const withAfter = (changes: object) => normalized({ value: envelope({ after: orderRow({ ...changes }) }) })
const reasonOf = (result: NormalizeResult) => (result.kind === 'undecodable' ? result.reason : result.kind)

describe('an order change', () => {
  it('is read without the blanks with which PostgreSQL fills up a char(n)', () => {
    const { after } = orderOf(withAfter({ status: 'CONFIRMED      ', partner_id: 'acme-retail  ' }))
    expect(after).toMatchObject({ status: 'CONFIRMED', event: 'order_confirmed', partner_id: 'acme-retail' })
  })

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
    expect(orderOf(withAfter({ id: 'A-77', partner_id: 42 }))).toMatchObject({
      order_id: 'A-77',
      after: { partner_id: '42' },
    })
  })

  it('does not mind 19-digit times, decimals in base64 and columns it does not know', () => {
    const text = JSON.stringify(
      envelope({ after: orderRow({ cod_amount: 'Afue', slot: 'MORNING' }) }),
    ).replace('"ts_ms":1795322369897', '"ts_ms":1795322369897,"ts_ns":1795322369897684627')
    expect(orderOf(normalized({ value: text })).after?.status).toBe('CONFIRMED')
  })

  it.each([
    [0, false],
    [1, true],
    [true, true],
    [false, false],
    ['true', true],
    [null, null],
  ])('reads the boolean %j as %j', (written, read) => {
    expect(orderOf(withAfter({ address_confirmed: written })).after?.address_confirmed).toBe(read)
  })

  it('passes on what an ingest sealed, and derives the last digits from it', () => {
    const phone = testSealer.seal('+919876543210')
    const row = orderOf(withAfter({ customer_phone: phone })).after
    expect(row?.customer_phone).toBe(phone)
    expect(row?.phone_last_digits).toBe('210')
  })

  it('seals a name that only looks sealed, as any other name', () => {
    const name = orderOf(withAfter({ customer_name: 'sealed:k1:AAAA' })).after?.customer_name
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

  it.each(['true', 'first', 'first_in_data_collection', 'last', 'last_in_data_collection', 'incremental'])(
    'a row of a snapshot (%s) has no usable position',
    (snapshot) => {
      const change = orderOf(
        normalized({ value: envelope({ op: 'r', before: null, source: mariadbSource({ snapshot }) }) }),
      )
      expect(change.op).toBe('SNAPSHOT')
      expect(change.position).toMatchObject({ lineage: null, sequence: null, transaction_id: null })
    },
  )

  it('sees a snapshot row behind a transform that calls it a create', () => {
    const source = mariadbSource({ snapshot: 'true', gtid: null })
    expect(orderOf(normalized({ value: envelope({ op: 'c', before: null, source }) })).op).toBe('SNAPSHOT')
  })
})

describe('positions', () => {
  const positionWith = (source: object) => orderOf(normalized({ value: envelope({ source }) })).position

  it('orders PostgreSQL by LSN, and takes the transaction without the LSN that Debezium adds', () => {
    const source = {
      connector: 'postgresql',
      name: 'pg',
      ts_ms: 5,
      snapshot: 'false',
      lsn: 26703264,
      txId: 765,
    }
    expect(positionWith(source)).toMatchObject({
      source: 'postgresql:pg',
      lineage: 'lsn',
      sequence: 26703264,
      identity: '26703264|765|u|1101',
      transaction_id: '765',
    })
  })

  it('orders MySQL by the GTID of one server, and without GTID by file and offset', () => {
    const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
    const mysql = mariadbSource({ connector: 'mysql', gtid: `${uuid}:77` })
    expect(positionWith(mysql)).toMatchObject({ lineage: `gtid:${uuid}`, sequence: 77 })
    const bare = mariadbSource({ connector: 'mysql', gtid: null, file: 'mysql-bin.000123' })
    expect(positionWith(bare)).toMatchObject({
      lineage: 'server:223344:mysql-bin',
      sequence: 123,
      identity: '223344|mysql-bin.000123|15150|0|u|1101',
    })
  })

  it('has no lineage where the source says nothing usable', () => {
    expect(positionWith(mariadbSource({ gtid: null, file: null })).lineage).toBeNull()
  })
})

describe('an assignment change', () => {
  const assignment = (changes: object, mapping = testMapping()) =>
    normalized(
      {
        topic: 'cdc.dispatch.assignments',
        key: '{"id":5101}',
        value: envelope({ before: null, after: assignmentRow(), op: 'c', ...changes }),
      },
      mapping,
    )

  it('comes out keyed by its order, phone masked, password sealed', () => {
    const [change] = assignmentsOf(assignment({}))
    expect(change).toMatchObject({
      order_id: '1101',
      assignment_id: '5101',
      op: 'UPSERT',
      attempt_no: 1,
      rider_name: 'Ravi Kumar',
      rider_phone_masked: '+91 98xxx xx233',
      position: { identity: '0-223344-23|15150|0|c|5101' },
    })
    expect(testSealer.open(change?.otp ?? '')).toBe('894819')
    expect(JSON.stringify(change)).not.toMatch(/894819|9811122233/)
  })

  it('takes an empty or blank password for none', () => {
    const padded = assignmentsOf(assignment({ after: assignmentRow({ otp: '7777  ' }) }))[0]
    expect(testSealer.open(padded?.otp ?? ''), 'a char(6) of PostgreSQL').toBe('7777')
    expect(assignmentsOf(assignment({ after: assignmentRow({ otp: '' }) }))[0]?.otp).toBeNull()
    expect(assignmentsOf(assignment({ after: assignmentRow({ otp: '      ' }) }))[0]?.otp).toBeNull()
  })

  it('reads the order of a removed one out of a full row before', () => {
    const [change] = assignmentsOf(assignment({ op: 'd', before: assignmentRow(), after: null }))
    expect(change).toMatchObject({ op: 'REMOVED', order_id: '1101', assignment_id: '5101', otp: null })
  })

  it('does not believe order 0 of a row before that is not full', () => {
    const madeUp = { id: 5101, order_id: 0, attempt_no: 0, rider_name: null, rider_phone: null, otp: null }
    const source = { connector: 'postgresql', name: 'pg', ts_ms: 5, lsn: 7, txId: 1 }
    const removed = assignment({ op: 'd', before: madeUp, after: null, source })
    expect(removed).toEqual({ kind: 'ignored', why: 'removal_without_order' })
    expect(assignment({ op: 'd', before: { ...madeUp, updated_at: null }, after: null })).toEqual(removed)
    expect(assignment({ op: 'd', before: null, after: null })).toEqual(removed)
    // Another source may make up another order.
    expect(assignment({ op: 'd', before: { ...madeUp, order_id: 1 }, after: null, source })).toEqual(removed)
  })

  it('is removed from one order and added to another when it moves', () => {
    const moved = assignmentsOf(
      assignment({ op: 'u', before: assignmentRow(), after: assignmentRow({ order_id: 2202 }) }),
    )
    expect(moved.map(({ op, order_id }) => `${op} ${order_id}`)).toEqual(['REMOVED 1101', 'UPSERT 2202'])
  })
})

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

describe('bad input', () => {
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
    ['no_order_id', withAfter({ id: null })],
    ['no_order_id', withAfter({ id: {} })],
    ['no_partner', withAfter({ partner_id: null })],
    ['no_partner', withAfter({ partner_id: ' ' })],
    ['unknown_status', withAfter({ status: 'ON_HOLD' })],
    ['unknown_status', withAfter({ status: null })],
    ['wrong_type', withAfter({ status: 7 })],
    ['wrong_type', withAfter({ city: 411001 })],
    ['wrong_type', withAfter({ attempt_no: 'first' })],
    ['wrong_type', withAfter({ attempt_no: 2 ** 40 })],
    ['wrong_type', withAfter({ address_confirmed: 2 })],
    ['missing_column', withAfter({ status_version: undefined })],
    ['missing_column', withAfter({ city: undefined })],
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
      withAfter({ customer_name: { first: 'Asha' } }),
      withAfter({ customer_phone: ['+919876543210'] }),
      normalized({ value: '{"after":{"otp":"894819"' }),
    ].map((result) => (result.kind === 'undecodable' ? result.detail : 'read'))
    for (const detail of details) expect(detail).not.toMatch(/read|Asha|9876|8948/)
  })

  it.each([
    ['a phone with four digits', { customer_phone: '1234' }],
    ['a phone as a number', { customer_phone: 919876543210 }],
    ['a phone that is none', { customer_phone: 'N/A' }],
  ])('%s is no reason to refuse', (_, changes) => {
    expect(reasonOf(withAfter(changes))).toBe('order')
  })

  it.each([
    ['nonsense', 'soon'],
    ['a month 13', '2026-13-01T00:00:00Z'],
    ['no offset', '2026-11-22T04:39:29'],
    ['a number under a text form', 1795322369000],
    ['the zero date of a NOT NULL column', '1970-01-01T00:00:00Z'],
    ['an object', {}],
  ])('a date that is none (%s) becomes null and is counted', (_, updated_at) => {
    const result = withAfter({ updated_at })
    expect(orderOf(result).after?.updated_at).toBeNull()
    expect(result.kind === 'order' && result.badTimes).toBe(1)
  })

  it("takes PostgreSQL's infinity for no date", () => {
    const text = JSON.stringify(envelope()).replaceAll(
      '"sla_due_at":1795545000000',
      '"sla_due_at":9223372036825200000',
    )
    const result = normalized({ value: text })
    expect(orderOf(result).after?.sla_due_at).toBeNull()
  })
})

describe('values that the source left out as unchanged', () => {
  const left = '__debezium_unavailable_value'
  it('come from the row before where that has them', () => {
    expect(orderOf(withAfter({ city: left })).after?.city).toBe('Pune')
  })
  it('go on as such where it has not, unsealed, for ENRICH to fill in', () => {
    const value = envelope({
      before: null,
      after: orderRow({ city: left, customer_name: left, customer_phone: left }),
    })
    expect(orderOf(normalized({ value })).after).toMatchObject({
      city: left,
      customer_name: left,
      customer_phone: left,
      phone_last_digits: left,
    })
  })
})

describe('numbers that are none of ours', () => {
  it('become whole milliseconds, or nothing: a fraction that reached a topic would stop the instance', () => {
    expect(orderOf(withAfter({ return_pickup_eta: 1795545000000.5 })).after?.return_pickup_eta).toBe(
      1795545000000,
    )
    expect(orderOf(withAfter({ return_pickup_eta: 1e300 })).after?.return_pickup_eta).toBeNull()
  })
  it('leave the attempt before unknown; the row itself is what must be right', () => {
    for (const attempt of [1.5, 2 ** 40, {}]) {
      const value = envelope({ before: orderRow({ attempt_no: attempt }) })
      expect(orderOf(normalized({ value })).before?.attempt_no).toBeNull()
    }
  })
})

describe('the topic a record was captured from', () => {
  it('stands in a header where it was appended under another name', () => {
    const parts = { topic: 'anything', headers: { [sourceTopicHeader]: 'cdcpg.oms.orders' } }
    expect(reasonOf(normalized(parts))).toBe('order')
    expect(reasonOf(normalized({ topic: 'anything' }))).toBe('ignored')
  })
})
