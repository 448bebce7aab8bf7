/** Joins the ways in to a running pipeline: changes over HTTP, and files in a watched folder. */
import type { BadLine } from '../../connectors/ingest/captured-file.ts'
import {
  createFolderIngest,
  type FolderIngest,
  type ProgressTopic,
} from '../../connectors/ingest/folder-ingest.ts'
import {
  createHttpIngest,
  type HttpIngest,
  type HttpIngestOptions,
} from '../../connectors/ingest/http-ingest.ts'
import { type LagGate, lagGate } from '../../connectors/ingest/lag-gate.ts'
import type { Clock, RecordLog } from '../../engine/index.ts'
import { changeIdentity } from '../../processors/normalize/change-identity.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { classifyTopic } from '../../processors/normalize/source-topics.ts'
import type { FileProgress } from '../../schemas/index.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import type { Topics } from '../../topology/topics.ts'
import type { RunningPipeline } from '../pipeline/open-pipeline.ts'
import { readTopic } from '../pipeline/read-topic.ts'

export type Report = (message: string, cause?: unknown) => void

/** What both ways in need of what runs. */
export interface IngestSurroundings {
  readonly pipeline: Pick<RunningPipeline, 'ingest' | 'topics' | 'log'>
  readonly mapping: SourceMapping
  /** Real time. */
  readonly clock: Clock
  readonly report: Report
  /** Holds both back while the pipeline is behind; see `openLagGate`. */
  readonly gate?: Pick<LagGate, 'overloaded'>
}

/** Looks at how far NORMALIZE is behind the captured topics. Stop it before the log closes. */
export function openLagGate(options: {
  readonly pipeline: Pick<RunningPipeline, 'topics' | 'log'>
  readonly clock: Clock
  readonly report: Report
}): LagGate {
  const { topics, log } = options.pipeline
  return lagGate({
    log,
    groupId: pipelineName,
    topics: [topics.cdcOrders.name, topics.cdcAssignments.name],
    clock: options.clock,
    report: options.report,
  })
}

/** The handler behind `POST /ingest`. */
export function openHttpIngest(
  { pipeline, mapping, clock, report, gate }: IngestSurroundings,
  auth: HttpIngestOptions['auth'],
): HttpIngest {
  return createHttpIngest({
    ingest: pipeline.ingest,
    auth,
    clock,
    report,
    isMapped: (topic) => classifyTopic(topic, mapping) !== 'ignored',
    positionOf: (topic, value) => changeIdentity(topic, value, mapping).position,
    ...(gate && { overloaded: gate.overloaded }),
  })
}

/** The ingest of a watched folder; call `run`. */
export function openFolderIngest(
  { pipeline, clock, report, gate }: Omit<IngestSurroundings, 'mapping'>,
  watched: {
    readonly folder: string
    readonly onBadLine: (problem: BadLine) => void
    readonly settleMs?: number
    readonly pollMs?: number
  },
): FolderIngest {
  return createFolderIngest({
    ...watched,
    ingest: pipeline.ingest,
    // One folder per log: a second one would fence the first.
    writer: pipeline.log.writer({ transactionalId: 'watched-folder' }),
    progress: progressTopic(pipeline.log, pipeline.topics, clock),
    clock,
    report,
    ...(gate && { overloaded: gate.overloaded }),
  })
}

function progressTopic(log: RecordLog, { ingestProgress }: Topics, clock: Clock): ProgressTopic {
  const { name, key, value } = ingestProgress
  return {
    async read() {
      // The pipeline does not read it, so nobody else has made it.
      await log.admin.createTopics([
        { name, partitions: ingestProgress.partitions ?? 1, config: ingestProgress.config },
      ])
      const files = new Map<string, FileProgress | null>()
      for (const record of await readTopic(log, ingestProgress)) files.set(record.key, record.value)
      return [...files.values()].filter((progress) => progress !== null)
    },
    batch(file, progress) {
      const record = {
        key: key.serialize(file),
        value: value.serialize(progress),
        headers: [],
        timestamp: clock.now(),
      }
      return { topic: name, partition: 0, records: [record] }
    },
  }
}
