/** For tests: schemas that are made to crash, hang or exhaust whoever reads them; each with a second version. */

/** Two versions, and whether the first is a schema. */
export interface HostileSchema {
  readonly texts: readonly [string, string]
  readonly valid: boolean
}

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const record = (fields: readonly unknown[], name = 'A') => ({ type: 'record', name, fields })
const both = (make: (version: number) => unknown, valid = true): HostileSchema => ({
  texts: [JSON.stringify(make(1)), JSON.stringify(make(2))],
  valid,
})

/** Nested by hand: `JSON.stringify` itself would run out of stack. */
const nested = (depth: number): HostileSchema => {
  const text = (inner: string) => `${'{"type":"array","items":'.repeat(depth)}"${inner}"${'}'.repeat(depth)}`
  return { texts: [text('int'), text('string')], valid: depth <= 1000 }
}

/** Each record holds the next one twice: the number of ways to the last doubles with each. */
const doubling = (depth: number) => (version: number) => {
  let type: unknown = version === 1 ? 'int' : 'string'
  for (let index = depth; index > 0; index--) {
    type = record(
      [
        { name: 'a', type },
        { name: 'b', type: index === depth ? type : `R${index + 1}` },
      ],
      `R${index}`,
    )
  }
  return type
}

/** A union of records that all could be meant. */
const alike = (count: number) => (version: number) =>
  many(count, (index) => record([{ name: version === 1 ? 'x' : 'y', type: 'int' }], `R${index}`))

/** Records that lead to each other in a circle: two circles of different length make as many pairs as their product. */
const circle = (length: number) =>
  many(length, (index) => index).reduceRight<unknown>(
    (next, index) => ({ ...record([{ name: 'next', type: ['null', next] }]), namespace: `n${index}` }),
    'n0.A',
  )

/** Hostile schemas by what they do. */
export const hostileSchemas: Readonly<Record<string, HostileSchema>> = {
  'a thousand levels': nested(999),
  'a hundred thousand levels': nested(100_000 / 4),
  'only opening brackets': { texts: ['['.repeat(500_000), '['.repeat(500_000)], valid: false },
  'ten thousand fields': both((version) =>
    record(many(10_000, (index) => ({ name: `f${version}_${index}`, type: ['null', 'string'] }))),
  ),
  'ten thousand fields that stay': both((version) =>
    record([
      ...many(10_000, (index) => ({ name: `f${index}`, type: ['null', 'string'], default: null })),
      ...many(version - 1, () => ({ name: 'new', type: 'int' })),
    ]),
  ),
  'a hundred thousand symbols': both((version) => ({
    type: 'enum',
    name: 'E',
    symbols: many(100_000, (index) => `S${version}_${index}`),
  })),
  'ten thousand records in a union': both(alike(10_000)),
  'ways that double': both(doubling(25)),
  'ten thousand definitions of one name': both(
    (version) =>
      record(
        many(10_000, (index) => ({ name: `f${index}`, type: { type: 'fixed', name: 'F', size: version } })),
      ),
    false,
  ),
  'a thousand fields of one name': both(() => record(many(1000, () => ({ name: 'x', type: 'int' }))), false),
  'ten thousand unknown types': both(
    () => record(many(10_000, (index) => ({ name: `f${index}`, type: `T${index}` }))),
    false,
  ),
  'names and aliases that clash': both((version) =>
    record(
      many(300, (index) => ({
        name: `f${index}`,
        type: 'int',
        aliases: many(300, (other) => `f${other + version}`),
      })),
    ),
  ),
  'circles of different length': both((version) => circle(244 - version)),
  'a record that is nothing but itself': both(() => record([{ name: 'self', type: 'A' }])),
  'a default as long as the text': both((version) =>
    record([
      {
        name: 'x',
        type: many(200, (index) =>
          record([{ name: 'x', type: { type: 'array', items: 'int' } }], `R${index}`),
        ),
        default: { x: [...many(100_000, () => version), 'no int'] },
      },
    ]),
  ),
  'an empty key, and one for the prototype': both(() => ({
    ...record([
      { name: '__proto__', type: 'int' },
      { name: 'constructor', type: 'int' },
    ]),
    '': 1,
    toString: 2,
  })),
  'a string of two million characters': {
    texts: [JSON.stringify({ type: 'x'.repeat(2_000_000) }), '"int"'],
    valid: false,
  },
}
