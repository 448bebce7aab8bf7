import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkReaderWriter } from './check-reader-writer.ts'
import { buildModel } from './model-builder.ts'
import { type Json, seededChance } from './testing/random-schemas.ts'
import { randomPair, type SchemaPair } from './testing/schema-pairs.ts'

// Debian's own Python: its packages are not in the path of another one.
const python = '/usr/bin/python3'
const script = fileURLToPath(new URL('./testing/avro-verdicts.py', import.meta.url))
const pairCount = 24_000

interface PythonVerdict {
  readonly invalid?: string
  readonly compatible?: boolean
  readonly kinds?: readonly string[]
}

/**
 * The known difference: python-avro takes an alias without a dot as it stands, where the specification and Java
 * put it into the namespace of its type. So it misses renames inside a namespace, and sees one where a type moved
 * into a namespace.
 */
function relativeAliasInNamespace(json: Json | unknown, around = ''): boolean {
  if (Array.isArray(json)) return json.some((branch) => relativeAliasInNamespace(branch, around))
  if (typeof json !== 'object' || json === null) return false
  const part: { [key: string]: unknown } = { ...json }
  const namespace = typeof part.namespace === 'string' ? part.namespace : around
  const named = part.type === 'record' || part.type === 'enum' || part.type === 'fixed'
  const relative = Array.isArray(part.aliases) && part.aliases.some((alias) => !String(alias).includes('.'))
  if (named && namespace !== '' && relative) return true
  const fields: readonly { readonly type: unknown }[] = Array.isArray(part.fields) ? part.fields : []
  return [part.items, part.values, ...fields.map(({ type }) => type)].some((inner) =>
    relativeAliasInNamespace(inner, namespace),
  )
}

const problemIn = (schema: unknown) => buildModel(schema).problems.length > 0

function pythonVerdicts(pairs: readonly SchemaPair[]): readonly PythonVerdict[] {
  const input = pairs.map((pair) => JSON.stringify(pair)).join('\n')
  const run = spawnSync(python, [script], { input, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (run.status !== 0) throw new Error(`${python} ${script} failed: ${run.stderr}`)
  return run.stdout
    .trim()
    .split('\n')
    .map((line): PythonVerdict => JSON.parse(line))
}

beforeAll(() => {
  if (spawnSync(python, ['-c', 'import avro.compatibility']).status === 0) return
  const install = spawnSync('apt-get', ['install', '-y', 'python3-avro'], { encoding: 'utf8' })
  if (install.status !== 0) {
    throw new Error(
      `python3-avro is not installed: run "apt-get install python3-avro"\n${install.stderr ?? ''}`,
    )
  }
})

describe("Debian's python3-avro", () => {
  const seed = randomInt(2 ** 31)

  it(`says the same of ${pairCount} fresh pairs, but for relative aliases in namespaces (seed ${seed})`, () => {
    const chance = seededChance(seed)
    const pairs = Array.from({ length: pairCount }, (_, index) =>
      randomPair(chance, { namespaces: index % 2 === 0 }),
    )
    const verdicts = pythonVerdicts(pairs)
    expect(verdicts).toHaveLength(pairs.length)
    const counts = { compatible: 0, incompatible: 0, invalid: 0, known: 0 }
    const unexplained: unknown[] = []
    for (const [index, pair] of pairs.entries()) {
      const theirs = verdicts[index]
      if (theirs?.invalid !== undefined) {
        // A random change made a union with one type twice, or put a name in front of its definition.
        if (!problemIn(pair.reader) && !problemIn(pair.writer)) unexplained.push({ pair, theirs })
        counts.invalid++
        continue
      }
      const ours = checkReaderWriter(pair.reader, pair.writer)
      if ((ours.length === 0) === theirs?.compatible) {
        counts[theirs.compatible ? 'compatible' : 'incompatible']++
        continue
      }
      if (relativeAliasInNamespace(pair.reader)) counts.known++
      else unexplained.push({ pair, theirs, ours: ours.map(({ type, path }) => `${type} ${path}`) })
    }
    console.log(`seed ${seed}: ${JSON.stringify(counts)}`)
    expect(unexplained.slice(0, 3)).toEqual([])
    expect(counts.compatible + counts.incompatible).toBeGreaterThan(20_000)
    expect(Math.min(counts.compatible, counts.incompatible)).toBeGreaterThan(5_000)
    expect(counts.known).toBeLessThan(pairCount / 100)
  })

  // Seed 797974768 had exchanged the branches of a union whose second one defines what the first one uses.
  it('takes a name in front of its definition for no schema, where we report it and read on', () => {
    const schema = (branches: readonly unknown[]) => ({
      type: 'record',
      name: 'R0',
      fields: [{ name: 'f0', type: branches }],
    })
    const uses = { type: 'map', values: 'F1' }
    const defines = { type: 'array', items: { type: 'fixed', name: 'F1', size: 4 } }
    const [before, after] = [schema([uses, defines]), schema([defines, uses])]
    expect(buildModel(before).problems.map(({ rule }) => rule)).toEqual(['SCHEMA_FORWARD_REFERENCE'])
    expect(buildModel(after).problems).toEqual([])
    const verdicts = pythonVerdicts([
      { reader: before, writer: after },
      { reader: after, writer: before },
      { reader: after, writer: after },
    ])
    expect(
      verdicts.map(({ invalid, compatible }) => (invalid === undefined ? compatible : 'invalid')),
    ).toEqual(['invalid', 'invalid', true])
    expect(checkReaderWriter(before, after)).toEqual([])
    expect(checkReaderWriter(after, before)).toEqual([])
  })

  it('agrees about the known difference once the aliases are written out', () => {
    const type = (name: string, aliases: readonly string[] = []) => ({
      type: 'record',
      name,
      namespace: 'x',
      aliases,
      fields: [],
    })
    const written = { reader: type('B', ['x.A']), writer: type('A') }
    const relative = { reader: type('B', ['A']), writer: type('A') }
    expect(pythonVerdicts([written, relative]).map(({ compatible }) => compatible)).toEqual([true, false])
    for (const { reader, writer } of [written, relative])
      expect(checkReaderWriter(reader, writer)).toEqual([])
  })
})
