/** What every schema registry does, whatever it is made of: run by each adapter's test. */
import { describe, expect, it } from 'vitest'
import type { Registry } from '../schemas/index.ts'

/** One adapter and what it is known to hold. */
export interface RegistryContractOptions {
  readonly name: string
  readonly open: () => Promise<Registry>
  /** Subjects that it holds, each with the number of its newest version. */
  readonly subjects: Readonly<Record<string, number>>
}

/** Declares the suite for one adapter. */
export function registryContract({ name, open, subjects }: RegistryContractOptions): void {
  describe(`${name} as a schema registry`, () => {
    it('gives the newest version of every subject', async () => {
      const registry = await open()
      for (const [subject, version] of Object.entries(subjects)) {
        expect(registry.latest(subject)).toMatchObject({ version, id: registry.idOf(subject, version) })
      }
    })

    it('knows the schema behind every id that it gives', async () => {
      const registry = await open()
      for (const [subject, newest] of Object.entries(subjects)) {
        for (let version = 1; version <= newest; version++) {
          const id = registry.idOf(subject, version)
          expect(registry.schemaOf(id)).toMatchObject({ id, text: expect.stringContaining('"record"') })
        }
      }
    })

    it('gives the same ids when it is opened again', async () => {
      const [one, other] = [await open(), await open()]
      for (const [subject, version] of Object.entries(subjects)) {
        expect(other.idOf(subject, version)).toBe(one.idOf(subject, version))
      }
    })

    it('keeps the raw text, tags and defaults of symbols included', async () => {
      const registry = await open()
      const texts = Object.keys(subjects).map((subject) => registry.latest(subject).text)
      expect(texts.some((text) => /"pii":\s*"secret"/.test(text))).toBe(true)
      expect(texts.some((text) => /"default":\s*"UNKNOWN"/.test(text))).toBe(true)
    })

    it('does not invent what it does not hold', async () => {
      const registry = await open()
      expect(registry.schemaOf(2 ** 31 - 1)).toBeUndefined()
      expect(() => registry.latest('no.such-value')).toThrow('no.such-value')
      for (const [subject, version] of Object.entries(subjects)) {
        expect(() => registry.idOf(subject, version + 1)).toThrow(subject)
      }
      if (registry.fetch) await expect(registry.fetch(2 ** 31 - 1)).resolves.toBeUndefined()
    })
  })
}
