import { describe, expect, it } from 'vitest'
import { readSchemaFolder, shippedSchemaFolder } from '../schema-folder.ts'
import type { RuleId } from './rules.ts'
import { check } from './testing/subject-check.ts'

/** Our own newest schemas, by subject. */
const newest = [
  ...new Map(readSchemaFolder(shippedSchemaFolder).map((file) => [file.subject, file])).values(),
]

type Part = { [key: string]: unknown }

/** A change that somebody may make to a schema, and the rules that may answer. */
interface Mutation {
  readonly name: string
  readonly rules: readonly RuleId[]
  /** Makes the change at a part that allows it; says whether it could. */
  readonly change: (part: Part) => boolean
}

const fieldsOf = (part: Part): Part[] => (Array.isArray(part.fields) ? part.fields : [])
const isType = (part: Part, type: string): boolean => part.type === type && typeof part.name === 'string'

const mutations: readonly Mutation[] = [
  {
    name: 'a required field is added',
    rules: ['FIELD_NO_DEFAULT'],
    change: (part) =>
      isType(part, 'record') && fieldsOf(part).push({ name: 'added_by_test', type: 'string' }) > 0,
  },
  {
    name: 'a required field is removed',
    rules: ['FIELD_REMOVED'],
    change: (part) => {
      const at = fieldsOf(part).findIndex(
        ({ type, default: fallback }) => typeof type === 'string' && fallback === undefined,
      )
      return at >= 0 && fieldsOf(part).splice(at, 1).length > 0
    },
  },
  {
    name: 'a string becomes a boolean',
    rules: ['TYPE_CHANGED'],
    change: (part) => {
      const field = fieldsOf(part).find(
        ({ type, default: fallback }) => type === 'string' && fallback === undefined,
      )
      if (field) field.type = 'boolean'
      return field !== undefined
    },
  },
  {
    name: 'a nullable string becomes a string',
    rules: ['UNION_BRANCH_REMOVED'],
    change: (part) => {
      const field = fieldsOf(part).find(({ type }) => JSON.stringify(type) === '["null","string"]')
      if (!field) return false
      field.type = 'string'
      delete field.default
      return true
    },
  },
  {
    name: 'a string becomes nullable',
    rules: ['UNION_BRANCH_ADDED'],
    change: (part) => {
      const field = fieldsOf(part).find(
        ({ type, default: fallback }) => type === 'string' && fallback === undefined,
      )
      if (field) field.type = ['null', 'string']
      return field !== undefined
    },
  },
  {
    name: 'an enum without default gets a symbol',
    rules: ['ENUM_SYMBOL_ADDED'],
    change: (part) =>
      isType(part, 'enum') &&
      part.default === undefined &&
      Array.isArray(part.symbols) &&
      part.symbols.push('ADDED_BY_TEST') > 0,
  },
  {
    name: 'an enum without default loses a symbol',
    rules: ['ENUM_SYMBOL_REMOVED'],
    change: (part) =>
      isType(part, 'enum') &&
      part.default === undefined &&
      Array.isArray(part.symbols) &&
      part.symbols.pop() !== undefined,
  },
  {
    name: 'a record or enum gets another name',
    rules: ['NAME_CHANGED'],
    change: (part) => {
      if (!isType(part, 'record') && !isType(part, 'enum')) return false
      part.name = `${part.name}Renamed`
      return true
    },
  },
  {
    name: 'milliseconds become microseconds',
    rules: ['TIMESTAMP_UNIT_CHANGED'],
    change: (part) => {
      const was = part.logicalType
      if (was === 'timestamp-millis') part.logicalType = 'timestamp-micros'
      return was === 'timestamp-millis'
    },
  },
]

/** Every object of a schema that could be a part to change, with its pointer. */
function parts(json: unknown, pointer = ''): { readonly part: Part; readonly pointer: string }[] {
  if (!isPart(json)) return []
  const inner = Object.entries(json).flatMap(([key, value]) =>
    key === 'default' ? [] : parts(value, `${pointer}/${key}`),
  )
  return Array.isArray(json) ? inner : [{ part: json, pointer }, ...inner]
}

const isPart = (json: unknown): json is Part => typeof json === 'object' && json !== null

/** Names that are referred to elsewhere cannot change in one place alone. */
const refersTo = (text: string, name: unknown): boolean => text.split(`"${name}"`).length > 2

describe.each(mutations)('where $name', ({ rules, change }) => {
  it('in one of our own schemas, it is found, at the place that changed and nowhere else', () => {
    let made = 0
    for (const file of newest) {
      const count = parts(structuredClone(file.schema)).length
      for (let index = 0; index < count; index++) {
        const changed = structuredClone(file.schema)
        const { part, pointer } = parts(changed)[index] ?? { part: {}, pointer: '' }
        const was = part.name
        if (!change(part)) continue
        if (part.name !== was && refersTo(JSON.stringify(file.schema), was)) continue
        made++
        const { findings, problems } = check('FULL', file.schema, changed)
        const errors = findings.filter(({ severity }) => severity === 'error')
        // A default may name what is gone; that is found, too, and is another matter.
        if (problems.length > 0) continue
        expect(errors.map(({ rule }) => rule).filter((rule) => !rules.includes(rule))).toEqual([])
        expect(errors.length).toBeGreaterThan(0)
        for (const { place } of errors) {
          expect(place).toMatchObject({ file: 'order/v2.avsc', pointer: expect.stringContaining(pointer) })
        }
      }
    }
    expect(made).toBeGreaterThan(0)
  })
})

it('nothing is found in a schema that did not change', () => {
  for (const file of newest) {
    expect(check('FULL', file.schema, structuredClone(file.schema)).findings).toEqual([])
  }
})
