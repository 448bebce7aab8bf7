import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { manualClock } from '../../clock.ts'
import { createWorkbench, record, valuesOf } from '../contract/workbench.ts'
import { type EmbeddedLog, openEmbeddedLog } from './embedded-log.ts'
import { createLogCopy } from './log-copy.ts'
import type { LogEntry, LogSnapshot } from './snapshot.ts'

const clock = manualClock(1_700_000_000_000)
const openLog = (directory: string) => openEmbeddedLog({ directory, clock, durability: 'process' })
const benchOf = (log: EmbeddedLog) =>
  createWorkbench({ log, pass: async (ms) => clock.advance(ms), dispose: () => log.close() })

async function entriesOf(snapshot: LogSnapshot): Promise<LogEntry[]> {
  const found: LogEntry[] = []
  for await (const page of snapshot.pages()) found.push(...page)
  await snapshot.close()
  return found
}

describe('a snapshot of the embedded log', () => {
  let folder: string
  let log: EmbeddedLog
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-snapshot-'))
    log = await openLog(join(folder, 'log'))
  })
  afterEach(async () => {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('is the log of the moment it was taken at, whatever is written and removed before it is read', async () => {
    const bench = benchOf(log)
    const tp = { topic: await bench.topic(), partition: 0 }
    for (let n = 0; n < 50; n++) await bench.commit(tp, [record('k', `${n}`), record('l', `${n}`)])
    const end = await bench.end(tp, 'read_committed')
    const snapshot = log.snapshot()
    await bench.commit(tp, [record('k', 'later')])
    await bench.topic()
    await log.admin.deleteRecords([{ ...tp, offset: end }])

    const copy = await createLogCopy(join(folder, 'copy'), snapshot.format)
    for await (const page of snapshot.pages()) await copy.put(page)
    await snapshot.close()
    await copy.finish()

    const restored = await openLog(join(folder, 'copy'))
    const twin = benchOf(restored)
    expect(await restored.admin.listTopics()).toEqual([tp.topic])
    const { records, position } = await twin.drain(tp)
    expect(valuesOf(records)).toEqual(Array.from({ length: 50 }, (_, n) => [`${n}`, `${n}`]).flat())
    expect(position).toBe(end)
    await twin.commit(tp, [record('k', 'goes on')])
    expect(await twin.end(tp, 'read_committed')).toBe(end + 2)
    await restored.close()
  })

  it('refuses to copy a damaged batch, and names its place', async () => {
    const bench = benchOf(log)
    const tp = { topic: await bench.topic(), partition: 0 }
    await bench.commit(tp, [record('k', 'v')])
    await bench.commit(tp, [record('k', 'v')])
    await log.close()
    const level = new ClassicLevel<Buffer, Buffer>(join(folder, 'log', 'level'), {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    const [, second] = await level.iterator({ gte: Buffer.from('b'), lt: Buffer.from('c') }).all()
    if (!second) throw new Error('there should be two batches')
    const [key, value] = second
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1
    await level.put(key, value)
    await level.close()

    log = await openLog(join(folder, 'log'))
    const snapshot = log.snapshot()
    await expect(entriesOf(snapshot)).rejects.toThrow(
      `the batch at ${tp.topic}:0@2 in ${join(folder, 'log')} is damaged: its checksum is wrong; restore the directory from a backup`,
    )
    await snapshot.close()
  })

  it('ends with an error that may be tried again when the log is closed meanwhile', async () => {
    const bench = benchOf(log)
    await bench.commit({ topic: await bench.topic(), partition: 0 }, [record('k', 'v')])
    const snapshot = log.snapshot()
    await log.close()
    await expect(entriesOf(snapshot)).rejects.toMatchObject({ kind: 'retriable' })
    expect(() => log.snapshot()).toThrow(/closed/)
  })
})

describe('a copy of a log', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-copy-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('keeps the format that the entries had, and refuses a newer one before it makes anything', async () => {
    const copy = await createLogCopy(join(folder, 'a'), 1)
    await copy.finish()
    expect(await readFile(join(folder, 'a', 'format'), 'utf8')).toBe('waybill-log 1\n')
    await expect(createLogCopy(join(folder, 'b'), 2)).rejects.toThrow(
      /of format 2, this program knows up to 1: it was written by a newer version/,
    )
    await expect(readFile(join(folder, 'b', 'format'))).rejects.toThrow('ENOENT')
  })

  it('is not done when what lies on the disk is not what was put', async () => {
    const copy = await createLogCopy(join(folder, 'a'), 1)
    const entry: LogEntry = [Buffer.from('tx'), Buffer.from('{}')]
    // The same key twice: one entry less on the disk than was put.
    await copy.put([entry])
    await copy.put([entry])
    await expect(copy.finish()).rejects.toThrow(/is not what was written \(1 entries.*expected 2 entries/)
  })
})
