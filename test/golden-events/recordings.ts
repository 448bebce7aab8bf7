/** The recordings in test/fixtures/cdc as they come out under the default mapping. */
import { readdirSync } from 'node:fs'
import { type CapturedRun, defaultMapping, readCaptured, runCaptured } from './captured-run.ts'

/** The files of one database's recording, in the order in which they were made. */
export const recordedFiles = (database: 'mariadb' | 'postgres'): string[] =>
  readdirSync(new URL(`../fixtures/cdc/${database}/`, import.meta.url))
    .filter((name) => /^\d\d-.*\.jsonl$/.test(name))
    .sort()
    .map((name) => `${database}/${name}`)

const runOf = (database: 'mariadb' | 'postgres'): CapturedRun =>
  runCaptured(readCaptured(recordedFiles(database)), defaultMapping())

/** Runs the whole MariaDB recording. */
export const mariadbRun = (): CapturedRun => runOf('mariadb')

/** Runs the whole PostgreSQL recording. */
export const postgresRun = (): CapturedRun => runOf('postgres')
