/**
 * The format of what a changelog holds. It rides in a header of each record, and no header means format 1.
 *
 * A header, because it stays with its record through compaction, so that a changelog of two formats (during a rolling
 * upgrade there is no other) is read right record by record. Kafka refuses topic configs that it does not know, and
 * the metadata of committed offsets belongs to the sources. Format 1 writes none: it costs nothing until it is needed.
 */
import type { LogRecord } from '../record-log/port.ts'

/** The newest format that this code reads, and the one it writes. */
export const changelogFormat = 1

export const changelogFormatHeader = 'waybill-changelog-format'

/** The format of a changelog record. */
export function formatOf({ headers }: Pick<LogRecord, 'headers'>): number {
  for (const { key, value } of headers) {
    if (key === changelogFormatHeader) return Number(Buffer.from(value ?? []).toString('latin1'))
  }
  return 1
}

/** Throws when a newer version wrote the record: reading it would be a guess. */
export function checkFormat(record: LogRecord, where: string): void {
  if (record.headers.length === 0) return
  const format = formatOf(record)
  if (format <= changelogFormat) return
  throw new Error(
    `${where}@${record.offset} is written in changelog format ${format}, this program knows up to ${changelogFormat}: ` +
      'the data was written by a newer version; start that one',
  )
}
