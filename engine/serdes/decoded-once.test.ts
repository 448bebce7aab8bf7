import { describe, expect, it } from 'vitest'
import { decodedOnce } from './decoded-once.ts'
import type { Serde } from './serde.ts'

const list: Serde<readonly string[]> = {
  serialize: (value) => Buffer.from(JSON.stringify(value)),
  deserialize: (bytes) => JSON.parse(String(bytes)),
}

describe('a serde that decodes once', () => {
  it('gives every reader of the same bytes the same value, and of equal bytes an equal one', () => {
    const serde = decodedOnce(list)
    const bytes = Buffer.from('["a"]')
    const value = serde.deserialize(bytes)
    expect(value).toEqual(['a'])
    expect(serde.deserialize(bytes)).toBe(value)
    const copied = serde.deserialize(Buffer.from(bytes))
    expect(copied).toEqual(value)
    expect(copied).not.toBe(value)
  })

  it('fails for each reader whose bytes cannot be decoded', () => {
    const serde = decodedOnce(list)
    const damaged = Buffer.from('[')
    expect(() => serde.deserialize(damaged)).toThrow(SyntaxError)
    expect(() => serde.deserialize(damaged)).toThrow(SyntaxError)
  })

  it('prepares as the one inside does', () => {
    const pending = Promise.resolve()
    const serde = decodedOnce({ ...list, prepare: () => pending })
    expect(serde.prepare?.(Buffer.from('[]'))).toBe(pending)
    expect(decodedOnce(list).prepare).toBeUndefined()
  })
})
