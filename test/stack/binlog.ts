/** A hand on the server that holds the binlog, for tests about what is not in it. */
import mysql from 'mysql2/promise'
import type { Service } from './services.ts'

/** A connection that may do everything. */
export async function asRoot<T>(
  { host, port }: Service<'mariadb'>,
  use: (root: mysql.Connection) => Promise<T>,
): Promise<T> {
  const root = await mysql.createConnection({ host, port, user: 'root' })
  try {
    return await use(root)
  } finally {
    await root.end()
  }
}

/**
 * Forgets everything that was logged so far. Readers are thrown out first: the server keeps what a connected one has
 * not read, and notices late that one has gone.
 */
export async function purgeBinlog(root: mysql.Connection): Promise<void> {
  const [threads] = await root.query(
    "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
  )
  for (const { id } of threads as { id: number }[]) await root.query(`KILL ${id}`)
  await root.query('FLUSH BINARY LOGS')
  for (;;) {
    const [logs] = await root.query('SHOW BINARY LOGS')
    const names = (logs as { Log_name: string }[]).map(({ Log_name }) => Log_name)
    if (names.length === 1) return
    await root.query(`PURGE BINARY LOGS TO '${names.at(-1)}'`)
  }
}
