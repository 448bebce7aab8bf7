/**
 * Reads values of known kinds out of a parsed YAML or JSON document and collects what is wrong, with paths. It knows
 * nothing of source mappings.
 */
import type { MappingProblem } from './source-blocks.ts'

type Path = readonly (string | number)[]

/** Reads the members of one object. Every getter notes a problem and returns an empty value when it cannot. */
export interface ObjectReader {
  has(field: string): boolean
  raw(field: string): unknown
  keys(): readonly string[]
  text(field: string, expected: string): string
  /** A list of texts; an empty one only where that says something. */
  texts(field: string, expected: string, options?: { mayBeEmpty: boolean }): readonly string[]
  choice<T extends string>(field: string, choices: readonly T[]): T | undefined
  object(field: string, expected: string): ObjectReader
  /** A list of objects that is not empty. */
  objects(field: string, expected: string): readonly ObjectReader[]
  problem(at: string | Path, message: string, mend: string): void
  /** Notes every member that no getter asked for, with the nearest one that exists. */
  refuseUnknown(): void
}

/** Makes a reader for `value`, which stands at `path`; problems are added to `problems`. */
export function documentReader(value: unknown, path: Path, problems: MappingProblem[]): ObjectReader {
  const members = isObject(value) ? value : {}
  const asked = new Set<string>()
  const note = (at: Path, message: string, mend: string) =>
    problems.push({ path: [...path, ...at], message, mend })
  if (!isObject(value)) note([], `${describe(value)} where an object belongs`, 'write field: value lines')

  const take = (field: string): unknown => {
    asked.add(field)
    return members[field]
  }
  const missing = (field: string, expected: string) =>
    note(
      [field],
      members[field] === undefined ? `${field} is missing` : `${field} is ${describe(members[field])}`,
      `give ${expected}`,
    )

  return {
    has: (field) => take(field) !== undefined,
    raw: take,
    keys: () => Object.keys(members),
    text(field, expected) {
      const found = take(field)
      if (typeof found === 'string' && found.trim() !== '') return found
      missing(field, expected)
      return ''
    },
    texts(field, expected, { mayBeEmpty } = { mayBeEmpty: false }) {
      const found = take(field)
      const isList = Array.isArray(found) && found.every((item) => typeof item === 'string')
      if (isList && (mayBeEmpty || found.length > 0)) return found
      missing(field, `a list of ${expected}`)
      return []
    },
    choice(field, choices) {
      const found = take(field)
      const chosen = choices.find((choice) => choice === found)
      if (chosen === undefined) {
        const hint = typeof found === 'string' ? nearest(found, choices) : undefined
        missing(field, hint ? `${hint}? One of ${choices.join(', ')}` : `one of ${choices.join(', ')}`)
      }
      return chosen
    },
    object(field, expected) {
      const found = take(field)
      if (isObject(found)) return documentReader(found, [...path, field], problems)
      missing(field, expected)
      return documentReader({}, [...path, field], [])
    },
    objects(field, expected) {
      const found = take(field)
      if (Array.isArray(found) && found.length > 0) {
        return found.map((item, index) => documentReader(item, [...path, field, index], problems))
      }
      missing(field, expected)
      return []
    },
    problem: (at, message, mend) => note(typeof at === 'string' ? [at] : at, message, mend),
    refuseUnknown() {
      for (const field of Object.keys(members)) {
        if (asked.has(field)) continue
        const hint = nearest(field, [...asked])
        note([field], `"${field}" is not known here`, hint ? `did you mean ${hint}?` : 'remove it')
      }
    },
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'empty'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list of other things'
  return typeof value === 'object' ? 'an object' : JSON.stringify(value)
}

/** The only candidate that goes on where the word ends, else the one that differs by the fewest letters, if that is a slip. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  const [longer, another] = candidates.filter((candidate) => candidate.startsWith(`${word}_`))
  if (longer !== undefined && another === undefined) return longer
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (!best || distance < best.distance) best = { candidate, distance }
  }
  return best && best.distance <= Math.max(2, word.length / 3) ? best.candidate : undefined
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...to].entries()) {
      const substitute = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(substitute, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
