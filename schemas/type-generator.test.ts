import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AvroField, AvroRecord } from './avro-schema.ts'
import { generatePayloadShapes } from './payload/shape-generator.ts'
import { readSchemaFolder, shippedSchemaFolder } from './schema-folder.ts'
import { generateTypes } from './type-generator.ts'

const record = (name: string, fields: readonly AvroField[], doc?: string): AvroRecord => ({
  type: 'record',
  name,
  ...(doc && { doc }),
  fields,
})
const generated = (path: string): string =>
  readFileSync(new URL(`./generated/${path}`, import.meta.url), 'utf8')
const one = (fields: readonly AvroField[]): string =>
  generateTypes([{ subject: 'a-value', version: 1, schema: record('A', fields) }])

describe('the generated files', () => {
  it('are what the schemas say: after changing one, run `npm run schemas`', () => {
    const files = readSchemaFolder(shippedSchemaFolder)
    expect(generated('types.ts')).toBe(generateTypes(files))
    expect(generated('payload-shapes.ts')).toBe(generatePayloadShapes(files))
  })
})

describe('a generated type', () => {
  it('says exactly what the codec takes and gives', () => {
    const text = one([
      { name: 'text', type: 'string' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'maybe', type: ['null', 'int'] },
      { name: 'raw', type: ['null', 'bytes'] },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['ONE', 'TWO'] } },
      { name: 'kinds', type: { type: 'array', items: ['null', 'Kind'] } },
      { name: 'ages', type: { type: 'map', values: 'long' } },
      { name: 'inner', type: record('Inner', [{ name: 'flag', type: 'boolean' }]) },
    ])
    expect(text).toContain(`export interface A {
  readonly text: string
  readonly at: number
  readonly maybe: number | null
  readonly raw: Uint8Array | null
  readonly kind: Kind
  readonly kinds: readonly (Kind | null)[]
  readonly ages: Readonly<Record<string, number>>
  readonly inner: Inner
}`)
    expect(text).toContain("export type Kind = 'ONE' | 'TWO'")
  })

  it('carries the docs and says what is secret', () => {
    expect(one([{ name: 'otp', type: 'string', doc: 'Opens the door.', pii: 'secret' }])).toContain(
      '  /** Opens the door. (secret) */\n  readonly otp: string',
    )
  })

  it('is emitted once when subjects share it, whatever the docs', () => {
    const shared = (doc: string) => record('Shared', [{ name: 'x', type: 'int', doc }])
    const text = generateTypes([
      { subject: 'a-value', version: 1, schema: record('A', [{ name: 's', type: shared('one') }]) },
      { subject: 'b-value', version: 1, schema: record('B', [{ name: 's', type: shared('two') }]) },
    ])
    expect(text.match(/interface Shared /g)).toHaveLength(1)
  })

  it('with one name and two shapes is an error that names both places', () => {
    const shared = (type: 'int' | 'string') => record('Shared', [{ name: 'x', type: ['null', type] }])
    const schemas = (['int', 'string'] as const).map((type, index) => ({
      subject: `${type}-value`,
      version: 1,
      schema: record(`R${index}`, [{ name: 's', type: shared(type) }]),
    }))
    expect(() => generateTypes(schemas)).toThrow(
      'string-value v1 and int-value v1 define Shared in two shapes',
    )
  })

  it('of an older version has a suffix where it differs, also through what it refers to', () => {
    const version = (inner: readonly AvroField[]) =>
      record('Event', [
        { name: 'inner', type: record('Inner', inner) },
        { name: 'same', type: record('Same', [{ name: 'y', type: 'int' }]) },
      ])
    const text = generateTypes([
      { subject: 'a-value', version: 1, schema: version([{ name: 'x', type: 'int' }]) },
      {
        subject: 'a-value',
        version: 2,
        schema: version([
          { name: 'x', type: 'int' },
          { name: 'z', type: 'int', default: 0 },
        ]),
      },
    ])
    expect(text).toContain('export interface EventV1 {\n  readonly inner: InnerV1\n  readonly same: Same\n}')
    expect(text).not.toContain('SameV1')
    expect(text).toContain("readonly 'a-value': Event\n")
  })
})
