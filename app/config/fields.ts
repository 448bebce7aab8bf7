/**
 * Reads fields out of an untyped document and collects everything that is wrong with it, each problem with its
 * place, so that a user sees all of them at once.
 */

import type { Problem } from '../cli/cli-error.ts'
import { suggestion } from '../cli/nearest.ts'
import type { YamlFile, YamlPath } from './yaml-file.ts'

/** A map in the document. Every `read…` reports what is wrong and answers `undefined`. */
export interface Fields {
  readonly path: YamlPath
  has(name: string): boolean
  raw(name: string): unknown
  /** A text that is not empty. Numbers are taken as written: `id: 42` is the id "42". */
  text(name: string, mend: string): string | undefined
  list(name: string, mend: string): readonly unknown[] | undefined
  problem(name: string | undefined, what: string, mend: string): void
}

export interface FieldReader {
  readonly problems: Problem[]
  /** The map at `path`, its keys checked against `known`; `undefined` when it is none. */
  fields(value: unknown, path: YamlPath, known: readonly string[], whatItIs: string): Fields | undefined
  problem(path: YamlPath, what: string, mend: string): void
}

/** Makes a reader over one file. */
export function fieldReader(file: YamlFile): FieldReader {
  const problems: Problem[] = []
  const problem = (path: YamlPath, what: string, mend: string) => {
    problems.push({ what, place: file.place(path), mend })
  }
  return {
    problems,
    problem,
    fields(value, path, known, whatItIs) {
      if (!isRecord(value)) {
        problem(path, `${whatItIs} must be a map of ${known.join(', ')}`, `write "${known[0]}: …" below it`)
        return undefined
      }
      for (const key of Object.keys(value)) {
        if (!known.includes(key)) {
          problem([...path, key], `unknown key "${key}" in ${whatItIs}`, suggestion(key, known))
        }
      }
      return fieldsOf(value, path, problem)
    },
  }
}

function fieldsOf(value: Record<string, unknown>, path: YamlPath, report: FieldReader['problem']): Fields {
  const problem: Fields['problem'] = (name, what, mend) =>
    report(name === undefined ? path : [...path, name], what, mend)
  const absent = (name: string) => value[name] === undefined || value[name] === null
  return {
    path,
    problem,
    has: (name) => !absent(name),
    raw: (name) => value[name],
    text(name, mend) {
      const found = value[name]
      if (absent(name)) {
        problem(name, `"${name}" is missing`, mend)
        return undefined
      }
      if (typeof found === 'number') return String(found)
      if (typeof found === 'string' && found.trim() !== '') return found.trim()
      problem(name, `"${name}" must be a text`, mend)
      return undefined
    },
    list(name, mend) {
      const found = value[name]
      if (Array.isArray(found)) return found as readonly unknown[]
      problem(name, absent(name) ? `"${name}" is missing` : `"${name}" must be a list`, mend)
      return undefined
    },
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
