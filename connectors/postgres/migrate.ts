/** Brings a schema to the newest migration, once, however many processes start at the same moment. */
import { DeliveryLogError } from '../../ports/delivery-log.ts'
import { type Migration, migrations as released } from './migrations.ts'
import type { SqlDatabase } from './sql-database.ts'

/** Any constant will do, as long as every version of this program uses the same. */
const advisoryLock = 7_287_001

/** The schema that our tables live in. */
export const defaultSchema = 'waybill'

/** Applies what is missing. Returns the numbers that were applied. */
export async function migrate(
  database: SqlDatabase,
  schema: string = defaultSchema,
  migrations: readonly Migration[] = released,
): Promise<readonly number[]> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new DeliveryLogError(
      'unusable',
      `"${schema}" is no name for a schema: use a to z, 0 to 9 and _, at most 63 of them`,
    )
  }
  const newest = migrations.at(-1)?.number ?? 0
  // A schema that is up to date is not touched: a full disk or a standby must not keep anyone from reading.
  if ((await hasMigrations(database, schema)) && (await lastApplied(database, schema)) === newest) return []
  const lock = { text: `select pg_advisory_xact_lock(${advisoryLock})` }
  await database.transaction([
    lock,
    { text: createMissingSchema(schema) },
    {
      text: `create table if not exists ${schema}.migrations (number integer primary key, name text not null)`,
    },
  ])
  const applied: number[] = []
  for (const migration of migrations) {
    const last = await lastApplied(database, schema)
    if (last > newest) {
      throw new DeliveryLogError(
        'unusable',
        `${database.name}: the schema ${schema} is at migration ${last}, this program knows up to ${newest}: it was made by a newer version; start that one`,
      )
    }
    if (last >= migration.number) continue
    if (await apply(database, schema, migration, lock)) applied.push(migration.number)
  }
  return applied
}

/**
 * Asked with a query instead of `if not exists`: that takes a right which a user of a prepared schema may not have,
 * and believes a cache which does not yet know what another session has just created.
 */
const createMissingSchema = (schema: string): string => `
  do $$ begin
    if not exists (select from pg_namespace where nspname = '${schema}') then create schema ${schema}; end if;
  end $$`

/** By query, too: a look-up by name would remember that there was none. */
async function hasMigrations(database: SqlDatabase, schema: string): Promise<boolean> {
  const rows = await database.query({
    text: `select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = 'migrations'`,
    values: [schema],
  })
  return rows.length > 0
}

async function lastApplied(database: SqlDatabase, schema: string): Promise<number> {
  const [row] = await database.query({
    text: `select coalesce(max(number), 0)::integer as last from ${schema}.migrations`,
  })
  return Number(row?.last ?? 0)
}

/**
 * The number is written first: where another process has applied it meanwhile, the key is taken, and the whole
 * transaction falls away.
 */
async function apply(
  database: SqlDatabase,
  schema: string,
  { number, name, statements }: Migration,
  lock: { text: string },
): Promise<boolean> {
  try {
    await database.transaction([
      lock,
      { text: `insert into ${schema}.migrations (number, name) values ($1, $2)`, values: [number, name] },
      ...statements(schema).map((text) => ({ text })),
    ])
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === '23505' && (await lastApplied(database, schema)) >= number) return false
    throw error
  }
}
