import { describe, expect, it } from 'vitest'
import { schemaTextMax } from './json-reader.ts'
import { parseSchemaText } from './parse-schema-text.ts'

/** What is wrong with a text, as an editor would list it. */
const problems = (text: string) =>
  parseSchemaText(text, 'a.avsc').problems.map(
    ({ rule, place }) => `${place.line}:${place.column} ${rule}${place.pointer ? ` ${place.pointer}` : ''}`,
  )
const first = (text: string) => parseSchemaText(text, 'a.avsc').problems[0]
const lines = (...texts: string[]) => texts.join('\n')
const record = (...fields: string[]) => `{"type": "record", "name": "A", "fields": [\n${fields.join(',\n')}]}`

describe('a text that is JSON', () => {
  it('is read as JSON.parse reads it, with escapes, numbers and odd keys', () => {
    const text =
      '{"type":"record","name":"A","fields":[],"x":{"__proto__":1,"10":-1.5e3,"2":"\\u00e4\\n\\""},"y":[true,null]}'
    const read = parseSchemaText(text, 'a.avsc')
    expect(read).toMatchObject({ ok: true, problems: [] })
    expect(read.ok && JSON.stringify(read.schema)).toBe(JSON.stringify(JSON.parse(text)))
  })

  it('is placed by lines and columns, whatever ends the lines', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const read = parseSchemaText(
        `{"type": "record",${end}  "name": "A",${end}  "fields": [{"name": "x", "type": "int"}]}`,
        'a.avsc',
      )
      expect(read.positions.of('/name')).toEqual({ file: 'a.avsc', line: 2, column: 3, pointer: '/name' })
      expect(read.positions.of('/fields/0')).toMatchObject({ line: 3, column: 14 })
      expect(read.positions.of('/fields/0/type')).toMatchObject({ line: 3, column: 28 })
    }
  })

  it('has a place for what is not there: the nearest thing around it', () => {
    const { positions } = parseSchemaText(record('{"name": "x", "type": "int"}'), 'a.avsc')
    expect(positions.of('/fields/0/default')).toMatchObject({
      line: 2,
      column: 1,
      pointer: '/fields/0/default',
    })
    expect(positions.of('/fields/7/type')).toMatchObject({ line: 1, column: 33 })
    expect(positions.of('')).toMatchObject({ line: 1, column: 1 })
  })
})

describe('a text that is no JSON', () => {
  it.each([
    ['', '1:1 JSON_SYNTAX'],
    ['  \n ', '2:2 JSON_SYNTAX'],
    ['{"type": "int"', '1:1 JSON_SYNTAX'],
    ['{"type": "int"}\n}', '2:1 JSON_SYNTAX'],
    ['{"type" "int"}', '1:9 JSON_SYNTAX'],
    ['{type: "int"}', '1:2 JSON_SYNTAX'],
    ['["int" "long"]', '1:8 JSON_SYNTAX'],
    ['{"type": int}', '1:10 JSON_SYNTAX'],
    ["{'type': 'int'}", '1:2 JSON_SYNTAX'],
    ['{"type": "int\n"}', '1:10 JSON_SYNTAX'],
    ['{"type": "in\tt"}', '1:10 JSON_SYNTAX'],
    ['{"type": "\\x"}', '1:10 JSON_SYNTAX'],
    ['{"type": 01}', '1:11 JSON_SYNTAX'],
    ['{"type": NaN}', '1:10 JSON_SYNTAX'],
    ['/* never closed', '1:1 JSON_SYNTAX'],
  ])('%j is told at its place', (text, expected) => {
    expect(problems(text).at(-1)).toBe(expected)
  })

  it('is never taken where JSON.parse refuses, nor refused where it takes', () => {
    const texts = [
      '{"a":1}',
      '[1,]',
      '{"a":1,}',
      '"a',
      'tru',
      '1e',
      '-',
      '[[]]',
      '{"a"}',
      '\ufeff{}',
      '{}/**/',
      '"\\ud800"',
      '1.',
      '.5',
    ]
    for (const text of texts) {
      const strict = (() => {
        try {
          JSON.parse(text)
          return true
        } catch {
          return false
        }
      })()
      const json = problems(text).filter((problem) => problem.includes('JSON_'))
      expect([text, json.length === 0]).toEqual([text, strict])
    }
  })

  it('is read on behind a byte order mark, comments and commas too many, to find the rest', () => {
    const text = lines(
      '\ufeff{"type": "record", // the order',
      ' "name": "A",',
      ' "fields": [',
      '  {"name": "x", "type": "strng", "type": "string",},',
      '  /* later */ {"name": "y", "type": "nope"},',
      ' ]}',
    )
    expect(problems(text)).toEqual([
      '1:1 JSON_BOM',
      '1:21 JSON_COMMENT',
      '4:34 JSON_DUPLICATE_KEY',
      '4:50 JSON_TRAILING_COMMA',
      '5:3 JSON_COMMENT',
      '5:44 JSON_TRAILING_COMMA',
      '5:29 SCHEMA_UNKNOWN_TYPE /fields/1/type',
    ])
  })

  it('says what it found where something else was expected', () => {
    expect(first('{"type": string}')).toMatchObject({
      message: 'a value is expected, found "string"',
      mend: 'write "string" in quotes',
    })
    expect(first('{"a": 1')).toMatchObject({ message: 'the object that starts here is never closed' })
  })
})

describe('JSON that is no schema', () => {
  it.each([
    ['7', '1:1 SCHEMA_ATTRIBUTE_INVALID'],
    ['null', '1:1 SCHEMA_ATTRIBUTE_INVALID'],
    ['"Rider"', '1:1 SCHEMA_UNKNOWN_TYPE'],
    ['{"name": "A"}', '1:1 SCHEMA_ATTRIBUTE_MISSING'],
    ['{"type": {"type": "string"}}', '1:2 SCHEMA_ATTRIBUTE_INVALID /type'],
    ['{"type": "record", "fields": []}', '1:1 SCHEMA_ATTRIBUTE_MISSING'],
    ['{"type": "record", "name": "A"}', '1:1 SCHEMA_ATTRIBUTE_MISSING'],
    ['{"type": "record", "name": "A", "fields": {}}', '1:33 SCHEMA_ATTRIBUTE_INVALID /fields'],
    ['{"type": "record", "name": "order-event", "fields": []}', '1:20 SCHEMA_NAME_INVALID /name'],
    ['{"type": "record", "name": "string", "fields": []}', '1:20 SCHEMA_NAME_INVALID /name'],
    [
      '{"type": "record", "name": "A", "namespace": "1x", "fields": []}',
      '1:33 SCHEMA_NAME_INVALID /namespace',
    ],
    [
      '{"type": "record", "name": "A", "aliases": ["b-c"], "fields": []}',
      '1:45 SCHEMA_NAME_INVALID /aliases/0',
    ],
    ['{"type": "enum", "name": "E"}', '1:1 SCHEMA_ATTRIBUTE_MISSING'],
    ['{"type": "enum", "name": "E", "symbols": ["A", "A"]}', '1:48 SCHEMA_NAME_DUPLICATE /symbols/1'],
    ['{"type": "enum", "name": "E", "symbols": ["A-B"]}', '1:43 SCHEMA_NAME_INVALID /symbols/0'],
    [
      '{"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}',
      '1:49 SCHEMA_DEFAULT_INVALID /default',
    ],
    ['{"type": "fixed", "name": "F"}', '1:1 SCHEMA_ATTRIBUTE_MISSING'],
    ['{"type": "fixed", "name": "F", "size": "16"}', '1:32 SCHEMA_ATTRIBUTE_INVALID /size'],
    ['{"type": "fixed", "name": "F", "size": -1}', '1:32 SCHEMA_ATTRIBUTE_INVALID /size'],
    ['{"type": "array"}', '1:1 SCHEMA_ATTRIBUTE_MISSING'],
    ['{"type": "map"}', '1:1 SCHEMA_ATTRIBUTE_MISSING'],
    ['["null", ["int"]]', '1:10 SCHEMA_UNION_INVALID /1'],
    ['["null", "string", {"type": "string"}]', '1:20 SCHEMA_UNION_INVALID /2'],
    [record('{"name": "x"}'), '2:1 SCHEMA_ATTRIBUTE_MISSING /fields/0'],
    [record('{"type": "int"}'), '2:1 SCHEMA_ATTRIBUTE_MISSING /fields/0'],
    [record('7'), '2:1 SCHEMA_ATTRIBUTE_INVALID /fields/0'],
    [record('{"name": "x", "type": "int", "order": "up"}'), '2:30 SCHEMA_ATTRIBUTE_INVALID /fields/0/order'],
    [
      record('{"name": "x", "type": "int"}', '{"name": "x", "type": "int"}'),
      '3:2 SCHEMA_NAME_DUPLICATE /fields/1/name',
    ],
    [
      record(
        '{"name": "a", "type": {"type": "enum", "name": "E", "symbols": ["A"]}}',
        '{"name": "b", "type": {"type": "fixed", "name": "E", "size": 1}}',
      ),
      '3:41 SCHEMA_NAME_DUPLICATE /fields/1/type/name',
    ],
    [
      record(
        '{"name": "a", "type": "E"}',
        '{"name": "b", "type": {"type": "fixed", "name": "E", "size": 1}}',
      ),
      '2:15 SCHEMA_FORWARD_REFERENCE /fields/0/type',
    ],
  ])('%j is told at its place', (text, expected) => {
    expect(problems(text)).toContain(expected)
  })

  it('knows what people mean who come from elsewhere', () => {
    expect(first(record('{"name": "at", "type": "timestamp"}'))?.mend).toContain('timestamp-millis')
    const elsewhere = record(
      '{"name": "a", "type": {"type": "fixed", "name": "F", "namespace": "x", "size": 1}}',
      '{"name": "b", "type": "F"}',
    )
    expect(first(elsewhere)?.mend).toBe('write "x.F": the type of that name is in another namespace')
  })
})

describe('a default', () => {
  it.each([
    ['"int"', '"x"', 'the text "x" where the type is int'],
    ['"int"', '2147483648', 'the number 2147483648 where the type is int'],
    ['"long"', '1.5', 'the number 1.5 where the type is long'],
    ['"boolean"', '"true"', 'the text "true" where the type is boolean'],
    ['"string"', 'null', 'null where the type is string'],
    ['"bytes"', '"\\u0100"', 'where the type is bytes'],
    ['["null", "string"]', '"x"', 'the default fits string, which is not the first type of the union'],
    ['["string", "null"]', 'null', 'the default fits null, which is not the first type of the union'],
    ['{"type": "array", "items": "int"}', '[1, "a"]', 'the text "a" where the type is int'],
    ['{"type": "map", "values": "int"}', '{"k": null}', 'null where the type is int'],
    ['{"type": "enum", "name": "E", "symbols": ["A"]}', '"B"', 'where the type is enum E'],
    ['{"type": "fixed", "name": "F", "size": 2}', '"abc"', 'where the type is fixed F'],
    ['{"type": "record", "name": "B", "fields": [{"name": "y", "type": "int"}]}', '{}', 'lacks "y"'],
  ])('of %s may not be %s', (type, fallback, message) => {
    const found = first(record(`{"name": "x", "type": ${type}, "default": ${fallback}}`))
    expect(found).toMatchObject({ rule: 'SCHEMA_DEFAULT_INVALID', place: { line: 2 } })
    expect(found?.message).toContain(message)
  })

  it('is pointed at inside of lists and records', () => {
    expect(
      problems(record('{"name": "x", "type": {"type": "array", "items": "int"}, "default": [1, "a"]}')),
    ).toEqual(['2:73 SCHEMA_DEFAULT_INVALID /fields/0/default/1'])
  })

  it('may leave out fields that have their own, and be null where null comes first', () => {
    const inner =
      '{"type": "record", "name": "B", "fields": [{"name": "y", "type": ["null", "int"], "default": null}]}'
    expect(problems(record(`{"name": "x", "type": ${inner}, "default": {}}`))).toEqual([])
  })
})

describe('a logical type that is ignored', () => {
  it.each([
    ['{"type": "string", "logicalType": "timestamp-millis"}', '"timestamp-millis" on string is ignored'],
    ['{"type": "bytes", "logicalType": "decimal"}', 'without a precision'],
    [
      '{"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 4}',
      'a scale of 4 with a precision of 2',
    ],
    [
      '{"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal", "precision": 9}',
      '2 bytes do not hold 9 digits',
    ],
  ])('%s is a warning', (type, message) => {
    const read = parseSchemaText(type, 'a.avsc')
    expect(read).toMatchObject({
      ok: true,
      problems: [{ rule: 'SCHEMA_LOGICAL_TYPE_INVALID', severity: 'warning' }],
    })
    expect(read.problems[0]?.message).toContain(message)
  })

  it("is none of our business when it is a vendor's own", () => {
    expect(problems('{"type": "string", "logicalType": "sealed"}')).toEqual([])
  })
})

it('a text beyond what a registry could keep is refused without being read', () => {
  expect(problems(' '.repeat(schemaTextMax + 1))).toEqual(['1:1 SCHEMA_TOO_LARGE'])
})
