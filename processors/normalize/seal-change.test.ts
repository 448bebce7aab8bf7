import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { normalizeRecord } from './normalize-record.ts'
import { sealChange } from './seal-change.ts'
import {
  assignmentRow,
  capturedRecord,
  envelope,
  mariadbSource,
  orderRow,
  testDecoder,
  testMapping,
  testSealer,
} from './testing/captured-message.ts'

const mapping = testMapping()
const seal = (topic: string, value: string | null) => sealChange(topic, value, mapping, testSealer)
const ordersTopic = 'cdc.oms.orders'
const assignmentsTopic = 'cdc.dispatch.assignments'

const parsedOf = (text: string | null) => {
  if (text === null) throw new Error('no text')
  return JSON.parse(text)
}

describe('sealChange', () => {
  it('seals names and phones in before and after, and nothing else', () => {
    const sealed = parsedOf(seal(ordersTopic, JSON.stringify(envelope())))
    for (const row of [sealed.before, sealed.after]) {
      expect(testSealer.open(row.customer_name)).toBe('Asha Verma')
      expect(testSealer.open(row.customer_phone)).toBe('+919876543210')
      expect(row.city).toBe('Pune')
    }
  })

  it('seals passwords, also those kept as numbers, and masks the phones of riders', () => {
    const value = JSON.stringify(envelope({ before: assignmentRow({ otp: 8821 }), after: assignmentRow() }))
    const sealed = parsedOf(seal(assignmentsTopic, value))
    expect(testSealer.open(sealed.before.otp)).toBe('8821')
    expect(testSealer.open(sealed.after.otp)).toBe('894819')
    expect(sealed.after.rider_phone).toBe('+91 98xxx xx233')
  })

  it('looks behind the schema', () => {
    const value = JSON.stringify({ schema: { name: 'otp' }, payload: envelope({ after: assignmentRow() }) })
    expect(testSealer.open(parsedOf(seal(assignmentsTopic, value)).payload.after.otp)).toBe('894819')
  })

  it('keeps every byte of the rest: spaces, 19-digit numbers, escapes, key order', () => {
    const value = `{ "op" : "u", "ts_ns":1795322369720864187,\n "source": {"connector":"mariadb","ts_ns":1795322369000000000},
      "after": {"note":"a \\"quoted\\" \\u00e9 }", "big": 9007199254740993, "customer_name" : "Asha" , "tail":[1,{"customer_name":"x"}]} }`
    const sealed = seal(ordersTopic, value) ?? ''
    const [, secret] = /"customer_name" : ("sealed:[^"]+")/.exec(sealed) ?? []
    expect(secret).toBeDefined()
    expect(sealed.replace(secret ?? '', '"Asha"')).toBe(value)
  })

  it('is not fooled by an escaped column name', () => {
    const value = `{"op":"c","source":{"connector":"mariadb"},"after":{"ot\\u0070":"894819"}}`
    expect(testSealer.open(parsedOf(seal(assignmentsTopic, value)).after.otp)).toBe('894819')
  })

  it('drops SQL text', () => {
    const value = JSON.stringify(
      envelope({ source: mariadbSource({ query: "UPDATE assignments SET otp='894819'" }) }),
    )
    expect(parsedOf(seal(ordersTopic, value)).source.query).toBeNull()
  })

  it('leaves null, blank and left-out values, tombstones and foreign topics', () => {
    const rows = { customer_name: null, customer_phone: '  ' }
    const value = JSON.stringify(envelope({ before: null, after: orderRow(rows) }))
    expect(seal(ordersTopic, value)).toBe(value)
    expect(seal(ordersTopic, null)).toBeNull()
    expect(seal('__debezium-heartbeat.oms', '{"ts_ms":1}')).toBe('{"ts_ms":1}')
    const leftOut = JSON.stringify(
      envelope({
        before: null,
        after: orderRow({ customer_name: '__debezium_unavailable_value', customer_phone: null }),
      }),
    )
    expect(seal(ordersTopic, leftOut)).toBe(leftOut)
  })

  it('changes nothing the second time', () => {
    const once = seal(assignmentsTopic, JSON.stringify(envelope({ before: null, after: assignmentRow() })))
    expect(seal(assignmentsTopic, once)).toBe(once)
  })

  it.each([
    ['no JSON', '{"after":{"otp":"894819"'],
    ['a flattened row', JSON.stringify(assignmentRow())],
    ['a list', '[{"otp":"894819"}]'],
  ])('seals %s whole, and it is refused further on', (_, value) => {
    const sealed = seal(assignmentsTopic, value) ?? ''
    expect(testSealer.open(sealed)).toBe(value)
    expect(seal(assignmentsTopic, sealed)).toBe(sealed)
    const result = normalizeRecord(capturedRecord({ topic: assignmentsTopic, value: sealed }), {
      mapping,
      seal: testSealer,
      decodeAvro: testDecoder,
    })
    expect(result).toMatchObject({ kind: 'undecodable' })
  })
})

describe('over the captured recordings', () => {
  const folder = new URL('../../test/fixtures/cdc/', import.meta.url)
  const lines = ['mariadb', 'mariadb/variants', 'postgres']
    .flatMap((name) =>
      readdirSync(new URL(`${name}/`, folder))
        .filter((file) => file.endsWith('.jsonl'))
        .flatMap((file) =>
          readFileSync(new URL(`${name}/${file}`, folder), 'utf8')
            .trim()
            .split('\n'),
        ),
    )
    .map((line) => JSON.parse(line))

  /** The secret values of a message, read by plain parsing. */
  const secretsOf = (message: { before?: object; after?: object; payload?: object }): string[] => {
    const body = (message.payload ?? message) as Record<string, Record<string, unknown> | null>
    return [body.before, body.after].flatMap((row) =>
      ['otp', 'customer_name', 'customer_phone', 'rider_phone'].flatMap((column) => {
        const value = row?.[column]
        return typeof value === 'string' && value.trim().length > 3 ? [JSON.stringify(value)] : []
      }),
    )
  }

  it('leaves no secret in any sealed message, and every message means what it meant', () => {
    let secrets = 0
    for (const line of lines) {
      if (line.value === null) continue
      const sealed = seal(line.topic, line.value) ?? ''
      for (const secret of secretsOf(JSON.parse(line.value))) {
        secrets += 1
        expect(sealed).not.toContain(secret)
      }
      const read = (value: string) =>
        withoutCiphers(
          normalizeRecord(capturedRecord({ ...line, value }), {
            mapping,
            seal: testSealer,
            decodeAvro: testDecoder,
          }),
        )
      expect(read(sealed)).toEqual(read(line.value))
    }
    // That there was something to seal.
    expect(secrets).toBeGreaterThan(1000)
  })

  /** Two seals of one text differ; what they hold does not. */
  const withoutCiphers = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_key, inner) =>
      typeof inner === 'string' && testSealer.isSealed(inner) ? `opened ${testSealer.open(inner)}` : inner,
    )
})
