import { type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { buildApi } from './app.ts'
import { nameOf } from './contract/fields.ts'
import { namedSchemas } from './document.ts'
import { errorTable } from './errors.ts'
import { testApi, testSurroundings } from './testing/test-api.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Record<string, Schema>
  readonly [key: string]: unknown
}
interface Parameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly description?: string
  readonly example?: unknown
  readonly schema: Schema
}
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly tags: string[]
  readonly security?: unknown[]
  readonly parameters?: Parameter[]
  readonly responses: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>
}
interface Document {
  readonly openapi: string
  readonly info: { title: string; version: string; license: object }
  readonly tags: { name: string }[]
  readonly security: object[]
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { schemas: Record<string, Schema>; securitySchemes: Record<string, object> }
}

const api = testApi()
const loaded = api.then(async ({ app }) => (await app.inject('/openapi.json')).json<Document>())
const operations = async () =>
  Object.entries((await loaded).paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )

/** Every object and array inside a value, itself included. */
function* parts(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return
  yield value as Record<string, unknown>
  for (const inner of Object.values(value)) yield* parts(inner)
}

describe('the OpenAPI document', () => {
  it('is of version 3.1 and says what a reader needs first', async () => {
    const document = await loaded
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Waybill', version: '0.0.0-test', license: { identifier: 'Apache-2.0' } },
      security: [{ token: [] }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    })
  })

  it('describes every route there is, and no other', async () => {
    const described = (await operations()).map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    const routes = (await api).routes
      .filter(({ name }) => !name.startsWith('HEAD '))
      .map(({ name }) => name.replaceAll(/:(\w+)/g, '{$1}'))
    expect(described.sort()).toEqual(routes.sort())
  })

  it('names, tags and explains every operation', async () => {
    const { tags } = await loaded
    const ids = (await operations()).map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { operation } of await operations()) {
      expect(operation.summary).toMatch(/^[A-Z]/)
      expect(operation.description).toMatch(/\.$/)
      expect(tags.map(({ name }) => name)).toEqual(expect.arrayContaining(operation.tags))
    }
  })

  it('gives every answer a description and a schema', async () => {
    for (const { path, operation } of await operations()) {
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect([path, status, description]).toEqual([path, status, expect.stringMatching(/\.$/)])
        const schemas = Object.values(content ?? {}).map(({ schema }) => schema)
        expect([path, status, schemas]).toEqual([path, status, [expect.any(Object)]])
        if (Number(status) >= 400 && path !== '/readyz') {
          expect(schemas).toEqual([{ $ref: '#/components/schemas/Error' }])
        }
      }
    }
  })

  it('declares the parameters of every path, each with a description', async () => {
    for (const { path, operation } of await operations()) {
      const parameters = operation.parameters ?? []
      const declared = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
      for (const parameter of parameters) {
        expect([path, parameter.name, parameter.description]).toEqual([
          path,
          parameter.name,
          expect.stringMatching(/\.$/),
        ])
        if (parameter.in === 'path') expect(parameter.required).toBe(true)
      }
    }
  })

  it('refers only to what is in it', async () => {
    const document = await loaded
    const references = [...parts(document)].map(({ $ref }) => $ref).filter((ref) => typeof ref === 'string')
    expect(references.length).toBeGreaterThan(50)
    for (const reference of references) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(String(reference))?.[1] ?? ''
      expect([reference, Object.keys(document.components.schemas).includes(name)]).toEqual([reference, true])
    }
    // What nobody refers to is a schema that was forgotten.
    const used = new Set(references.map((reference) => String(reference).split('/').at(-1)))
    expect(Object.keys(document.components.schemas).filter((name) => !used.has(name))).toEqual([])
  })

  it('uses the words of JSON Schema 2020-12 alone', async () => {
    const known =
      /^(\$ref|type|enum|properties|required|additionalProperties|patternProperties|items|anyOf|format|pattern|description|title|examples|default|minimum|maximum|minLength|maxLength)$/
    const document = await loaded
    const check = (schema: Schema, at: string): void => {
      for (const key of Object.keys(schema)) expect([at, key]).toEqual([at, expect.stringMatching(known)])
      expect(schema).not.toHaveProperty('nullable')
      for (const [name, inner] of Object.entries(schema.properties ?? {})) check(inner, `${at}.${name}`)
      const { items } = schema
      if (typeof items === 'object' && items !== null) check(items as Schema, `${at}[]`)
    }
    for (const [name, schema] of Object.entries(document.components.schemas)) check(schema, name)
    for (const { path, operation } of await operations()) {
      for (const { name, schema } of operation.parameters ?? []) check(schema, `${path}?${name}`)
    }
  })

  it('has examples that fit', async () => {
    const context = Object.fromEntries(namedSchemas.map((schema) => [`${nameOf(schema)}#`, schema]))
    let examples = 0
    for (const schema of namedSchemas as readonly (TSchema & { examples?: unknown[] })[]) {
      for (const example of schema.examples ?? []) {
        examples++
        expect([nameOf(schema), [...Value.Errors(context, schema, example)]]).toEqual([nameOf(schema), []])
      }
    }
    expect(examples).toBeGreaterThan(8)
    for (const { operation } of await operations()) {
      for (const { name, schema, example } of operation.parameters ?? []) {
        if (example === undefined) continue
        expect([name, Value.Check(Type.Unsafe(schema), example)]).toEqual([name, true])
      }
    }
    // The check itself can fail.
    const event = namedSchemas.find((schema) => nameOf(schema) === 'Event')
    expect(event && Value.Check(event, { event_id: 'x' })).toBe(false)
  })

  it('knows every status that the table of errors holds', async () => {
    const documented = new Set(
      (await operations()).flatMap(({ operation }) => Object.keys(operation.responses)),
    )
    for (const { status } of Object.values(errorTable)) expect(documented).toContain(String(status))
  })
})

describe('a route that does not say who may call it', () => {
  it('is refused when it is added', async () => {
    const app = buildApi((await testSurroundings()).options)
    expect(() => app.get('/v1/new', async () => ({}))).toThrow('GET /v1/new does not say who may call it')
  })
})
