import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { partitionKey } from '../record-log/port.ts'
import { changelogFormatHeader } from './changelog-format.ts'
import { readOffsetMetadata, writeOffsetMetadata } from './offset-metadata.ts'
import { openRecorded, type RecordedApplication, totals } from './testing/recorded-directory.ts'
import { counting, input, openScene, records, sceneName, sceneTopology } from './testing/scene.ts'

const recordings = fileURLToPath(new URL('../../test/fixtures/', import.meta.url))

describe.each(['format-1'])('a data directory of %s', (recording) => {
  let directory: string
  let reports: string[]
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waybill-format-'))
    reports = []
    await cp(join(recordings, recording), directory, { recursive: true })
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const open = () => openRecorded(directory, { answers: true, report: (message) => reports.push(message) })

  it('is started on: state, offsets, tables and open calls are those it was left with', async () => {
    const recorded = await open()
    await recorded.application.settled()
    expect(recorded.asked.toSorted()).toEqual(['ant#1', 'ant#2', 'bee#1', 'bee#2'])
    await recorded.append('words', ['ant', 'y'], ['bee', 'y'])
    await recorded.application.settled()
    expect(await totalsOf(recorded)).toEqual([
      ...['Anna x 1', 'Anna x 2', 'Anna y 3'],
      ...['Bert x 1', 'Bert x 2', 'Bert y 3'],
    ])
    expect(reports).toEqual([])
    const restored = [...recorded.application.counters.snapshot()].filter(([name]) =>
      name.startsWith('restore.records'),
    )
    expect(restored.every(([, count]) => count === 0)).toBe(true)
    await recorded.close()
  })

  it('is refused when it says that a newer version wrote it, and stays as it is', async () => {
    // The log first: it is opened first, and would stay open when the state is refused.
    for (const part of ['log', 'state']) {
      const file = join(directory, part, 'format')
      const text = await readFile(file, 'utf8')
      const newer = text.replace(/\d+/, '99')
      await writeFile(file, newer)
      await expect(open()).rejects.toThrow(/says version 99.*written by a newer version; start that one/)
      expect(await readFile(file, 'utf8')).toBe(newer)
      await writeFile(file, text)
    }
  })

  it('with state of an older format drops that loudly, and rebuilds it from the changelogs', async () => {
    const file = join(directory, 'state', 'format')
    await writeFile(file, 'waybill-state 0\n')
    const recorded = await open()
    await recorded.append('words', ['ant', 'y'])
    await recorded.application.settled()
    expect((await totalsOf(recorded)).filter((text) => text.startsWith('Anna'))).toEqual([
      ...['Anna x 1', 'Anna x 2', 'Anna y 3'],
    ])
    expect(reports).toEqual([
      expect.stringMatching(/holds state of format 0, this program writes 1: it is dropped and rebuilt/),
    ])
    expect(await readFile(file, 'utf8')).toBe('waybill-state 1\n')
    await recorded.close()
  })
})

/** Everything on the output, by partition and offset, sorted by name. */
async function totalsOf({ log }: RecordedApplication): Promise<string[]> {
  const found: string[] = []
  const fetcher = log.fetcher()
  for (const partition of [0, 1]) {
    const tp = { topic: totals.name, partition }
    const ends = await log.admin.endOffsets([tp], 'read_committed')
    for (let offset = 0; offset < (ends.get(partitionKey(tp)) ?? 0); ) {
      const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 20 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
      for (const batch of fetched?.batches ?? []) {
        found.push(...batch.records.map(({ value }) => Buffer.from(value ?? []).toString()))
        offset = batch.lastOffset + 1
      }
    }
  }
  await fetcher.close()
  return found.toSorted()
}

describe('a changelog of a newer format', () => {
  it('is refused with its place and the mend, by a restore and by a standby', async () => {
    const changelog = { topic: `${sceneName}.p.kept-changelog`, partition: 0 }
    const newer = { key: changelogFormatHeader, value: Buffer.from('2') }
    const refusal =
      /kept-changelog:0@\d+ is written in changelog format 2, .* knows up to 1: .* start that one/
    const driver = await openScene(sceneTopology(counting), { instances: ['a', 'b'], standbys: 1 })
    await driver.pipe(input, ...records('k'))
    const standby = driver.application('a').taskIds().length > 0 ? 'b' : 'a'
    const writer = driver.log.writer({ transactionalId: 'a newer version' })
    const failed = expect(driver.application(standby).failed).rejects.toThrow(refusal)
    await writer.append([
      {
        ...changelog,
        records: [{ key: Buffer.from('k'), value: Buffer.from('?'), headers: [newer], timestamp: 0 }],
      },
    ])
    await failed
    await expect(driver.start('c')).rejects.toThrow(refusal)
    await driver.close()
  })
})

describe('the metadata of committed offsets', () => {
  it('is read back, is nothing when another program wrote it, and is refused when it is newer', () => {
    const metadata = { owner: 'a;b', streamTime: 5 }
    expect(readOffsetMetadata(writeOffsetMetadata(metadata))).toEqual(metadata)
    for (const text of ['', 'x', 'x;1;a', '1', '1;notatime;a'])
      expect(readOffsetMetadata(text)).toBeUndefined()
    expect(() => readOffsetMetadata('2;5;a')).toThrow(
      /in format 2, this program knows up to 1: .* start that one/,
    )
  })
})
