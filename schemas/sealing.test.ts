import { webcrypto } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SealingError } from './errors.ts'
import { newKeyFile, parseKeyFile, serializeKeyFile } from './key-file.ts'
import { makeSealer, sealedBytesLength } from './sealing.ts'

const random = { bytes: (size: number): Uint8Array => webcrypto.getRandomValues(new Uint8Array(size)) }
const key = (id: string, fill: number) => ({ id, key: new Uint8Array(32).fill(fill) })
const sealer = makeSealer({ keys: [key('k1', 1), key('k2', 2)], active: 'k2', random })

function reasonOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof SealingError) return error.reason
    throw error
  }
  return 'nothing thrown'
}

describe('sealed text', () => {
  it('opens to what was sealed, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const sealed = sealer.seal(text)
        expect(sealed).toMatch(/^sealed:k2:[A-Za-z0-9+/]+=*$/)
        expect(sealer.isSealed(sealed)).toBe(true)
        expect(sealer.open(sealed)).toBe(text)
      }),
      { numRuns: 200 },
    )
  })

  it('differs each time, so that equal secrets do not show', () => {
    const seen = new Set(Array.from({ length: 1000 }, () => sealer.seal('8821')))
    expect(seen.size).toBe(1000)
    expect([...seen].some((sealed) => sealed.includes('8821'))).toBe(false)
  })

  it('of an older key opens as long as the key is there', () => {
    const old = makeSealer({ keys: [key('k1', 1)], active: 'k1', random }).seal('8821')
    expect(sealer.open(old)).toBe('8821')
  })

  it('of a key that is gone names the key', () => {
    const foreign = makeSealer({ keys: [key('k9', 9)], active: 'k9', random }).seal('8821')
    expect(reasonOf(() => sealer.open(foreign))).toBe('missing_key')
    expect(() => sealer.open(foreign)).toThrow('the sealing key "k9" is not in the key file')
  })

  it('that was changed anywhere does not open', () => {
    const sealed = sealer.seal('8821')
    const head = 'sealed:k2:'
    const box = Buffer.from(sealed.slice(head.length), 'base64')
    for (let index = 0; index < box.length; index++) {
      const changed = Buffer.from(box)
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(reasonOf(() => sealer.open(head + changed.toString('base64')))).toBe('tampered')
      expect(reasonOf(() => sealer.open(head + box.subarray(0, index).toString('base64')))).toBe('tampered')
    }
  })

  it('cannot be passed off under another key id, even of an equal key', () => {
    const twins = makeSealer({ keys: [key('a', 1), key('b', 1)], active: 'a', random })
    expect(reasonOf(() => twins.open(twins.seal('8821').replace(':a:', ':b:')))).toBe('tampered')
  })

  it('is told from text that is not sealed', () => {
    for (const text of ['', '8821', 'sealed:', 'sealed:k2', 'Sealed:k2:AAAA']) {
      expect(
        reasonOf(() => sealer.open(text)),
        text,
      ).toBe('not_sealed')
      expect(sealer.isSealed(text), text).toBe(false)
    }
  })

  it('never appears in an error, and neither does what was in it', () => {
    const sealed = sealer.seal('8821')
    try {
      sealer.open(`${sealed.slice(0, -6)}AAAAA=`)
      expect.unreachable()
    } catch (error) {
      expect(String(error)).not.toContain(sealed.slice(12, 30))
      expect(String(error)).not.toContain('8821')
    }
  })

  it('is null for null', () => {
    expect(sealer.sealNullable(null)).toBeNull()
    expect(sealer.openNullable(null)).toBeNull()
    expect(sealer.openNullable(sealer.sealNullable('x'))).toBe('x')
  })
})

describe('sealed bytes', () => {
  it('open to what was sealed, and are as long as announced', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const sealed = sealer.sealBytes(bytes)
        expect(sealed.length).toBe(sealedBytesLength(bytes.length, 'k2'))
        expect(Buffer.from(sealer.openBytes(new Uint8Array(sealed))).equals(bytes)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('that are cut, changed, foreign or not sealed do not open', () => {
    const sealed = sealer.sealBytes(Buffer.from('{"otp":"8821"}'))
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(reasonOf(() => sealer.openBytes(changed))).toMatch(/not_sealed|tampered|missing_key/)
      expect(reasonOf(() => sealer.openBytes(sealed.subarray(0, index)))).toMatch(
        /not_sealed|tampered|missing_key/,
      )
    }
    expect(reasonOf(() => sealer.openBytes(Buffer.from('{"otp":"8821"}')))).toBe('not_sealed')
  })
})

describe('a sealer', () => {
  it('refuses keys that it could not use', () => {
    const make = (keys: Parameters<typeof makeSealer>[0]['keys'], active: string) => () =>
      makeSealer({ keys, active, random })
    expect(make([{ id: 'k', key: new Uint8Array(16) }], 'k')).toThrow('AES-256 takes 32')
    expect(make([key('a:b', 1)], 'a:b')).toThrow('no sealing key id')
    expect(make([key('a', 1), key('a', 2)], 'a')).toThrow('same id')
    expect(make([key('a', 1)], 'b')).toThrow('active sealing key "b"')
  })

  it('never uses a nonce twice while the source of chance is sound', () => {
    const nonces = Array.from({ length: 2000 }, () =>
      Buffer.from(sealer.sealBytes(new Uint8Array(0))).toString('hex', 4, 16),
    )
    expect(new Set(nonces).size).toBe(2000)
  })
})

describe('a key file', () => {
  const file = newKeyFile({ id: 'k1', random, createdAt: Date.UTC(2026, 10, 22) })

  it('says what it was made from', () => {
    const text = serializeKeyFile(file)
    expect(parseKeyFile(text, 'keys.json')).toEqual({
      ...file,
      keys: file.keys.map((k) => ({ ...k, key: Buffer.from(k.key) })),
    })
    expect(text).toContain('"created_at": "2026-11-22T00:00:00.000Z"')
  })

  it('gives its keys to a sealer', () => {
    const { keys, active } = parseKeyFile(serializeKeyFile(file), 'keys.json')
    const made = makeSealer({ keys, active, random })
    expect(made.open(made.seal('8821'))).toBe('8821')
    expect(made.keyIds).toEqual(['k1'])
  })

  it('that is damaged is refused with the place and without the key', () => {
    const text = serializeKeyFile(file)
    const secret = Buffer.from(file.keys[0]?.key ?? []).toString('base64')
    const damaged: [string, string][] = [
      [text.slice(0, -20), 'not JSON'],
      ['[]', '"active" is missing'],
      ['{"active":"k1"}', '"keys" is missing'],
      [text.replace('"active": "k1"', '"active": "k2"'), 'active key "k2" is not listed'],
      [text.replace('created_at', 'made_at'), 'no valid "created_at"'],
      [text.replace(secret, secret.slice(8)), 'AES-256 takes 32'],
    ]
    for (const [changed, problem] of damaged) {
      expect(() => parseKeyFile(changed, 'keys.json')).toThrow(problem)
      try {
        parseKeyFile(changed, 'keys.json')
      } catch (error) {
        expect(`${error} ${(error as Error).cause}`).not.toContain(secret.slice(8, 20))
      }
    }
  })
})

describe('derived bytes', () => {
  it('are the same for the same key and purpose, and for no other', () => {
    const of = (active: string, purpose: string) =>
      Buffer.from(
        makeSealer({
          keys: ['a', 'b'].map((id, n) => ({ id, key: Buffer.alloc(32, n) })),
          active,
          random,
        }).derive(purpose),
      ).toString('hex')
    expect(of('a', 'x')).toHaveLength(64)
    expect(of('a', 'x')).toBe(of('a', 'x'))
    expect(new Set([of('a', 'x'), of('a', 'y'), of('b', 'x')]).size).toBe(3)
  })
})
