import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { changeIdentity } from './change-identity.ts'
import { assignmentRow, envelope, mariadbSource, orderRow, testMapping } from './testing/captured-message.ts'

const mapping = testMapping()
const identity = (message: unknown, topic = 'cdc.oms.orders') =>
  changeIdentity(topic, typeof message === 'string' ? message : JSON.stringify(message), mapping)

describe('the identity of a change', () => {
  it('has the key that Debezium gives the record, for every recorded change', () => {
    for (const file of [
      'mariadb/04-odd-statements',
      'postgres/02-replica-identity-full',
      'postgres/03-replica-identity-default',
    ]) {
      const path = new URL(`../../test/fixtures/cdc/${file}.jsonl`, import.meta.url)
      const lines = readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
      for (const { topic, key, value } of lines.map((line) => JSON.parse(line))) {
        if (value !== null) expect(identity(value, topic).key, value).toBe(key)
      }
    }
  })

  it('has no key where a change names no row, and keeps large ids exact', () => {
    expect(identity(envelope({ op: 't', before: null, after: null })).key).toBeNull()
    const large = JSON.stringify(envelope()).replaceAll('"id":1101', '"id":9007199254740993')
    expect(identity(large).key).toBe('{"id":"9007199254740993"}')
  })

  it('tells changes apart by their place, and repeats by having the same', () => {
    const places = [
      identity(envelope()),
      identity(envelope({ op: 'd' })),
      identity(envelope({ source: mariadbSource({ row: 1 }) })),
      identity(envelope({ source: mariadbSource({ name: 'other' }) })),
      identity(envelope({ after: orderRow({ id: 1102 }) })),
      identity(envelope({ after: assignmentRow() }), 'cdc.dispatch.assignments'),
    ].map(({ position }) => position)
    expect(places).not.toContain(null)
    expect(new Set(places).size).toBe(places.length)
    expect(identity(envelope({ ts_ms: 1 })).position).toBe(places[0])
  })

  it('has no place for snapshot rows, nor for what cannot be read', () => {
    expect(identity(envelope({ op: 'r', source: mariadbSource({ snapshot: 'first' }) })).position).toBeNull()
    const nothing = { key: null, position: null }
    expect([identity('{'), identity({}), identity(envelope(), 'heartbeat')]).toEqual([
      nothing,
      nothing,
      nothing,
    ])
  })
})
