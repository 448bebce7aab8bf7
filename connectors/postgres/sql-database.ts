/**
 * The narrow face of PostgreSQL that our SQL is run through: one statement, or several as one transaction. There
 * are two of them, PGlite in a worker thread and a server by URL; what is built on top does not know which.
 */

/** What a parameter may be. Arrays are for `unnest` and `any`; bytes are a value in PostgreSQL's binary form. */
export type SqlValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly (string | number | boolean | null)[]

export interface Sql {
  /** Parameters are `$1`, `$2`, … Bytes among them belong to the statement: running it may take them away. */
  readonly text: string
  readonly values?: readonly SqlValue[]
}

/** By column name. `bigint` comes as a number. */
export type SqlRow = Readonly<Record<string, unknown>>

export interface SqlDatabase {
  /** For messages: the directory, or the URL without its password. */
  readonly name: string
  /** False: nobody vacuums and analyses here unless we do. */
  readonly autovacuum: boolean
  query(sql: Sql): Promise<SqlRow[]>
  /** In order, all or nothing; resolves when committed. */
  transaction(statements: readonly Sql[]): Promise<SqlRow[][]>
  close(): Promise<void>
}
