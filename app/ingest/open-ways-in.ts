/** Opens the ways in that are configured: the door for changes over HTTP, and the watched folder. */
import type { BadLine } from '../../connectors/ingest/captured-file.ts'
import type { HttpIngest } from '../../connectors/ingest/http-ingest.ts'
import type { Clock } from '../../engine/index.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { problemText } from '../cli/cli-error.ts'
import type { Config } from '../config/config.ts'
import type { RunningPipeline } from '../pipeline/open-pipeline.ts'
import { ingestSnapshot } from './ingest-counters.ts'
import { openFolderIngest, openHttpIngest, openLagGate, type Report } from './open-ingest.ts'

export interface WaysIn {
  /** What serves `POST /ingest`; `undefined`: it is not there. */
  readonly http: HttpIngest | undefined
  /** What was taken and refused so far. */
  counters(): ReadonlyMap<string, number>
  /** Takes files until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

export function openWaysIn(options: {
  readonly config: Pick<Config, 'ingest'>
  readonly pipeline: RunningPipeline
  readonly mapping: SourceMapping
  readonly clock: Clock
  readonly report: Report
}): WaysIn {
  const { pipeline, mapping, clock, report } = options
  const { folder, tokens, signingSecrets } = options.config.ingest
  const isDoorOpen = tokens.length + signingSecrets.length > 0
  const gate = isDoorOpen || folder !== undefined ? openLagGate({ pipeline, clock, report }) : undefined
  const surroundings = { pipeline, mapping, clock, report, ...(gate && { gate }) }
  const watched =
    folder === undefined
      ? undefined
      : openFolderIngest(surroundings, { folder, onBadLine: badLineReporter(report) })
  const http = isDoorOpen ? openHttpIngest(surroundings, { tokens, signingSecrets }) : undefined
  return {
    http,
    counters: () => ingestSnapshot(http, watched),
    run: async (signal) => watched?.run(signal),
    stop: async () => gate?.stop(),
  }
}

/** A file of the wrong kind has as many bad lines as it has lines: the first few tell enough. */
const badLinesShown = 10

function badLineReporter(report: Report): (problem: BadLine) => void {
  let current = ''
  let count = 0
  return ({ file, line, reason }) => {
    count = file === current ? count + 1 : 1
    current = file
    if (count > badLinesShown) return
    const mend = count === badLinesShown ? 'skipped; further ones of this file are not told' : 'skipped'
    report(problemText({ what: `not a record: ${reason}`, place: { file, line }, mend }))
  }
}
