/**
 * Checks 200 subjects of 10 versions each, every version with all before it in both directions, and starts what
 * `schemas check` needs on this project's own schemas.
 * Run after a build: `node dist/bench/compatibility.js [subjects] [versions] [runs]`.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { checkSubject, type SchemaText } from '../schemas/compatibility/index.ts'
import { figure } from './support/figures.ts'

const subjects = Number(process.argv[2] ?? 200)
const versions = Number(process.argv[3] ?? 10)
const runs = Number(process.argv[4] ?? 5)

/** A subject like ours: 30 fields in nested records, one more nullable field a version. */
function subjectOf(number: number): SchemaText[] {
  const leaf = (name: string, index: number) => {
    const kinds = [
      'string',
      'long',
      ['null', 'string'],
      { type: 'long', logicalType: 'timestamp-millis' },
      { type: 'array', items: 'string' },
    ]
    return { name, doc: `The ${name} of subject ${number}.`, type: kinds[index % kinds.length] ?? 'string' }
  }
  return Array.from({ length: versions }, (_, version) => {
    const group = (name: string) => ({
      name: name.toLowerCase(),
      doc: 'A group of fields.',
      type: {
        type: 'record',
        name,
        doc: 'A group.',
        fields: [
          ...Array.from({ length: 8 }, (_field, index) => leaf(`f${index}`, index)),
          ...Array.from({ length: version }, (_field, index) => ({
            name: `added${index}`,
            doc: 'Came later.',
            type: ['null', 'string'],
            default: null,
          })),
        ],
      },
    })
    const kind = { type: 'enum', name: 'Kind', symbols: ['UNKNOWN', 'A', 'B'], default: 'UNKNOWN' }
    const schema = {
      type: 'record',
      name: `Subject${number}`,
      namespace: 'dev.waybill.bench',
      doc: 'For the benchmark.',
      fields: [
        { name: 'kind', type: kind, default: 'UNKNOWN' },
        group('Rider'),
        group('Delivery'),
        group('Returns'),
      ],
    }
    return {
      version: version + 1,
      file: `subject-${number}/v${version + 1}.avsc`,
      text: JSON.stringify(schema, null, 2),
    }
  })
}

function checkAll(all: readonly SchemaText[][]): number {
  const start = performance.now()
  let refused = 0
  for (const [index, texts] of all.entries()) {
    const report = checkSubject({ subject: `subject-${index}`, level: 'FULL_TRANSITIVE', versions: texts })
    if (!report.compatible) refused++
  }
  if (refused > 0) throw new Error(`${refused} subjects were refused: the benchmark's schemas are wrong`)
  return performance.now() - start
}

/** What stands in `schemas/avro`, checked by a process of its own: the cost of a start. */
function checkOwnSchemas(): number {
  const start = performance.now()
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), 'own'], { encoding: 'utf8' })
  if (child.status !== 0) throw new Error(child.stderr)
  return performance.now() - start
}

function readOwnSchemas(): void {
  const folder = fileURLToPath(new URL('../schemas/avro/', import.meta.url))
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const texts = readdirSync(`${folder}${entry.name}`).map((name) => ({
      version: Number(/\d+/.exec(name)?.[0]),
      file: `${entry.name}/${name}`,
      text: readFileSync(`${folder}${entry.name}/${name}`, 'utf8'),
    }))
    const report = checkSubject({ subject: entry.name, level: 'FULL_TRANSITIVE', versions: texts })
    if (!report.compatible) throw new Error(`${entry.name} is refused`)
  }
}

if (process.argv[2] === 'own') {
  readOwnSchemas()
} else {
  const all = Array.from({ length: subjects }, (_, number) => subjectOf(number))
  const bytes = all.flat().reduce((sum, { text }) => sum + text.length, 0)
  console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`)
  console.log(`${subjects} subjects × ${versions} versions, ${(bytes / 1e6).toFixed(1)} MB of schemas`)
  // The first run is cold, as a check in CI is: it counts.
  console.log(
    figure(
      'check, transitive, both directions',
      'ms',
      Array.from({ length: runs }, () => checkAll(all)),
    ),
  )
  console.log(
    figure('start and check of our own schemas', 'ms', Array.from({ length: runs }, checkOwnSchemas)),
  )
}
