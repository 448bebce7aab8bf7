/** A folder for each test, data directories in it with a log that was filled, and commands that run in it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { openEmbeddedLog, partitionKey, seededRandom, systemClock } from '../../../engine/index.ts'
import { capturedSurroundings } from '../../cli/testing/captured-surroundings.ts'
import { runCommand } from '../../main.ts'

/** The folder of the running test. */
export let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-backup-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A path in it. */
export const path = (...names: string[]) => join(folder, ...names)

/** Runs a command in it. */
export async function waybill(...args: string[]) {
  const surroundings = capturedSurroundings({ cwd: folder })
  const code = await runCommand(args, surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

const topic = {
  name: 'things',
  partitions: 2,
  config: { cleanup: 'delete', retentionMs: -1, maxRecordBytes: 8 << 20, timestampType: 'create' },
} as const

/** A data directory with a log in it: small records, and some larger than a frame. */
export async function fill(dataDirectory: string, { batches = 40, bytes = 3000 } = {}): Promise<void> {
  const random = seededRandom(7)
  const log = await openEmbeddedLog({
    directory: join(dataDirectory, 'log'),
    clock: systemClock,
    durability: 'process',
  })
  await log.admin.createTopics([topic])
  const writer = log.writer({ transactionalId: 'test' })
  for (let n = 0; n < batches; n++) {
    const value = Buffer.from(random.bytes(n % 20 === 0 ? 2_500_000 : bytes))
    const record = { key: Buffer.from(`k${n}`), value, headers: [], timestamp: n }
    await writer.append([{ topic: topic.name, partition: n % 2, records: [record] }])
  }
  await log.close()
}

/** All records of a data directory, as text. */
export async function recordsOf(dataDirectory: string): Promise<string[]> {
  const log = await openEmbeddedLog({ directory: join(dataDirectory, 'log'), clock: systemClock })
  const found: string[] = []
  const fetcher = log.fetcher()
  for (const partition of [0, 1]) {
    const tp = { topic: topic.name, partition }
    const end = (await log.admin.endOffsets([tp], 'read_committed')).get(partitionKey(tp)) ?? 0
    for (let offset = 0; offset < end; ) {
      const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 22 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
      for (const { records, lastOffset } of fetched?.batches ?? []) {
        for (const { key, value, offset: at } of records)
          found.push(`${partition}@${at} ${key} ${Buffer.from(value ?? []).toString('base64')}`)
        offset = lastOffset + 1
      }
    }
  }
  await fetcher.close()
  await log.close()
  return found
}
