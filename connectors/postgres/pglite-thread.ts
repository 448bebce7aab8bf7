/**
 * One life of the thread that PGlite runs in: starts it, passes statements in and rows out, and says when it has
 * ended. What to do then, the owner decides.
 */
import { Worker } from 'node:worker_threads'
import type { Sql, SqlRow } from './sql-database.ts'

/** The thread, or PGlite inside it, is gone. */
export class ThreadGone extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ThreadGone'
  }
}

export interface PgliteThread {
  run(statements: readonly Sql[], atomic: boolean): Promise<SqlRow[][]>
  /** False once the thread has ended, for whatever reason. */
  alive(): boolean
  /** Lets PostgreSQL shut down in order. */
  close(): Promise<void>
  /** Ends it on the spot, as a crash would. */
  kill(): Promise<void>
}

interface Described {
  readonly message: string
  readonly code?: string
  readonly stack?: string
}

type Reply =
  | { readonly ready: true }
  | { readonly failed: Described }
  | { readonly closed: true }
  | { readonly id: number; readonly results: SqlRow[][] }
  | { readonly id: number; readonly error: Described; readonly broken: boolean }

interface Waiting {
  resolve(rows: SqlRow[][]): void
  reject(error: Error): void
}

/**
 * PGlite's own parameters with less memory: of its 128 MiB of shared buffers a log of this size needs little, the
 * operating system caches the files anyway (305 MB resident become 165). Without `-F` nothing would be safer:
 * PGlite's file system has no fsync; what a power cut may take is written again from the topics.
 * `jit=off`, parallel workers and the autovacuum do not exist in one process.
 */
const startParams = [
  '--single',
  ...['-F', '-O', '-j'],
  ...Object.entries({
    search_path: 'public',
    exit_on_error: 'false',
    log_checkpoints: 'false',
    io_method: 'sync',
    max_worker_processes: '0',
    max_parallel_workers: '0',
    max_parallel_workers_per_gather: '0',
    max_parallel_maintenance_workers: '0',
    shared_buffers: '32MB',
    max_connections: '4',
    superuser_reserved_connections: '0',
    max_wal_size: '64MB',
    min_wal_size: '32MB',
    maintenance_work_mem: '16MB',
    work_mem: '4MB',
    temp_buffers: '1MB',
    // Small samples: an analysis must not hold queries up. The columns that plans depend on have few values.
    default_statistics_target: '25',
    // The files are in the page cache of this very machine.
    random_page_cost: '1.1',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
]

/** Starts the thread on a data directory; resolves when PostgreSQL takes statements. */
export async function startPgliteThread(dataDir: string): Promise<PgliteThread> {
  const worker = new Worker(new URL('./pglite-worker.js', import.meta.url), {
    workerData: { dataDir, startParams },
    name: 'pglite',
  })
  const waiting = new Map<number, Waiting>()
  let sequence = 0
  let alive = true
  let closed: () => void = () => {}

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const end = (error: Error) => {
    alive = false
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  await new Promise<void>((resolve, reject) => {
    worker.on('error', (cause) => {
      const gone = new ThreadGone(`PGlite's thread failed: ${cause.message}`, { cause })
      end(gone)
      reject(gone)
    })
    worker.on('exit', (code) => {
      const gone = new ThreadGone(`PGlite's thread ended (exit code ${code})`)
      end(gone)
      reject(gone)
    })
    worker.on('message', (reply: Reply) => {
      if ('ready' in reply) resolve()
      else if ('failed' in reply) {
        alive = false
        reject(revived(reply.failed))
      } else if ('closed' in reply) closed()
      else settle(reply)
    })
  })

  function settle(reply: Extract<Reply, { id: number }>) {
    const call = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('results' in reply) call?.resolve(reply.results)
    else if (reply.broken) call?.reject(new ThreadGone(reply.error.message, { cause: revived(reply.error) }))
    else call?.reject(revived(reply.error))
  }

  return {
    alive: () => alive,
    run(statements, atomic) {
      if (!alive) return Promise.reject(new ThreadGone("PGlite's thread has ended"))
      return new Promise((resolve, reject) => {
        const id = sequence++
        waiting.set(id, { resolve, reject })
        worker.postMessage({ id, statements, atomic }, buffersOf(statements))
      })
    },
    async close() {
      if (!alive) return
      const orderly = new Promise<void>((resolve) => {
        closed = resolve
      })
      worker.postMessage({ close: true })
      await Promise.race([orderly, ended])
      await worker.terminate()
    },
    async kill() {
      await worker.terminate()
    },
  }
}

/** Handed over instead of copied. */
function buffersOf(statements: readonly Sql[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const { values = [] } of statements) {
    for (const value of values) {
      if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) buffers.add(value.buffer)
    }
  }
  return [...buffers]
}

function revived({ message, code, stack }: Described): Error {
  const error = new Error(message)
  if (stack) error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}
