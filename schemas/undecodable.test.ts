import { createHash, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeCodecs } from './codecs.ts'
import { openFolderRegistry } from './folder-registry.ts'
import { makeSealer } from './sealing.ts'
import {
  detailCharactersMax,
  keptKeyBytesMax,
  keptValueBytesMax,
  makeUndecodable,
  type RefusedInput,
  redactedPreview,
  undecodableKey,
} from './undecodable.ts'

const random = { bytes: (size: number): Uint8Array => webcrypto.getRandomValues(new Uint8Array(size)) }
const sealer = makeSealer({ keys: [{ id: 'k1', key: new Uint8Array(32).fill(1) }], active: 'k1', random })
const codec = makeCodecs(openFolderRegistry()).undecodable

/** Captured Debezium records; the file's own form is JSON lines of {topic, key, value, …}. */
const captured = ['02-happy-path', '03-attempts-and-returns', '05-values', 'variants/schemas-enabled']
  .flatMap((name) =>
    readFileSync(new URL(`../test/fixtures/cdc/mariadb/${name}.jsonl`, import.meta.url), 'utf8')
      .trim()
      .split('\n'),
  )
  .map((line) => JSON.parse(line) as { topic: string; key: string | null; value: string | null })
  .flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]))

const input = (more: Partial<RefusedInput> = {}): RefusedInput => ({
  topic: 'cdc.oms.orders',
  partition: 2,
  offset: 17,
  timestamp: 5,
  key: Buffer.from('{"id":1101}'),
  value: Buffer.from('{"after":{"otp":"8821"}}'),
  reason: 'unknown_status',
  detail: 'status is not in the mapping',
  at: 9,
  ...more,
})

/** Every text and number of some JSON. */
function contents(json: unknown): string[] {
  if (typeof json === 'string') return [json]
  if (typeof json === 'number') return [String(json)]
  if (typeof json !== 'object' || json === null) return []
  return Object.values(json).flatMap(contents)
}

/** The same of the rows alone, with or without the form that carries its schema. */
function rowContents(json: {
  before?: unknown
  after?: unknown
  payload?: { before?: unknown; after?: unknown }
}): string[] {
  const { before, after } = json.payload ?? json
  return contents([before, after])
}

describe('the record of a refused input', () => {
  it('says where it came from and what it was, and gives it back to who has the key', () => {
    const value = Buffer.from('{"after":{"otp":"8821"}}')
    const record = makeUndecodable(input({ value }), sealer)
    expect(codec.deserialize(codec.serialize(record))).toEqual(record)
    expect(record).toMatchObject({ topic: 'cdc.oms.orders', partition: 2, offset: 17, timestamp: 5, at: 9 })
    expect(record).toMatchObject({ key_length: 11, value_length: value.length })
    expect(record.value_sha256).toBe(createHash('sha256').update(value).digest('hex'))
    expect(Buffer.from(sealer.openBytes(record.value ?? new Uint8Array())).equals(value)).toBe(true)
    expect(Buffer.from(sealer.openBytes(record.key ?? new Uint8Array())).toString()).toBe('{"id":1101}')
  })

  it('keeps null apart from empty', () => {
    const none = makeUndecodable(input({ key: null, value: null }), sealer)
    expect(none).toMatchObject({ key: null, value: null, key_length: -1, value_length: -1, preview: '' })
    const empty = makeUndecodable(input({ value: new Uint8Array() }), sealer)
    expect(empty.value_length).toBe(0)
    expect(empty.value).not.toBeNull()
  })

  it('fits its topic whatever the size of the input, and still says how large that was', () => {
    const huge = Buffer.alloc(3_000_000, 'é')
    const record = makeUndecodable(input({ key: huge, value: huge, detail: '€'.repeat(10_000) }), sealer)
    const bytes = codec.serialize(record).length + (undecodableKey(huge)?.length ?? 0)
    expect(bytes).toBeLessThan(950_000)
    expect(record).toMatchObject({ key_length: huge.length, value_length: huge.length })
    expect(record.detail).toHaveLength(detailCharactersMax)
    expect(sealer.openBytes(record.value ?? new Uint8Array())).toHaveLength(keptValueBytesMax)
    expect(sealer.openBytes(record.key ?? new Uint8Array())).toHaveLength(keptKeyBytesMax)
  })

  it('of captured rows shows none of their content in its bytes', () => {
    for (const { key, value } of captured) {
      const bytes = Buffer.from(
        codec.serialize(
          makeUndecodable(input({ key: Buffer.from(key ?? ''), value: Buffer.from(value) }), sealer),
        ),
      ).toString('latin1')
      for (const content of rowContents(JSON.parse(value))) {
        // Shorter ones may be there by chance, in the sealed bytes and the hash; zeros look the same redacted.
        if (content.length >= 6 && /[^x0\W]/.test(content))
          expect(bytes.includes(content), content).toBe(false)
      }
    }
  })
})

describe('a preview', () => {
  it('shows the form of a change and none of its content', () => {
    const change =
      '{"before":null,"after":{"otp":"8821","name":"Zoë","ok":true},"op":"u","ts_ms":1795322369720}'
    expect(redactedPreview(Buffer.from(change))).toBe(
      '{"before":null,"after":{"xxx":"0000","name":"xxx","xx":true},"op":"x","ts_ms":0000000000000}',
    )
  })

  it('shows the columns that it is told of, where they stand as names', () => {
    const change = Buffer.from('{"after":{"status":"status","otp":"8821"}}')
    expect(redactedPreview(change, new Set(['status', 'otp']))).toBe(
      '{"after":{"status":"xxxxxx","otp":"0000"}}',
    )
  })

  it('holds no word and no digit of captured rows', () => {
    expect(captured.length).toBeGreaterThan(20)
    for (const { value } of captured) {
      const preview = redactedPreview(Buffer.from(value))
      expect(preview).toMatch(/^\{"(before|schema)":/)
      expect(preview).not.toMatch(/[1-9]/)
      for (const content of contents(JSON.parse(value))) {
        // Content that is x and 0 already looks the same redacted; the schema's own words are names as well.
        for (const word of content.match(/[A-Za-z]{4,}/g) ?? []) {
          if (
            !/^(after|before|true|false|null|type|field|fields|source|name|table|file|thread|query|optional|version|snapshot|connector|sequence|transaction|gtid)$/.test(
              word,
            )
          ) {
            expect(preview.includes(word), word).toBe(false)
          }
        }
      }
    }
  })

  it('of any bytes is made of x, 0, punctuation and the words that are allowed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const preview = redactedPreview(Buffer.from(text))
        expect(preview.replaceAll(/"\w+"(?=\s*:)/g, '').replaceAll(/true|false|null/g, '')).toMatch(
          /^[x0\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]*$/,
        )
      }),
      { numRuns: 500 },
    )
  })
})
