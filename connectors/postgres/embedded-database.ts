/**
 * The embedded database: PGlite in a worker thread, on a directory that is ours alone. A thread that died is
 * started again by the next statement: PostgreSQL recovers its files as after any crash.
 */
import { statfs } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '../../engine/index.ts'
import { DeliveryLogError } from '../../ports/delivery-log.ts'
import { type DatabaseDirectory, openDatabaseDirectory } from './database-directory.ts'
import { type PgliteThread, startPgliteThread, ThreadGone } from './pglite-thread.ts'
import type { Sql, SqlDatabase } from './sql-database.ts'
import { sqlFailure } from './sql-failure.ts'

/**
 * Where the build puts a database that is ready to be copied, as seen from the build and from the sources. Without
 * it the first start takes seconds longer, and several times the memory.
 */
const templateDirectories = ['./pglite-template', '../../dist/connectors/postgres/pglite-template'].map(
  (path) => fileURLToPath(new URL(path, import.meta.url)),
)

/**
 * Nothing is written when less than this is free on the disk. PGlite survives no write that fails within its log: it
 * turns for ever, and has to be ended. This is what it may write before the next look: its buffers twice, and segments.
 */
const defaultFreeBytesMin = 80 * 1024 * 1024

/** Longer than any statement of ours takes: whoever does not answer by then is ended. */
const answerWithinMs = 5 * 60_000

export interface EmbeddedDatabaseOptions {
  readonly directory: string
  /** What must be free on its disk for anything to be written. Default: 80 MiB. */
  readonly freeBytesMin?: number
  /** Real time. */
  readonly clock?: Clock
  /** Default: the one of the build. An empty list: there is none. */
  readonly templates?: readonly string[]
}

export interface EmbeddedDatabase extends SqlDatabase {
  readonly origin: DatabaseDirectory['origin']
  /** Ends the thread on the spot, as a crash would. */
  crash(): Promise<void>
}

/** Opens it, or makes it. Rejects with `held` when another process has the directory. */
export async function openEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const { directory, clock = systemClock, freeBytesMin = defaultFreeBytesMin } = options
  const held = await openDatabaseDirectory(directory, options.templates ?? templateDirectories)
  let thread: PgliteThread | undefined
  let starting: Promise<PgliteThread> | undefined
  let closed: Promise<void> | undefined

  async function start(): Promise<PgliteThread> {
    try {
      thread = await startPgliteThread(held.dataDir)
      return thread
    } catch (cause) {
      const known = sqlFailure(cause, directory)
      if (known instanceof DeliveryLogError) throw known
      throw new DeliveryLogError(
        'unavailable',
        `the database in ${directory} did not start: ${cause instanceof Error ? cause.message : cause}. If this stays, move the directory away, start again and run \`waybill log rebuild\``,
        { cause },
      )
    } finally {
      starting = undefined
    }
  }

  async function run(statements: readonly Sql[], atomic: boolean) {
    if (closed) throw new DeliveryLogError('closed', `the database in ${directory} is closed`)
    if (!thread?.alive()) starting ??= start()
    const running = starting ? await starting : thread
    if (!statements.every(isReading)) await checkRoom()
    const stopWatch = clock.at(clock.now() + answerWithinMs, () => void running?.kill())
    try {
      return (await running?.run(statements, atomic)) ?? []
    } catch (cause) {
      if (!(cause instanceof ThreadGone)) throw sqlFailure(cause, directory)
      const known = sqlFailure(cause, directory)
      if (known instanceof DeliveryLogError) throw known
      throw new DeliveryLogError(
        'unavailable',
        `the database in ${directory} broke off: ${cause.message}; it is started again`,
        { cause },
      )
    } finally {
      stopWatch()
    }
  }

  async function checkRoom() {
    const { bavail, bsize } = await statfs(held.dataDir)
    if (bavail * bsize >= freeBytesMin) return
    const mega = (bytes: number) => Math.floor(bytes / 1024 / 1024)
    throw new DeliveryLogError(
      'unavailable',
      `the database in ${directory} is not written to: ${mega(bavail * bsize)} MB are free on its disk, it needs ${mega(freeBytesMin)}; make room, and it goes on`,
    )
  }

  async function close() {
    const last = await starting?.catch(() => undefined)
    await (last ?? thread)?.close()
    await held.release()
  }

  starting = start()
  try {
    await starting
  } catch (cause) {
    await held.release()
    throw cause
  }
  return {
    name: directory,
    autovacuum: false,
    origin: held.origin,
    query: async (sql) => (await run([sql], false))[0] ?? [],
    transaction: (statements) => run(statements, true),
    async crash() {
      await thread?.kill()
    },
    close() {
      closed ??= close()
      return closed
    },
  }
}

/** Looking things up goes on when the disk is full. */
const isReading = ({ text }: Sql): boolean => /^\s*(select|with|show)\b/i.test(text)
