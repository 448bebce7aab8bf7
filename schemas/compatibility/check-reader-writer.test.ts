import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { checkReaderWriter, InvalidSchemaError } from './check-reader-writer.ts'

interface RecordedPair {
  readonly reader: unknown
  readonly writer: unknown
  readonly java: boolean
  readonly incompatibilities: readonly {
    readonly type: string
    readonly path: string
    readonly msg: string
  }[]
}

const file = new URL('../../test/fixtures/avro-compat/pairs.jsonl.gz', import.meta.url)
const pairs = gunzipSync(readFileSync(file))
  .toString('utf8')
  .trim()
  .split('\n')
  .map((line): RecordedPair => JSON.parse(line))

const record = (fields: readonly object[], more: object = {}) => ({
  type: 'record',
  name: 'A',
  fields,
  ...more,
})
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more })
const summary = (reader: unknown, writer: unknown) =>
  checkReaderWriter(reader, writer).map(({ type, path, message }) => `${type} ${path} ${message}`)

describe('the verdicts of Java on the recorded pairs', () => {
  it('are ours, kind by kind, at the same location, with the same text and in the same order', () => {
    expect(pairs.length).toBeGreaterThan(500)
    for (const { reader, writer, java, incompatibilities } of pairs) {
      const found = checkReaderWriter(reader, writer)
      expect(found.length === 0).toBe(java)
      expect(found.map(({ type, path, message }) => ({ type, path, msg: message }))).toEqual(
        incompatibilities,
      )
    }
  })

  it('cover all six kinds', () => {
    const kinds = new Set(pairs.flatMap(({ incompatibilities }) => incompatibilities.map(({ type }) => type)))
    expect([...kinds].sort()).toEqual([
      'FIXED_SIZE_MISMATCH',
      'MISSING_ENUM_SYMBOLS',
      'MISSING_UNION_BRANCH',
      'NAME_MISMATCH',
      'READER_FIELD_MISSING_DEFAULT_VALUE',
      'TYPE_MISMATCH',
    ])
  })
})

describe('reading with another schema', () => {
  it('finds everything, not the first thing', () => {
    const writer = record([field('a', 'int'), field('b', 'string'), field('c', 'long')])
    const reader = record([field('a', 'boolean'), field('b', 'int'), field('c', 'int'), field('d', 'int')])
    expect(summary(reader, writer)).toEqual([
      'TYPE_MISMATCH /fields/0/type reader type: BOOLEAN not compatible with writer type: INT',
      'TYPE_MISMATCH /fields/1/type reader type: INT not compatible with writer type: STRING',
      'TYPE_MISMATCH /fields/2/type reader type: INT not compatible with writer type: LONG',
      'READER_FIELD_MISSING_DEFAULT_VALUE /fields/3 d',
    ])
  })

  it('compares names without namespaces and takes aliases with them, as Java does', () => {
    expect(summary(record([], { namespace: 'x' }), record([], { namespace: 'y' }))).toEqual([])
    const renamed = (aliases: string[]) => record([], { name: 'B', namespace: 'x', aliases })
    expect(summary(renamed(['A']), record([], { namespace: 'x' }))).toEqual([])
    expect(summary(renamed(['A']), record([], { namespace: 'y' }))).toEqual([
      'NAME_MISMATCH /name expected: y.A',
    ])
    expect(summary(renamed(['y.A']), record([], { namespace: 'y' }))).toEqual([])
  })

  it('ends on schemas that refer to themselves', () => {
    const list = (type: string) =>
      record([field('value', type), field('next', ['null', 'A'], { default: null })])
    expect(summary(list('long'), list('int'))).toEqual([])
    expect(summary(list('int'), list('long'))).toHaveLength(1)
  })

  it('lists what is wrong with a type at each use, with the path of the first, as Java does', () => {
    const twice = (size: number) => record([field('a', { type: 'fixed', name: 'F', size }), field('b', 'F')])
    expect(summary(twice(1), twice(2))).toEqual([
      'FIXED_SIZE_MISMATCH /fields/0/type/size expected: 2, found: 1',
      'FIXED_SIZE_MISMATCH /fields/0/type/size expected: 2, found: 1',
    ])
  })

  it('says what a union hides: why the branch that was meant does not fit', () => {
    const nullable = (fields: object[]) => record([field('a', ['null', record(fields, { name: 'B' })])])
    const [hidden, ...others] = checkReaderWriter(
      nullable([field('x', 'int'), field('y', 'string')]),
      nullable([field('x', 'int')]),
    )
    expect(others).toEqual([])
    expect(hidden).toMatchObject({
      type: 'MISSING_UNION_BRANCH',
      path: '/fields/0/type/1',
      message: 'reader union lacking writer type: RECORD',
      causes: [
        {
          type: 'READER_FIELD_MISSING_DEFAULT_VALUE',
          message: 'y',
          readerPointer: '/fields/0/type/1/fields/1',
        },
      ],
    })
  })

  it('drills through unions within unions', () => {
    const inner = (type: string) =>
      record([field('x', ['null', { type: 'array', items: type }])], { name: 'B' })
    const outer = (type: string) => record([field('a', ['null', inner(type)])])
    const [found] = checkReaderWriter(outer('int'), outer('string'))
    expect(found?.causes[0]?.causes[0]).toMatchObject({
      type: 'TYPE_MISMATCH',
      readerPointer: '/fields/0/type/1/fields/0/type/1/items',
    })
  })

  it('refuses a field whose aliases match twice, where Java throws', () => {
    const reader = record([field('x', 'int', { aliases: ['a', 'b'] })])
    const writer = record([field('a', 'int'), field('b', 'int')])
    expect(summary(reader, writer)).toEqual([
      'NAME_MISMATCH /fields/0 reader field x matches multiple fields in writer record schema: a, b',
    ])
  })

  it('gives no verdict about what is no schema, and says which and where', () => {
    expect(() => checkReaderWriter(record([field('x', 'strnig')]), 'int')).toThrow(InvalidSchemaError)
    expect(() => checkReaderWriter('int', record([field('x', 'strnig')]))).toThrow(
      'the writer\'s schema is invalid: "strnig" is neither an Avro type nor defined in this schema at /fields/0/type',
    )
    expect(() => checkReaderWriter(null, 'int')).toThrow('null is no type at the top')
  })
})
