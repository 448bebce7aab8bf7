import { describe, expect, it } from 'vitest'
import type { AvroRecord } from './avro-schema.ts'
import { parseAvroType } from './avro-types.ts'
import { readSchemaFolder, shippedSchemaFolder } from './schema-folder.ts'

const files = readSchemaFolder(shippedSchemaFolder)

/** What goes wrong when values written with one schema are read with the other, or nothing. */
function problem(writer: AvroRecord, reader: AvroRecord): string | undefined {
  try {
    parseAvroType(reader).createResolver(parseAvroType(writer))
    return undefined
  } catch (error) {
    return String(error)
  }
}

describe('the versions of a subject', () => {
  const pairs = files.flatMap((writer) =>
    files
      .filter((reader) => reader.subject === writer.subject && reader.version !== writer.version)
      .map((reader) => ({
        writer,
        reader,
        subject: writer.subject,
        from: writer.version,
        to: reader.version,
      })),
  )

  it.each(pairs)('$subject: a v$to reader reads what v$from wrote', ({ writer, reader }) => {
    expect(problem(writer.schema, reader.schema)).toBeUndefined()
  })

  it('that cannot read each other are found (the check above can fail)', () => {
    const version = (...fields: AvroRecord['fields']): AvroRecord => ({ type: 'record', name: 'A', fields })
    const one = version({ name: 'x', type: 'int' })
    expect(problem(one, version({ name: 'x', type: 'int' }, { name: 'y', type: 'int' }))).toContain(
      'default-less A.y',
    )
    expect(problem(one, version({ name: 'x', type: 'string' }))).toContain('cannot read')
  })
})

describe('a schema', () => {
  it.each(files)('is parsed whole, with no union that needs wrapping: $path', ({ schema }) => {
    expect(parseAvroType(schema).name).toBe(`${schema.namespace}.${schema.name}`)
    expect(schema.namespace).toBe('dev.waybill')
  })

  it('with a union that would need wrapping is refused', () => {
    const ambiguous: AvroRecord = {
      type: 'record',
      name: 'A',
      fields: [{ name: 'x', type: ['null', 'int', 'long'] }],
    }
    expect(() => parseAvroType(ambiguous)).toThrow('ambiguous')
  })
})
