/**
 * Records of every version of order.events that was ever released, as the bytes that were written then. They are only
 * ever added to: what is in topics and archives stays readable, and every payload version is made from them.
 * `WAYBILL_RECORD=1 npx vitest run schemas/payload/golden-records.test.ts` records what is new, and changes nothing.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeCodec } from '../codec.ts'
import { openFolderRegistry } from '../folder-registry.ts'
import type { OrderEvent } from '../generated/types.ts'
import { readSchemaFolder, shippedSchemaFolder } from '../schema-folder.ts'
import { makeSealer } from '../sealing.ts'
import { exampleSource } from '../testing/example-source.ts'
import { buildPayload, type SentEvent, sentEvents } from './fields.ts'
import { isKnownTo, payloadVersions, renderBody } from './render.ts'

const folder = fileURLToPath(new URL('./golden-records/', import.meta.url))
const subject = 'order.events-value'
const registry = openFolderRegistry()
const sealer = makeSealer({
  keys: [{ id: 'k1', key: new Uint8Array(32).fill(7) }],
  active: 'k1',
  random: { bytes: (size) => new Uint8Array(size).fill(3) },
})
const released = readSchemaFolder(shippedSchemaFolder)
  .filter((file) => file.subject === subject)
  .map(({ version, text }) => ({ version, text }))
/** Events by the version of the schema that knows them. */
const expected = released.flatMap(({ version, text }) =>
  sentEvents
    .filter((event) => text.includes(`"${event}"`))
    .map((event) => ({ version, event, name: `${subject}.v${version}.${event}` })),
)

function recordOf(event: SentEvent, version: number): Uint8Array {
  const value: OrderEvent = {
    payload: buildPayload(exampleSource(event, sealer.seal('8821'))),
    internal: {
      ...{ customer_name: sealer.seal('Asha'), customer_phone: null, city: 'Pune', phone_last_digits: '210' },
      ...{ source_commit_at: Date.UTC(2026, 10, 22, 8, 30, 1), by_hand: false },
    },
  }
  return makeCodec<OrderEvent>(subject, registry, version).serialize(value)
}

if (process.env.WAYBILL_RECORD === '1') {
  mkdirSync(folder, { recursive: true })
  for (const { name, event, version } of expected) {
    if (existsSync(`${folder}${name}.avro`)) continue
    writeFileSync(`${folder}${name}.avro`, recordOf(event, version))
    const record = makeCodec<OrderEvent>(subject, registry).deserialize(readFileSync(`${folder}${name}.avro`))
    for (const payload of payloadVersions.filter((one) => isKnownTo(one, event))) {
      writeFileSync(`${folder}${name}.${payload}.body`, bodyOf(record, payload))
    }
  }
}

function bodyOf({ payload }: OrderEvent, version: (typeof payloadVersions)[number]): string {
  return `${Buffer.from(renderBody({ payload, version, open: sealer.open })).toString('utf8')}\n`
}

describe('the recorded bytes of every released version', () => {
  it('are there for every event that the version knows', () => {
    const records = readdirSync(folder).filter((name) => name.endsWith('.avro'))
    expect(records.sort()).toEqual(expected.map(({ name }) => `${name}.avro`).sort())
  })

  const bodies = expected.flatMap((one) =>
    payloadVersions
      .filter((payload) => isKnownTo(payload, one.event))
      .map((payload) => ({ ...one, payload })),
  )

  it.each(bodies)('$name gives the body $payload that was promised, to the byte', ({ name, payload }) => {
    const record = makeCodec<OrderEvent>(subject, registry).deserialize(readFileSync(`${folder}${name}.avro`))
    expect(bodyOf(record, payload)).toBe(readFileSync(`${folder}${name}.${payload}.body`, 'utf8'))
  })

  it('name in their first bytes the schema that they were written with', () => {
    for (const { name, version } of expected) {
      const bytes = readFileSync(`${folder}${name}.avro`)
      expect([bytes[0], bytes.readInt32BE(1)], name).toEqual([0, registry.idOf(subject, version)])
    }
  })

  it('of the oldest version give what partners of v1 get from the newest', () => {
    for (const { event } of expected.filter(({ version }) => version === 1)) {
      const [oldest, newest] = [1, released.at(-1)?.version].map((version) =>
        readFileSync(`${folder}${subject}.v${version}.${event}.v1.body`, 'utf8'),
      )
      expect(oldest, event).toBe(newest)
    }
  })
})
