/** Serves the API on this machine: joins the routes to the delivery log, the commands, the gaps and the metrics. */
import { buildApi } from '../../api/app.ts'
import type { ApiAuth } from '../../api/auth.ts'
import type {
  BackupDesk,
  EndpointDesk,
  HealthSource,
  IngestDoor,
  MetricsSource,
  RedriveDesk,
  SecretDesk,
  TestDesk,
} from '../../api/options.ts'
import type { Clock, Random, Report } from '../../engine/index.ts'
import type { DeliveryLog } from '../../ports/delivery-log.ts'
import type { GapBoard } from '../gaps/gap-board.ts'
import { sendGap } from '../gaps/gaps.ts'
import { appendRecord } from '../pipeline/append-record.ts'
import type { RunningPipeline } from '../pipeline/open-pipeline.ts'
import { listenOn } from './listen-on.ts'

export interface ApiServiceOptions {
  readonly pipeline: Pick<RunningPipeline, 'log' | 'topics' | 'writer'>
  readonly store: DeliveryLog
  readonly health: HealthSource
  readonly metrics: MetricsSource
  readonly auth: ApiAuth
  readonly ingest?: IngestDoor | undefined
  readonly redrives: RedriveDesk
  readonly gaps: Pick<GapBoard, 'list'>
  readonly tests: TestDesk
  readonly secrets: SecretDesk
  readonly endpoints: EndpointDesk
  /** Without, there is no `/v1/backup`. */
  readonly backups?: (BackupDesk & { stop(): void }) | undefined
  readonly host: string
  /** 0 takes any that is free. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  readonly version: string
  readonly report: Report
}

export interface ApiService {
  /** Where it listens, e.g. `http://127.0.0.1:4929`. */
  readonly url: string
  stop(): Promise<void>
}

/** Rejects with a `CliError` when the port cannot be had. */
export async function startApi(options: ApiServiceOptions): Promise<ApiService> {
  const { log, topics, writer } = options.pipeline
  const api = buildApi({
    deliveryLog: options.store,
    commands: {
      send: (command) =>
        appendRecord(log, writer, topics.deliveryCommands, {
          key: command.endpoint_id,
          value: command,
          timestamp: command.requested_at,
        }),
    },
    gaps: {
      list: options.gaps.list,
      send: (request) => sendGap(log, writer, topics, request),
    },
    redrives: options.redrives,
    tests: options.tests,
    secrets: options.secrets,
    endpoints: options.endpoints,
    health: options.health,
    metrics: options.metrics,
    auth: options.auth,
    ingest: options.ingest,
    backups: options.backups,
    version: options.version,
    clock: options.clock,
    random: options.random,
    report: options.report,
  })
  return {
    url: await listenOn(api, options),
    stop: () => {
      // A closing server waits for what it answers, and a backup may take long.
      options.backups?.stop()
      return api.close()
    },
  }
}
