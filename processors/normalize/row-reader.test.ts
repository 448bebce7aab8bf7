import { describe, expect, it } from 'vitest'
import { envelope, normalized, normalizedOrder, orderOf, orderRow } from './testing/captured-message.ts'

describe('values of a row', () => {
  it('are read without the blanks with which PostgreSQL fills up a char(n)', () => {
    const { after } = orderOf(normalizedOrder({ status: 'CONFIRMED      ', partner_id: 'acme-retail  ' }))
    expect(after).toMatchObject({ status: 'CONFIRMED', event: 'order_confirmed', partner_id: 'acme-retail' })
  })

  it.each([
    [0, false],
    [1, true],
    [true, true],
    [false, false],
    ['true', true],
    [null, null],
  ])('that are boolean: %j is read as %j', (written, read) => {
    expect(orderOf(normalizedOrder({ address_confirmed: written })).after?.address_confirmed).toBe(read)
  })

  it.each([
    ['nonsense', 'soon'],
    ['a month 13', '2026-13-01T00:00:00Z'],
    ['no offset', '2026-11-22T04:39:29'],
    ['a number under a text form', 1795322369000],
    ['the zero date of a NOT NULL column', '1970-01-01T00:00:00Z'],
    ['an object', {}],
  ])('that are no date (%s) become null and are counted', (_, updated_at) => {
    const result = normalizedOrder({ updated_at })
    expect(orderOf(result).after?.updated_at).toBeNull()
    expect(result).toMatchObject({ badTimes: 1 })
  })

  it("that are PostgreSQL's infinity are no date either", () => {
    const text = JSON.stringify(envelope()).replaceAll(
      '"sla_due_at":1795545000000',
      '"sla_due_at":9223372036825200000',
    )
    const result = normalized({ value: text })
    expect(orderOf(result).after?.sla_due_at).toBeNull()
    expect(result).toMatchObject({ badTimes: 1 })
  })

  it('that are times become whole milliseconds, or nothing: a fraction that reached a topic would stop the instance', () => {
    expect(orderOf(normalizedOrder({ return_pickup_eta: 1795545000000.5 })).after?.return_pickup_eta).toBe(
      1795545000000,
    )
    expect(orderOf(normalizedOrder({ return_pickup_eta: 1e300 })).after?.return_pickup_eta).toBeNull()
  })

  it('that are no attempt leave the one before unknown; the row itself is what must be right', () => {
    for (const attempt of [1.5, 2 ** 40, {}]) {
      const value = envelope({ before: orderRow({ attempt_no: attempt }) })
      expect(orderOf(normalized({ value })).before?.attempt_no).toBeNull()
    }
  })
})

describe('values that the source left out as unchanged', () => {
  const left = '__debezium_unavailable_value'
  it('come from the row before where that has them', () => {
    expect(orderOf(normalizedOrder({ city: left })).after?.city).toBe('Pune')
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
