/** Lines of the test database as the ingest takes them. */
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import type { CapturedLine } from '../pipeline/captured-line.ts'

export type { CapturedRecord }

/** A line as a captured record; its key says in which partition it goes. */
export const captured = (line: CapturedLine): CapturedRecord => ({
  ...line,
  partition: null,
  headers: line.headers ?? {},
})
