import { describe, expect, it } from 'vitest'
import { endpointDefaults } from './endpoint-defaults.ts'
import { openFolderRegistry } from './folder-registry.ts'

describe('the defaults of an endpoint', () => {
  it('are those of its schema, all of them', () => {
    const schema = JSON.parse(openFolderRegistry().latest('partner.config-value').text)
    const endpoints = schema.fields.find((field: { name: string }) => field.name === 'endpoints')
    const declared = endpoints.type.items.fields
      .filter((field: object) => 'default' in field)
      .map((field: { name: string; default: unknown }) => [field.name, field.default])
    expect(endpointDefaults).toEqual(Object.fromEntries(declared))
  })
})
