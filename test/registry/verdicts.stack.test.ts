/** The compatibility checker beside a real registry: the same changes, registered at the same level. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { openRegistryAdmin } from '../../connectors/registry/registry-admin.ts'
import { RegistryError } from '../../connectors/registry/registry-error.ts'
import { checkSubject, type Level, parseSchemaText } from '../../schemas/compatibility/index.ts'
import { ownService } from '../stack/services.ts'

interface Pair {
  readonly reader: unknown
  readonly writer: unknown
}

/** Every twelfth of the recorded pairs: each kind of incompatibility is among them several times. */
const pairs = gunzipSync(readFileSync(new URL('../fixtures/avro-compat/pairs.jsonl.gz', import.meta.url)))
  .toString('utf8')
  .trim()
  .split('\n')
  .filter((_, index) => index % 12 === 0)
  .map((line): Pair => JSON.parse(line))

const record = (...fields: readonly unknown[]) => ({ type: 'record', name: 'A', fields })
const field = (name: string, more: object = {}) => ({ name, type: 'int', ...more })

/** Changes over three versions, where a level with and without _TRANSITIVE differs. */
const chains: readonly (readonly unknown[])[] = [
  [record(field('a')), record(field('a'), field('b', { default: 0 })), record(field('a'), field('b'))],
  [record(field('a'), field('b')), record(field('a'), field('b', { default: 0 })), record(field('a'))],
  [record(field('a')), record(field('a', { type: 'long' })), record(field('a', { type: 'double' }))],
]

it('a real registry takes and refuses the same changes', async () => {
  const registry = await ownService('registry')
  const admin = openRegistryAdmin({ url: registry.url })
  try {
    const differences: unknown[] = []
    let refused = 0
    const compare = async (subject: string, level: Level, schemas: readonly unknown[]) => {
      const texts = schemas.map((schema, index) => ({
        version: index + 1,
        file: `v${index + 1}.avsc`,
        text: JSON.stringify(schema),
      }))
      // What is no schema to us is another matter than what is incompatible.
      if (!texts.every(({ text, file }) => parseSchemaText(text, file).ok)) return
      await admin.setLevel(subject, level)
      const taken = []
      for (const { text } of texts) taken.push(await takes(subject, text))
      const ours = texts.map(
        (_, index) =>
          checkSubject({ subject, level, versions: texts.slice(0, index + 1), newestOnly: true }).compatible,
      )
      // A version that was refused is not there for the next one to be compared with: only the first refusal counts.
      const end = ours.indexOf(false) + 1 || ours.length
      refused += ours.includes(false) ? 1 : 0
      if (taken.slice(0, end).join() !== ours.slice(0, end).join())
        differences.push({ subject, level, schemas, taken, ours })
    }
    const takes = async (subject: string, text: string): Promise<boolean> => {
      try {
        await admin.register(subject, text)
        return true
      } catch (error) {
        if (error instanceof RegistryError && error.kind === 'incompatible') return false
        throw error
      }
    }
    for (const [index, { reader, writer }] of pairs.entries()) {
      await compare(`backward-${index}`, 'BACKWARD', [writer, reader])
      await compare(`forward-${index}`, 'FORWARD', [reader, writer])
    }
    for (const [index, chain] of chains.entries()) {
      for (const level of [
        'NONE',
        'BACKWARD',
        'BACKWARD_TRANSITIVE',
        'FORWARD',
        'FORWARD_TRANSITIVE',
        'FULL',
        'FULL_TRANSITIVE',
      ] as const) {
        await compare(`chain-${index}-${level}`, level, chain)
      }
    }
    console.log(`${refused} changes refused by both`)
    expect(differences).toEqual([])
    expect(refused).toBeGreaterThan(30)
  } finally {
    await admin.close()
    await registry.release()
  }
})
