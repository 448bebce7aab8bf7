// Part of the build, after the compiler: makes the database that the embedded tier copies at its first start, with
// its tables in place. initdb costs seconds and 800 MB; in a process of its own, neither is seen again. Does nothing
// when the template is up to date. Run: node scripts/prepare-pglite.js
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const built = join(root, 'dist/connectors/postgres')
const directory = join(built, 'pglite-template')
/** Beside the template, not in it: what is in it becomes part of every database. */
const stamp = `${directory}.made-of`

/** What the template follows from: PGlite, the migrations, and this file. */
function ingredients() {
  const hash = createHash('sha256')
  const files = ['node_modules/@electric-sql/pglite/package.json', 'scripts/prepare-pglite.js']
  for (const file of [...files, 'dist/connectors/postgres/migrations.js'])
    hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

async function make(aside) {
  const { PGlite } = await import('@electric-sql/pglite')
  const { migrate } = await import('../dist/connectors/postgres/migrate.js')
  // Small segments: the write-ahead log takes 16 MB of an empty database otherwise.
  const database = await PGlite.create({ dataDir: aside, initDbStartParams: ['--wal-segsize=4'] })
  const run = async (runner, { text, values = [] }) => (await runner.query(text, values)).rows
  await migrate({
    name: aside,
    autovacuum: false,
    query: (sql) => run(database, sql),
    transaction: (statements) =>
      database.transaction(async (transaction) => {
        const results = []
        for (const sql of statements) results.push(await run(transaction, sql))
        return results
      }),
    close: () => database.close(),
  })
  await database.close()
}

const wanted = ingredients()
if (!existsSync(directory) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  // Two builds at once make two; the second to finish replaces the first.
  const aside = `${directory}.${process.pid}`
  rmSync(stamp, { force: true })
  mkdirSync(dirname(directory), { recursive: true })
  await make(aside)
  rmSync(directory, { recursive: true, force: true })
  renameSync(aside, directory)
  writeFileSync(stamp, wanted)
}
