/**
 * Reads the texts of a folder of schemas as they are, sound or not: what is wrong with them is for the checker to
 * say. The program itself reads them with `readSchemaFolder`, which refuses what is not sound.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { SchemaText } from '../compatibility/finding.ts'

/** A folder of schemas as text. */
export interface SchemaTexts {
  /** Versions by subject, oldest first; subjects in order. */
  readonly subjects: ReadonlyMap<string, readonly SchemaText[]>
  /** The text of a file beside the subjects, such as levels.json. */
  readonly beside: (name: string) => string | undefined
  /** Files that are no version of anything. */
  readonly strangers: readonly string[]
}

/** The number in `v3.avsc`. */
export function versionOfName(name: string): number | undefined {
  const digits = /^v([1-9]\d*)\.avsc$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Puts files together: `path` is `<subject>/vN.avsc`, or a name beside the subjects. */
export function gatherTexts(
  files: Iterable<{ readonly path: string; readonly text: string }>,
  shown: (path: string) => string,
): SchemaTexts {
  const subjects = new Map<string, SchemaText[]>()
  const beside = new Map<string, string>()
  const strangers: string[] = []
  for (const { path, text } of files) {
    const [subject = '', name, ...deeper] = path.split('/')
    if (name === undefined) {
      beside.set(subject, text)
      continue
    }
    const version = deeper.length === 0 ? versionOfName(name) : undefined
    if (version === undefined) strangers.push(shown(path))
    else subjects.set(subject, [...(subjects.get(subject) ?? []), { version, file: shown(path), text }])
  }
  const sorted = [...subjects].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    subjects: new Map(sorted.map(([name, texts]) => [name, texts.sort((a, b) => a.version - b.version)])),
    beside: (name) => beside.get(name),
    strangers,
  }
}

/** Reads a folder; `shown` turns its paths into what people are shown. Undefined when there is none. */
export function readSchemaTexts(folder: string, shown: (path: string) => string): SchemaTexts | undefined {
  if (!existsSync(folder)) return undefined
  const files = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const names = entry.isDirectory()
      ? readdirSync(`${folder}/${entry.name}`).map((name) => `${entry.name}/${name}`)
      : [entry.name]
    return names
      .filter((path) => /\.(avsc|json)$/.test(path))
      .map((path) => ({ path, text: readFileSync(`${folder}/${path}`, 'utf8') }))
  })
  return gatherTexts(files, shown)
}
