// Part of the build: makes the database that the embedded tier copies at its first start. initdb costs seconds and
// 800 MB; in a process of its own, neither is seen again. Does nothing when the template is there already.
// Run: node scripts/prepare-pglite.js [directory]
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const directory = process.argv[2] ?? join(root, 'dist/connectors/postgres/pglite-template')
const { version } = JSON.parse(
  readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json'), 'utf8'),
)
/** Beside the template, not in it: what is in it becomes part of every database. */
const stamp = `${directory}.version`

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== version || !existsSync(directory)) {
  // Two builds at once prepare two; the second to finish replaces the first.
  const aside = `${directory}.${process.pid}`
  rmSync(stamp, { force: true })
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(dirname(directory), { recursive: true })
  // Small segments: the write-ahead log takes 16 MB of an empty database otherwise.
  const database = await PGlite.create({ dataDir: aside, initDbStartParams: ['--wal-segsize=4'] })
  await database.close()
  rmSync(directory, { recursive: true, force: true })
  renameSync(aside, directory)
  writeFileSync(stamp, version)
}
