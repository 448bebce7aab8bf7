import { describe, expect, it } from 'vitest'
import { schemaIdentity } from './schema-identity.ts'

/** A record in a namespace, whose second field names the type of the first one. */
const schema = (second: string, more: object = {}) =>
  schemaIdentity(
    JSON.stringify({
      ...{ type: 'record', name: 'Health', namespace: 'dev.waybill' },
      fields: [
        { name: 'hour', type: { type: 'record', name: 'Window', fields: [{ name: 'n', type: 'int' }] } },
        { name: 'day', type: second },
      ],
      ...more,
    }),
  )

describe('the identity of a schema', () => {
  it('is the same however names are put, and with other docs and another order', () => {
    expect(schema('Window')).toBe(schema('dev.waybill.Window'))
    expect(schema('Window')).toBe(schema('Window', { doc: 'other words' }))
    expect(schema('Window')).toBe(schema('Window', { name: 'dev.waybill.Health', namespace: undefined }))
    const list = (items: string) =>
      schemaIdentity(
        `{"type":"record","name":"a.R","fields":[{"name":"f","type":["null",{"items":"${items}","type":"array"}]}]}`,
      )
    expect(list('R')).toBe(list('a.R'))
  })

  it('is another for another schema, and none for what is no JSON', () => {
    expect(schema('Window')).not.toBe(schema('int'))
    expect(schema('Window')).not.toBe(schema('other.Window'))
    expect(schema('Window')).not.toBe(schema('Window', { namespace: 'dev.other' }))
    expect(schemaIdentity('{')).toBeUndefined()
  })
})
