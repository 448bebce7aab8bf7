/** What the ways in have taken and refused, as counters of the program: the metrics are made of them. */
import type { FolderIngest } from '../../connectors/ingest/folder-ingest.ts'
import type { HttpIngest } from '../../connectors/ingest/http-ingest.ts'

/** Counters of the ways in. */
export const ingestCounters = {
  /** Changes that came over HTTP, labelled `outcome`: accepted, repeated, ignored. */
  httpChanges: 'ingest_http_changes',
  /** Requests that were refused, labelled `status`. */
  httpRefused: 'ingest_http_refused',
  /** Files of the watched folder that were taken to their end. */
  files: 'ingest_files',
  fileRecords: 'ingest_file_records',
  badLines: 'ingest_bad_lines',
} as const

/** A snapshot, in the form of the engine's counters; what is not configured is not in it. */
export function ingestSnapshot(
  http: Pick<HttpIngest, 'counts'> | undefined,
  folder: Pick<FolderIngest, 'counts'> | undefined,
): ReadonlyMap<string, number> {
  const snapshot = new Map<string, number>()
  if (http) {
    const { refused, ...taken } = http.counts()
    for (const [outcome, count] of Object.entries(taken)) {
      snapshot.set(`${ingestCounters.httpChanges}{outcome="${outcome}"}`, count)
    }
    for (const [status, count] of Object.entries(refused)) {
      snapshot.set(`${ingestCounters.httpRefused}{status="${status}"}`, count)
    }
  }
  if (folder) {
    const { files, records, badLines } = folder.counts()
    snapshot.set(ingestCounters.files, files)
    snapshot.set(ingestCounters.fileRecords, records)
    snapshot.set(ingestCounters.badLines, badLines)
  }
  return snapshot
}
