/**
 * Compiles an Avro record schema into a function that reads it and one that writes it. The code is generated, as by
 * every fast Avro library, so that a record is one object literal and a number one comparison: measured on 35 fields
 * and 500 bytes, two to three times the speed of a walk over the schema.
 *
 * Covers what event schemas are made of: records, enums, arrays, maps, the primitives, and unions of null with one of
 * them. Names are checked before they get near the generated code.
 */

import { UndecodableError } from '../serde.ts'
import {
  longRest,
  type Place,
  readBytes,
  readText,
  UnfitValue,
  writeBytes,
  writeLong,
  writeText,
} from './primitives.ts'
import { type AvroType, parseAvro } from './schema.ts'

export interface AvroCodec<T> {
  /** Reads one value that starts at `from` and ends where the bytes end. */
  read(bytes: Uint8Array, from: number): T
  /** Writes a value at `from` and returns where it ends, or -1 when there is not enough room. */
  write(bytes: Buffer, from: number, value: T): number
}

/** Throws when the schema holds something that is not covered. */
export function compileAvro<T>(schema: unknown): AvroCodec<T> {
  const type = parseAvro(schema)
  const names = makeNames()
  const constants = { truncated, UnfitValue, longRest, readText, readBytes, writeLong, writeText, writeBytes }
  const enums: string[][] = []
  const readBody = `
    const place = { at: 0 };
    const eight = new Uint8Array(8);
    const asDouble = new Float64Array(eight.buffer);
    const asFloat = new Float32Array(eight.buffer);
    return function read(b, latin1, p) {
      let x = 0;
      ${readingOf(type, 'result', names, enums)}
      place.at = p;
      this.at = p;
      return result;
    }`
  const writeBody = `
    return function write(b, p, value) {
      const room = b.length;
      ${writingOf(type, 'value', 'value', names, enums)}
      return p;
    }`
  const reader = generated(readBody, constants, enums) as (
    this: Place,
    bytes: Buffer,
    latin1: string,
    from: number,
  ) => T
  const writer = generated(writeBody, constants, enums) as (bytes: Buffer, from: number, value: T) => number
  const end: Place = { at: 0 }
  return {
    read(bytes, from) {
      const buffer = asBuffer(bytes)
      const value = reader.call(end, buffer, buffer.toString('latin1'), from)
      if (end.at > bytes.length) throw truncated()
      if (end.at < bytes.length) {
        throw new UndecodableError('trailing_bytes', `${bytes.length - end.at} bytes after a value`)
      }
      return value
    },
    write: writer,
  }
}

const truncated = () => new UndecodableError('truncated', 'the bytes end within a value')

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function generated(body: string, constants: Record<string, unknown>, enums: readonly string[][]): unknown {
  const make = new Function(...Object.keys(constants), 'enums', `'use strict';${body}`)
  return make(...Object.values(constants), enums)
}

function makeNames(): () => string {
  let count = 0
  return () => `v${count++}`
}

type Names = () => string

/** Statements that declare `into` and read it. */
function readingOf(type: AvroType, into: string, names: Names, enums: string[][]): string {
  const long = (name: string) =>
    `x = b[p++]; let ${name}; if (x < 128) ${name} = (x >>> 1) ^ -(x & 1); else if (x === undefined) throw truncated(); else { ${name} = longRest(b, x, p, place); p = place.at; }`
  switch (type.kind) {
    case 'null':
      return `const ${into} = null;`
    case 'boolean':
      return `const ${into} = b[p++] === 1;`
    case 'int':
    case 'long':
      return long(into)
    case 'float':
    case 'double': {
      // Through an aliased array: little-endian, as every machine that Node runs on.
      const size = type.kind === 'float' ? 4 : 8
      const moved = Array.from({ length: size }, (_, index) => `eight[${index}] = b[p + ${index}];`).join(' ')
      return `if (p + ${size} > b.length) throw truncated(); ${moved} p += ${size}; const ${into} = ${type.kind === 'float' ? 'asFloat' : 'asDouble'}[0];`
    }
    case 'string':
    case 'bytes': {
      const length = names()
      const call = type.kind === 'string' ? `readText(b, latin1, p, ${length})` : `readBytes(b, p, ${length})`
      return `${long(length)} const ${into} = ${call}; p += ${length};`
    }
    case 'enum': {
      const index = names()
      const symbols = enums.push([...type.symbols]) - 1
      return `${long(index)} const ${into} = enums[${symbols}][${index}]; if (${into} === undefined) throw truncated();`
    }
    case 'optional': {
      const branch = names()
      const inner = names()
      const isValue = type.nullFirst ? 1 : 0
      return `${long(branch)} let ${into} = null; if (${branch} === ${isValue}) { ${readingOf(type.of, inner, names, enums)} ${into} = ${inner}; } else if (${branch} !== ${1 - isValue}) throw truncated();`
    }
    case 'array':
    case 'map': {
      const [count, index, item, key] = [names(), names(), names(), names()]
      const size = names()
      const read = readingOf(type.of, item, names, enums)
      const keyed = type.kind === 'map'
      const each = keyed
        ? `${readingOf({ kind: 'string' }, key, names, enums)} ${read} ${into}[${key}] = ${item};`
        : `${read} ${into}.push(${item});`
      return `const ${into} = ${keyed ? '{}' : '[]'}; for (;;) { ${long(count)} if (${count} === 0) break; if (${count} < 0) { ${count} = -${count}; ${long(size)} } for (let ${index} = 0; ${index} < ${count}; ${index}++) { ${each} } }`
    }
    case 'record': {
      const fields = type.fields.map((field) => ({ ...field, local: names() }))
      const reads = fields.map(({ type: inner, local }) => readingOf(inner, local, names, enums)).join('\n')
      return `${reads}\nconst ${into} = { ${fields.map(({ name, local }) => `${name}: ${local}`).join(', ')} };`
    }
  }
}

/** Statements that write `value`, an expression, and move `p`. */
function writingOf(type: AvroType, value: string, path: string, names: Names, enums: string[][]): string {
  const unfit = (expected: string) => `throw new UnfitValue('${path}', '${expected}');`
  const long = (expression: string) =>
    `if (p + 10 > room) return -1; if (${expression} >= -64 && ${expression} < 64 && (${expression} | 0) === ${expression}) b[p++] = ((${expression} << 1) ^ (${expression} >> 31)); else p = writeLong(b, p, ${expression}, '${path}');`
  switch (type.kind) {
    case 'null':
      return `if (${value} !== null) ${unfit('null')}`
    case 'boolean':
      return `if (typeof ${value} !== 'boolean') ${unfit('true or false')} if (p >= room) return -1; b[p++] = ${value} ? 1 : 0;`
    case 'int':
    case 'long': {
      const local = names()
      const limit =
        type.kind === 'int' ? `if ((${local} | 0) !== ${local}) ${unfit('a 32-bit whole number')}` : ''
      return `const ${local} = ${value}; if (typeof ${local} !== 'number') ${unfit('a number')} ${limit} ${long(local)}`
    }
    case 'float':
      return `if (typeof ${value} !== 'number') ${unfit('a number')} if (p + 4 > room) return -1; p = b.writeFloatLE(${value}, p);`
    case 'double':
      return `if (typeof ${value} !== 'number') ${unfit('a number')} if (p + 8 > room) return -1; p = b.writeDoubleLE(${value}, p);`
    case 'string': {
      const local = names()
      return `const ${local} = ${value}; if (typeof ${local} !== 'string') ${unfit('a text')} if (p + 10 + ${local}.length * 3 > room) return -1; p = writeText(b, p, ${local}, '${path}');`
    }
    case 'bytes': {
      const local = names()
      return `const ${local} = ${value}; if (!(${local} instanceof Uint8Array)) ${unfit('bytes')} if (p + 10 + ${local}.length > room) return -1; p = writeBytes(b, p, ${local}, '${path}');`
    }
    case 'enum': {
      const index = names()
      const symbols = enums.push([...type.symbols]) - 1
      return `const ${index} = enums[${symbols}].indexOf(${value}); if (${index} < 0) ${unfit('one of its symbols')} ${long(index)}`
    }
    case 'optional': {
      const local = names()
      const [absent, present] = type.nullFirst ? [0, 2] : [2, 0]
      return `const ${local} = ${value}; if (p >= room) return -1; if (${local} === null) b[p++] = ${absent}; else { b[p++] = ${present}; ${writingOf(type.of, local, path, names, enums)} }`
    }
    case 'array': {
      const [local, item] = [names(), names()]
      return `const ${local} = ${value}; if (!Array.isArray(${local})) ${unfit('an array')} if (${local}.length > 0) { p = p + 10 > room ? room + 1 : writeLong(b, p, ${local}.length, '${path}'); if (p > room) return -1; for (const ${item} of ${local}) { ${writingOf(type.of, item, path, names, enums)} } } if (p >= room) return -1; b[p++] = 0;`
    }
    case 'map': {
      const [local, key, item] = [names(), names(), names()]
      const inner = `${writingOf({ kind: 'string' }, key, path, names, enums)} const ${item} = ${local}[${key}]; ${writingOf(type.of, item, path, names, enums)}`
      return `const ${local} = ${value}; if (typeof ${local} !== 'object' || ${local} === null) ${unfit('a map')} { const keys = Object.keys(${local}); if (keys.length > 0) { if (p + 10 > room) return -1; p = writeLong(b, p, keys.length, '${path}'); for (const ${key} of keys) { ${inner} } } } if (p >= room) return -1; b[p++] = 0;`
    }
    case 'record': {
      const local = names()
      const fields = type.fields.map(({ name, type: inner }) =>
        writingOf(inner, `${local}.${name}`, `${path}.${name}`, names, enums),
      )
      return `const ${local} = ${value}; if (typeof ${local} !== 'object' || ${local} === null) ${unfit('a record')}\n${fields.join('\n')}`
    }
  }
}
