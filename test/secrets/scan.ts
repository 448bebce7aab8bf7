/** Looks for secrets in bytes: topics with keys and headers, databases entry by entry, files as they lie on the disk. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { partitionKey, type RecordLog } from '../../engine/index.ts'
import type { KnownSecret } from './known-secrets.ts'

/** Where a secret was found. */
export interface Finding {
  readonly where: string
  readonly secret: string
}

/** Looks for all secrets at once. */
export interface Scanner {
  /** Looks through bytes or text. */
  look(where: string, content: Uint8Array | string | null): void
  readonly findings: readonly Finding[]
  /** Bytes looked through: a scan of nothing finds nothing. */
  bytes(): number
}

interface Needle {
  readonly secret: KnownSecret
  readonly bytes: Buffer
  /** Not within a longer word or number. */
  readonly alone: boolean
}

/** A scanner for the secrets given: thousands of forms, megabytes of bytes, one pass. */
export function scanner(secrets: readonly KnownSecret[]): Scanner {
  const findings: Finding[] = []
  const needles = secrets.flatMap((secret): Needle[] => [
    ...secret.forms.map((form) => ({ secret, bytes: Buffer.from(form, 'utf8'), alone: false })),
    ...(secret.alone === undefined ? [] : [{ secret, bytes: Buffer.from(secret.alone), alone: true }]),
  ])
  const byStart = new Map<number, Needle[]>()
  // One bit for each beginning of three bytes: nearly every position ends here.
  const starts = new Uint8Array(1 << 21)
  for (const needle of needles) {
    const start = needle.bytes.readUIntBE(0, 3)
    byStart.set(start, [...(byStart.get(start) ?? []), needle])
    starts[start >> 3] = (starts[start >> 3] ?? 0) | (1 << (start & 7))
  }
  let bytes = 0
  return {
    findings,
    bytes: () => bytes,
    look(where, content) {
      if (content === null) return
      const buffer = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.from(content)
      bytes += buffer.length
      let start = 0
      for (let at = 0; at < buffer.length; at++) {
        start = ((start << 8) | (buffer[at] ?? 0)) & 0xffffff
        if (((starts[start >> 3] ?? 0) & (1 << (start & 7))) === 0 || at < 2) continue
        for (const needle of byStart.get(start) ?? []) {
          if (!standsAt(buffer, at - 2, needle)) continue
          findings.push({ where, secret: `${needle.secret.kind} ${needle.secret.text}` })
        }
      }
    },
  }
}

function standsAt(buffer: Buffer, at: number, { bytes, alone }: Needle): boolean {
  const end = at + bytes.length
  if (end > buffer.length || buffer.compare(bytes, 0, bytes.length, at, end) !== 0) return false
  return !alone || !(isOfWord(buffer[at - 1]) || isOfWord(buffer[end]))
}

/** Letters, digits and what else base64 is made of. */
const isOfWord = (byte: number | undefined): boolean =>
  byte !== undefined && /[0-9A-Za-z+/]/.test(String.fromCharCode(byte))

/** Every record of every topic, changelogs included: key, value and headers as the log hands them out. */
export async function scanTopics(log: RecordLog, look: Scanner['look']): Promise<string[]> {
  const names = await log.admin.listTopics()
  const described = await log.admin.describeTopics(names)
  for (const name of names) {
    for (let partition = 0; partition < (described.get(name)?.partitions ?? 0); partition++) {
      await scanPartition(log, { topic: name, partition }, look)
    }
  }
  return names
}

async function scanPartition(
  log: RecordLog,
  tp: { topic: string; partition: number },
  look: Scanner['look'],
) {
  const end = (await log.admin.endOffsets([tp], 'read_uncommitted')).get(partitionKey(tp)) ?? 0
  let offset = (await log.admin.startOffsets([tp])).get(partitionKey(tp)) ?? 0
  const fetcher = log.fetcher()
  while (offset < end) {
    const [fetched] = await fetcher.fetch([{ ...tp, offset, maxBytes: 1 << 20 }], {
      isolation: 'read_uncommitted',
      maxWaitMs: 0,
    })
    if (!fetched || fetched.batches.length === 0) break
    for (const { records, lastOffset } of fetched.batches) {
      for (const record of records) {
        look(`key in ${tp.topic}`, record.key)
        look(`value in ${tp.topic}`, record.value)
        for (const { key, value } of record.headers) {
          look(`header in ${tp.topic}`, key)
          look(`header in ${tp.topic}`, value)
        }
      }
      offset = lastOffset + 1
    }
  }
  await fetcher.close()
}

/** Every file below a directory as it lies there, and every LevelDB in it entry by entry: its blocks are compressed. */
export async function scanDirectory(directory: string, look: Scanner['look']): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  for (const entry of entries) {
    if (entry.isFile()) look(`file ${entry.name}`, await readFile(join(entry.parentPath, entry.name)))
  }
  // Only then the databases: to open one moves its files.
  const databases = entries.filter(({ name }) => name === 'CURRENT').map(({ parentPath }) => parentPath)
  for (const database of databases) {
    const level = new ClassicLevel<Uint8Array, Uint8Array>(database, {
      keyEncoding: 'view',
      valueEncoding: 'view',
    })
    for await (const [key, value] of level.iterator()) {
      look('key in a database', key)
      look('value in a database', value)
    }
    await level.close()
  }
  return databases.length
}
