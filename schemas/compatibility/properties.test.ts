import { randomInt } from 'node:crypto'
import avsc from 'avsc'
import { describe, expect, it } from 'vitest'
import { checkReaderWriter } from './check-reader-writer.ts'
import { buildModel } from './model-builder.ts'
import { compareModels } from './reader-writer.ts'
import { randomSchema, seededChance } from './testing/random-schemas.ts'
import { randomPair, type SchemaPair } from './testing/schema-pairs.ts'
import { check } from './testing/subject-check.ts'
import { randomValue } from './testing/writer-values.ts'

const pairCount = 800

/** Pairs of both kinds, of schemas that are sound; the seed stands in the name of every failure. */
function pairs(seed: number): readonly SchemaPair[] {
  const chance = seededChance(seed)
  const all = Array.from({ length: pairCount }, (_, index) =>
    randomPair(chance, { namespaces: index % 2 === 0 }),
  )
  return all.filter(({ reader, writer }) => buildModel(reader).model && buildModel(writer).model)
}

const seed = randomInt(2 ** 31)
const name = (what: string) => `${what} (seed ${seed})`

/** avsc's resolver, or nothing where it refuses. */
function resolver({ reader, writer }: SchemaPair) {
  // avsc keeps what it has parsed in the options, so each schema needs its own.
  const wrapped = () => ({ wrapUnions: 'always' }) as const
  try {
    const readerType = avsc.Type.forSchema(reader as avsc.Schema, wrapped())
    const writerType = avsc.Type.forSchema(writer as avsc.Schema, wrapped())
    return { readerType, writerType, resolver: readerType.createResolver(writerType) }
  } catch {
    return undefined
  }
}

describe('the verdicts on random pairs', () => {
  const some = pairs(seed)

  it(name('are about both kinds of pairs in plenty'), () => {
    const compatible = some.filter(({ reader, writer }) => checkReaderWriter(reader, writer).length === 0)
    expect(compatible.length).toBeGreaterThan(pairCount / 5)
    expect(some.length - compatible.length).toBeGreaterThan(pairCount / 5)
  })

  it(name('let every schema read itself'), () => {
    const chance = seededChance(seed)
    for (let index = 0; index < 300; index++) {
      const schema = randomSchema(chance, { namespaces: index % 2 === 0 })
      if (!buildModel(schema).model) continue
      expect(checkReaderWriter(schema, structuredClone(schema))).toEqual([])
    }
  })

  it(name('mean the same backward and, with the versions exchanged, forward'), () => {
    for (const { reader, writer } of some.slice(0, 300)) {
      const backward = check('BACKWARD', writer, reader)
      const forward = check('FORWARD', reader, writer)
      const full = check('FULL', writer, reader)
      expect(forward.compatible).toBe(backward.compatible)
      const said = (report: typeof forward) =>
        report.findings
          .flatMap(({ registry }) => (registry ? [`${registry.type} ${registry.path}`] : []))
          .sort()
      expect(said(forward)).toEqual(said(backward))
      expect(full.compatible).toBe(backward.compatible && check('FORWARD', writer, reader).compatible)
    }
  })

  it(name('are those of a registry also where types are recognised as the same'), () => {
    for (const { reader, writer } of some.slice(0, 300)) {
      const report = check('BACKWARD', writer, reader)
      if (report.problems.length > 0) continue
      expect(report.compatible).toBe(checkReaderWriter(reader, writer).length === 0)
    }
  })

  it(name('that say "readable" hold for random values of the writer, decoded by avsc'), () => {
    const chance = seededChance(seed)
    let decoded = 0
    for (const pair of some) {
      if (checkReaderWriter(pair.reader, pair.writer).length > 0) continue
      const made = resolver(pair)
      const model = buildModel(pair.writer).model
      if (!made || !model) continue
      for (let index = 0; index < 3; index++) {
        const random = randomValue(model, chance)
        // Nobody can write a value of a record that must hold another of its own.
        if (!random) break
        const bytes = made.writerType.toBuffer(random.value)
        expect(made.readerType.isValid(made.readerType.fromBuffer(bytes, made.resolver))).toBe(true)
        decoded++
      }
    }
    expect(decoded).toBeGreaterThan(200)
  })

  it(name('of avsc are foreseen: it refuses what differs in full names, and nothing else'), () => {
    let stricter = 0
    for (const pair of some) {
      const [reader, writer] = [buildModel(pair.reader).model, buildModel(pair.writer).model]
      if (!reader || !writer) continue
      const foreseen = compareModels(reader, writer, { naming: 'full' }).length === 0
      expect(resolver(pair) !== undefined).toBe(foreseen)
      if (!foreseen && compareModels(reader, writer).length === 0) stricter++
    }
    expect(stricter).toBeGreaterThan(0)
  })
})
