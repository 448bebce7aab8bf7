/**
 * Reads columns of a row by name and type. The database is ours and so are its types: a column that is not what
 * the query says is a bug, and throws.
 */
import type { SqlRow } from './sql-database.ts'

export interface RowReader {
  text(name: string): string
  maybeText(name: string): string | null
  number(name: string): number
  maybeNumber(name: string): number | null
  flag(name: string): boolean
  /** A word of a closed set; the set is checked when it is written. */
  word<W extends string>(name: string): W
}

export function readRow(row: SqlRow): RowReader {
  const wrong = (name: string, wanted: string): never => {
    throw new Error(`the delivery log: column ${name} is ${typeof row[name]}, not ${wanted}`)
  }
  const text = (name: string) => {
    const value = row[name]
    return typeof value === 'string' ? value : wrong(name, 'text')
  }
  const number = (name: string) => {
    const value = row[name]
    return typeof value === 'number' ? value : wrong(name, 'a number')
  }
  return {
    text,
    number,
    maybeText: (name) => (row[name] === null ? null : text(name)),
    maybeNumber: (name) => (row[name] === null ? null : number(name)),
    flag(name) {
      const value = row[name]
      return typeof value === 'boolean' ? value : wrong(name, 'true or false')
    },
    word: <W extends string>(name: string) => text(name) as W,
  }
}
