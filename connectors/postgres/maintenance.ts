/**
 * What the helpers of a server do, for PostgreSQL in one process, which has none: fresh statistics, without which
 * the planner takes a full log for an empty one; room that is used again; and checkpoints, without which the
 * write-ahead log only grows, and a start after a crash reads all of it.
 */
import type { LogRows } from './log-rows.ts'
import type { SqlDatabase } from './sql-database.ts'

export interface Maintenance {
  /** Does what is due after these rows were written. */
  wrote(rows: LogRows): Promise<void>
  /** Makes the room of removed rows usable again. */
  removed(): Promise<void>
  cleared(): void
}

/** Statistics are taken after so many new rows, and again whenever there are twice as many. */
const firstAnalysisRows = 500

/**
 * Between removals dead rows are left by deliveries that change, and by their rows in the side tables. A vacuum walks
 * the indexes, and queries wait meanwhile, so it is rare: a fifth of the table, as the server does it. The side
 * tables are small: after so many changes, whatever there is.
 */
const vacuumRowsMin = 20_000
const vacuumShare = 0.2

/** Reading this much after a crash takes about two seconds; less would write whole pages anew too often. */
const checkpointBytes = 128 * 1024 * 1024
/** How often its size is looked at, in rows written. */
const checkpointRows = 2_000

export function createMaintenance(database: SqlDatabase, schema: string): Maintenance {
  let written = 0
  let analyseAt = firstAnalysisRows
  let updates = 0
  let sideUpdates = 0
  let deliveries: number | undefined
  let looked = 0

  async function checkpoint() {
    looked = written
    const [row] = await database.query({
      text: `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as grown
        from pg_control_checkpoint()`,
    })
    if (Number(row?.grown ?? 0) >= checkpointBytes) await database.query({ text: 'checkpoint' })
  }

  async function estimatedDeliveries(): Promise<number> {
    const [row] = await database.query({
      text: 'select greatest(reltuples, 0)::float8 as n from pg_class where oid = $1::regclass',
      values: [`${schema}.deliveries`],
    })
    return Number(row?.n ?? 0)
  }

  return {
    async wrote(rows) {
      written += rows.deliveries.length + rows.attempts.length + rows.events.length
      // First versions are inserted, the others update a row or are ignored: an upper bound.
      const changed = rows.deliveries.filter(({ version }) => version > 1).length
      updates += changed
      sideUpdates += changed
      if (written >= analyseAt) {
        analyseAt = written * 2
        await database.query({ text: `analyze ${planned(schema)}` })
        deliveries = await estimatedDeliveries()
      }
      deliveries ??= await estimatedDeliveries()
      if (updates >= Math.max(vacuumRowsMin, deliveries * vacuumShare)) {
        updates = 0
        await database.query({ text: `vacuum (analyze) ${schema}.deliveries` })
        deliveries = await estimatedDeliveries()
      }
      if (sideUpdates >= vacuumRowsMin) {
        sideUpdates = 0
        await database.query({ text: `vacuum (analyze) ${schema}.waiting, ${schema}.exceptions` })
      }
      if (written >= looked + checkpointRows) await checkpoint()
    },
    async removed() {
      updates = 0
      sideUpdates = 0
      await database.query({ text: `vacuum (analyze) ${tables(schema)}` })
      await checkpoint()
    },
    cleared() {
      written = 0
      looked = 0
      analyseAt = firstAnalysisRows
      updates = 0
      sideUpdates = 0
      deliveries = undefined
    },
  }
}

/** The tables that plans depend on. Bodies are only looked up by their key, and a sample of them reads most pages. */
const plannedTables = ['events', 'verdicts', 'deliveries', 'waiting', 'exceptions', 'attempts']

const named = (schema: string, tables: readonly string[]): string =>
  tables.map((table) => `${schema}.${table}`).join(', ')
const planned = (schema: string): string => named(schema, plannedTables)
const tables = (schema: string): string => named(schema, [...plannedTables, 'payloads'])
