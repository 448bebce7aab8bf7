/** A PostgreSQL server by URL, over a small pool of connections. */
import pg from 'pg'
import { DeliveryLogError } from '../../ports/delivery-log.ts'
import type { Sql, SqlDatabase, SqlRow, SqlValue } from './sql-database.ts'
import { sqlFailure } from './sql-failure.ts'

export interface ServerDatabaseOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  readonly connectionsMax?: number
}

/** LOG writes with one, the API reads with the rest. */
const defaultConnectionsMax = 8
const connectTimeoutMs = 5_000
/** Our longest statement empties or counts a large log; a page takes milliseconds. */
const statementTimeoutMs = 60_000

const bigintOid = 20
const textParser = pg.types.getTypeParser

/** Connects lazily; `ping` or the first migration finds out whether the server is there. */
export function openServerDatabase({ url, connectionsMax }: ServerDatabaseOptions): SqlDatabase {
  const name = nameOf(url)
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax ?? defaultConnectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // For a server that is gone without a word: longer, so that a living one says why first.
    query_timeout: statementTimeoutMs + 5_000,
    application_name: 'waybill',
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        oid === bigintOid ? Number : textParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  })
  // An idle connection that breaks is dropped by the pool; whoever needs one next finds out.
  pool.on('error', () => undefined)
  let closed: Promise<void> | undefined

  async function guarded<T>(action: () => Promise<T>): Promise<T> {
    if (closed) throw new DeliveryLogError('closed', `the connection to ${name} is closed`)
    try {
      return await action()
    } catch (cause) {
      throw sqlFailure(cause, name)
    }
  }

  return {
    name,
    autovacuum: true,
    query: (sql) => guarded(async () => (await pool.query(sql.text, valuesOf(sql))).rows),
    transaction: (statements) => guarded(() => inTransaction(pool, statements)),
    close() {
      closed ??= pool.end()
      return closed
    },
  }
}

async function inTransaction(pool: pg.Pool, statements: readonly Sql[]): Promise<SqlRow[][]> {
  const client = await pool.connect()
  let broken: Error | undefined
  const onBroken = (error: Error) => {
    broken = error
  }
  // The pool listens to idle connections alone. What breaks this one rejects its query, and is told here besides.
  client.on('error', onBroken)
  try {
    await client.query('begin')
    const results: SqlRow[][] = []
    for (const sql of statements) results.push((await client.query(sql.text, valuesOf(sql))).rows)
    await client.query('commit')
    return results
  } catch (cause) {
    // A connection that cannot even roll back is of no use to the next one.
    await client.query('rollback').catch(onBroken)
    throw cause
  } finally {
    client.release(broken)
    // Only now: the pool listens again.
    client.removeListener('error', onBroken)
  }
}

const valuesOf = (sql: Sql): SqlValue[] => [...(sql.values ?? [])]

/** The URL without its password. */
function nameOf(url: string): string {
  try {
    const parsed = new URL(url)
    return `PostgreSQL at ${parsed.host}${parsed.pathname}`
  } catch (cause) {
    throw new DeliveryLogError(
      'unusable',
      'the URL of the delivery log is malformed: write postgres://user:password@host:port/database',
      { cause },
    )
  }
}
