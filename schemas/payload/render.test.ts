import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSchema } from '../avro-schema.ts'
import { makeCodec } from '../codec.ts'
import { openFolderRegistry } from '../folder-registry.ts'
import { type PayloadVersion, payloadShapes } from '../generated/payload-shapes.ts'
import type { OrderEvent, OrderEventV1, OrderPayload, OrderPayloadV1 } from '../generated/types.ts'
import { makeSealer } from '../sealing.ts'
import { arbitraryValue } from '../testing/arbitrary-values.ts'
import { exampleSource } from '../testing/example-source.ts'
import { buildPayload, type PayloadSource, type SentEvent, sentEvents } from './fields.ts'
import {
  isKnownTo,
  isPayloadVersion,
  type Json,
  maskBody,
  payloadVersions,
  projectPayload,
  renderBody,
} from './render.ts'

const sealer = makeSealer({
  keys: [{ id: 'k1', key: new Uint8Array(32).fill(7) }],
  active: 'k1',
  random: { bytes: (size) => new Uint8Array(size).fill(3) },
})
const open = sealer.open
const registry = openFolderRegistry()
const eventsNow = makeCodec<OrderEvent>('order.events-value', registry)
const eventsV1 = makeCodec<OrderEventV1>('order.events-value', registry, 1)

const payloadOf = (event: SentEvent): OrderPayload => buildPayload(exampleSource(event, sealer.seal('8821')))

/** An order of which nothing optional is known. */
function bareSource(event: SentEvent): PayloadSource {
  return {
    ...exampleSource(event, ''),
    ...{ customer_id: null, sla_due_at: null, rider_name: null, rider_phone_masked: null, otp: null },
    ...{ eta_start: null, eta_end: null, delivered_at: null, address_confirmed: null, attempt_no: null },
    ...{ failure_reason_code: null, rescheduled_for: null, return_reason_code: null, return_condition: null },
    ...{ return_pickup_eta: null, order_sequence: null, previous_status: null, order_ref: null },
    enrichment_status: 'TIMED_OUT',
  }
}

const golden = (name: string): string =>
  readFileSync(new URL(`./golden/${name}.json`, import.meta.url), 'utf8')
const rendered = (payload: OrderPayload, version: PayloadVersion): string =>
  Buffer.from(renderBody({ payload, version, open })).toString('utf8')

/** A payload with times as text, as JSON has them, otherwise as decoded: the other way to the same body. */
function withIsoTimes(value: object, version: PayloadVersion): { [name: string]: Json } {
  const times = new Set<string>()
  const collect = (fields: (typeof payloadShapes)['v1'], prefix: string): void => {
    for (const field of fields) {
      if (field.kind === 'time') times.add(prefix + field.name)
      if (field.kind === 'group') collect(field.fields, `${prefix}${field.name}.`)
    }
  }
  collect(payloadShapes[version], '')
  const convert = (group: object, prefix: string): { [name: string]: Json } =>
    Object.fromEntries(
      Object.entries(group).map(([name, item]: [string, unknown]) => {
        if (typeof item === 'object' && item !== null) return [name, convert(item, `${prefix}${name}.`)]
        if (times.has(prefix + name) && typeof item === 'number') return [name, new Date(item).toISOString()]
        return [name, item as Json]
      }),
    )
  return convert(value, '')
}

/** The promise to v1 partners: decode the newest bytes with the v1 schema, then set the version. */
function throughAvroV1(payload: OrderPayload): OrderPayloadV1 {
  const internal = {
    customer_name: null,
    customer_phone: null,
    city: null,
    phone_last_digits: null,
    source_commit_at: null,
    by_hand: false,
  }
  return { ...eventsV1.deserialize(eventsNow.serialize({ payload, internal })).payload, schema_version: 'v1' }
}

describe('a rendered body', () => {
  const pairs = sentEvents.flatMap((event) => payloadVersions.map((version) => ({ event, version })))

  it.each(pairs.filter(({ event, version }) => isKnownTo(version, event)))(
    '$event $version is the golden file, to the byte',
    ({ event, version }) => {
      expect(`${rendered(payloadOf(event), version)}\n`).toBe(golden(`${event}.${version}`))
    },
  )

  it.each(payloadVersions)('with nothing optional known has every field, as null (%s)', (version) => {
    expect(`${rendered(buildPayload(bareSource('out_for_delivery')), version)}\n`).toBe(
      golden(`bare.${version}`),
    )
  })

  it('has a golden file for each pair and no others', () => {
    const known = pairs.filter(({ event, version }) => isKnownTo(version, event))
    const names = known.map(({ event, version }) => `${event}.${version}.json`)
    const files = readdirSync(new URL('./golden/', import.meta.url))
    expect(files.sort()).toEqual([...names, 'bare.v1.json', 'bare.v2.json'].sort())
  })

  it('is the same bytes each time', () => {
    const payload = payloadOf('out_for_delivery')
    expect(renderBody({ payload, version: 'v2', open })).toEqual(
      renderBody({ payload: { ...payload }, version: 'v2', open }),
    )
  })

  it('does not depend on the order of the fields in the value', () => {
    const payload = payloadOf('delivered')
    const shuffled = Object.fromEntries(Object.entries(payload).reverse()) as unknown as OrderPayload
    expect(rendered(shuffled, 'v2')).toBe(rendered(payload, 'v2'))
  })

  it('is not made when the one-time password cannot be opened', () => {
    const payload = payloadOf('out_for_delivery')
    const spoiled = { ...payload, delivery: { ...payload.delivery, otp: 'sealed:gone:AAAA' } }
    expect(() => renderBody({ payload: spoiled, version: 'v2', open })).toThrow('"gone"')
  })

  it('is never made of a field that is missing', () => {
    const { sla_due_at: _, ...rest } = payloadOf('delivered')
    expect(() => renderBody({ payload: rest as OrderPayload, version: 'v2', open })).toThrow('sla_due_at')
  })
})

describe('the projection to v1', () => {
  const plain = (payload: OrderPayload): OrderPayload => ({
    ...payload,
    // As it stands in topics; here it is opened to itself.
    delivery: { ...payload.delivery, otp: 'sealed:k1:AAAA' },
  })
  const asIs = (text: string): string => text

  it.each(sentEvents)('of %s is what a v1 reader decodes from v2 bytes, in the same order', (event) => {
    const payload = plain(payloadOf(event))
    const expected = withIsoTimes(throughAvroV1(payload), 'v1')
    expect(JSON.stringify(projectPayload({ payload, version: 'v1', open: asIs }))).toBe(
      JSON.stringify(expected),
    )
  })

  it('is that for every payload whatsoever', () => {
    const schema = parseSchema(registry.schemaOf(eventsId(2))?.text ?? '', 'order.events-value v2')
    const anyEvent = arbitraryValue(schema) as fc.Arbitrary<unknown> as fc.Arbitrary<OrderEvent>
    fc.assert(
      fc.property(anyEvent, ({ payload }) => {
        const expected = withIsoTimes(throughAvroV1(payload), 'v1')
        expect(JSON.stringify(projectPayload({ payload, version: 'v1', open: asIs }))).toBe(
          JSON.stringify(expected),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('of v2 is the whole payload', () => {
    for (const event of sentEvents) {
      const payload = plain(payloadOf(event))
      const expected = withIsoTimes({ ...payload, schema_version: 'v2' }, 'v2')
      expect(JSON.stringify(projectPayload({ payload, version: 'v2', open: asIs }))).toBe(
        JSON.stringify(expected),
      )
    }
  })

  const eventsId = (version: number): number => registry.idOf('order.events-value', version)
})

describe('what a version knows', () => {
  it('v1 the first five events, v2 return_picked_up as well', () => {
    expect(sentEvents.filter((event) => isKnownTo('v1', event))).toEqual(sentEvents.slice(0, 5))
    expect(sentEvents.filter((event) => isKnownTo('v2', event))).toEqual(sentEvents)
  })

  it('UNKNOWN is known to none and never rendered', () => {
    for (const version of payloadVersions) {
      expect(isKnownTo(version, 'UNKNOWN')).toBe(false)
      const payload: OrderPayload = { ...payloadOf('delivered'), event: 'UNKNOWN' }
      expect(() => renderBody({ payload, version, open })).toThrow('cannot say UNKNOWN')
    }
    expect(() => renderBody({ payload: payloadOf('return_picked_up'), version: 'v1', open })).toThrow(
      'isKnownTo',
    )
  })

  it('names of versions are told from other text', () => {
    expect([...payloadVersions, 'v3', '', 'constructor'].filter(isPayloadVersion)).toEqual(['v1', 'v2'])
  })
})

describe('a masked body', () => {
  it.each(payloadVersions)('is the same JSON without the one-time password (%s)', (version) => {
    const body = renderBody({ payload: payloadOf('out_for_delivery'), version, open })
    const masked = maskBody(body)
    expect(masked).not.toContain('8821')
    expect(masked.replace('••••••', '8821')).toBe(Buffer.from(body).toString('utf8'))
  })

  it.each([
    ['with quotes and backslashes in it', '88\\"21\\'],
    ['empty', ''],
    ['in other letters', 'пароль'],
  ])('shows nothing of a password %s', (_, otp) => {
    const body = Buffer.from(JSON.stringify({ rider: { name: 'otp' }, delivery: { otp, note: otp === '' } }))
    const { delivery } = JSON.parse(maskBody(body)) as { delivery: { otp: string; note: boolean } }
    expect(delivery).toEqual({ otp: '••••••', note: otp === '' })
  })

  it('masks a body that another renderer wrote, and leaves text alone that only speaks of one', () => {
    expect(maskBody(Buffer.from('{ "delivery" : { "otp" : "8821" } }'))).toBe('{"delivery":{"otp":"••••••"}}')
    const body = renderBody({
      payload: { ...payloadOf('delivered'), order_id: 'her "otp":"none" was' },
      version: 'v2',
      open,
    })
    expect(maskBody(body)).toBe(Buffer.from(body).toString('utf8'))
  })

  it('leaves null where there was none', () => {
    const body = renderBody({ payload: payloadOf('delivered'), version: 'v2', open })
    expect(maskBody(body)).toBe(Buffer.from(body).toString('utf8'))
  })
})
