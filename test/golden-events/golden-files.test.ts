/**
 * Every event that the recordings bring about lies in a golden file: a change of one of them is a change for
 * receivers.
 */
import { describe, expect, it } from 'vitest'
import { defaultMapping, linesOf, readCaptured, runCaptured } from './captured-run.ts'
import { mariadbRun, postgresRun, recordedFiles } from './recordings.ts'

const mariadb = mariadbRun()
const postgres = postgresRun()

describe('the golden files', () => {
  it('hold every event of the MariaDB recording', async () => {
    await expect(linesOf(mariadb)).toMatchFileSnapshot('golden/mariadb.jsonl')
  })
  it('hold every event of the PostgreSQL recording', async () => {
    await expect(linesOf(postgres)).toMatchFileSnapshot('golden/postgres.jsonl')
  })
  it('come out the same when the recording is run again', () => {
    const again = runCaptured(readCaptured(recordedFiles('postgres')), defaultMapping())
    expect(linesOf(again)).toBe(linesOf(postgres))
  })
})

describe('each file on its own', () => {
  it('gives these events, also where it begins in the middle of lives', async () => {
    const files = [...recordedFiles('mariadb'), ...recordedFiles('postgres')]
    const tallies = files.map((file) => {
      const run = runCaptured(readCaptured([file]), defaultMapping())
      const events: Record<string, number> = {}
      for (const { event } of run.events) {
        events[event.payload.event] = (events[event.payload.event] ?? 0) + 1
      }
      return [file, { events, asides: Object.fromEntries(run.asides) }] as const
    })
    const text = `${JSON.stringify(Object.fromEntries(tallies), null, 2)}\n`
    await expect(text).toMatchFileSnapshot('golden/files.json')
  })
})
