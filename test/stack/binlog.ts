/** A hand on the MariaDB or MySQL that holds the binlog, for tests about what is not in it. */
import mysql from 'mysql2/promise'
import type { SqlFacts } from './services.ts'

/** A connection that may do everything. */
export async function asRoot<T>(
  { host, port }: SqlFacts,
  use: (root: mysql.Connection) => Promise<T>,
): Promise<T> {
  const root = await mysql.createConnection({ host, port, user: 'root' })
  try {
    return await use(root)
  } finally {
    await root.end()
  }
}

/** Changes that no binlog holds, as a restored backup or a filtered replica leaves them. */
export const unlogged = (database: SqlFacts, ...statements: readonly string[]): Promise<void> =>
  asRoot(database, async (root) => {
    await root.query('SET SESSION sql_log_bin = 0')
    for (const statement of statements) await root.query(statement)
  })

/**
 * Forgets everything that was logged so far. Readers are thrown out first: the server keeps what a connected one has
 * not read, and notices late that one has gone.
 */
export async function purgeBinlog(root: mysql.Connection): Promise<void> {
  const [threads] = await root.query('SHOW PROCESSLIST')
  for (const { Id, Command } of threads as { Id: number; Command: string }[]) {
    if (Command.startsWith('Binlog Dump')) await root.query(`KILL ${Id}`).catch(unlessGone)
  }
  await root.query('FLUSH BINARY LOGS')
  for (;;) {
    const [logs] = await root.query('SHOW BINARY LOGS')
    const names = (logs as { Log_name: string }[]).map(({ Log_name }) => Log_name)
    if (names.length === 1) return
    await root.query(`PURGE BINARY LOGS TO '${names.at(-1)}'`)
  }
}

/** The reader left by itself in between. */
function unlessGone(error: { readonly code?: string }): void {
  if (error.code !== 'ER_NO_SUCH_THREAD') throw error
}
