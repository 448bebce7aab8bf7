/** What the API needs from outside: the narrow interfaces it calls, and its settings. */
import type { Readable } from 'node:stream'
import type { Clock, Random } from '../engine/index.ts'
import type { DeliveryLog, Scope } from '../ports/delivery-log.ts'
import type { DeliveryCommand, RedriveProgress, SentEvent, TestEvent } from '../schemas/index.ts'
import type { ApiAuth } from './auth.ts'
import type { EndpointBody } from './contract/endpoints.ts'
import type { ErrorBody } from './contract/error.ts'
import type { IngestedBody } from './contract/operations.ts'

/** Takes commands for DELIVER. */
export interface CommandSink {
  /** Resolves when the command is durably queued. Rejects when that is not certain: the same one may then be sent again. */
  send(command: DeliveryCommand): Promise<void>
}

/** The metrics of the process, in the format of Prometheus. */
export interface MetricsSource {
  /** Media type of the text. */
  readonly contentType: string
  text(): Promise<string>
}

/** Something about the process that is not as it should be. */
export interface HealthFinding {
  /** What is concerned, e.g. `pipeline`. */
  readonly part: string
  readonly what: string
  readonly mend?: string
  /** `blocking`: give this process no work. `degraded`: something is missing, the main work goes on. */
  readonly severity: 'blocking' | 'degraded'
}

/** Knows how the process does. The delivery log is asked by the API itself. */
export interface HealthSource {
  /** All findings; none: all is well. */
  findings(): Promise<readonly HealthFinding[]>
}

/** Takes changes of the source over HTTP. Decides itself who may: a signature is about the bytes of the body. */
export interface IngestDoor {
  handle(request: {
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
    readonly query: { readonly topic?: string | undefined }
    /** As it was sent, unparsed and still zipped. */
    readonly body: Uint8Array
  }): Promise<{
    readonly status: 200 | 400 | 401 | 413 | 415 | 429 | 503
    readonly headers: Readonly<Record<string, string>>
    readonly body: IngestedBody | ErrorBody
  }>
}

/** A transition that a snapshot showed and no change had told of. */
export interface ListedGap {
  readonly order_id: string
  readonly partner_id: string
  readonly event_id: string
  readonly event: string | null
  readonly from_status: string
  readonly to_status: string
  readonly occurred_at: number
  readonly noticed_at: number
  readonly state: string
  readonly sent_at: number | null
}

/** Knows the gaps of all orders, and has them sent. */
export interface GapDesk {
  /** Oldest notice first. */
  list(): Promise<readonly ListedGap[]>
  /** Durable when it resolves; a gap is sent once, whatever is repeated. */
  send(request: {
    readonly orderId: string
    readonly eventId: string
    readonly commandId: string
    readonly requestedBy: 'api'
    /** Pipeline time. */
    readonly now: number
  }): Promise<void>
}

/** Knows how far redrives are. */
export interface RedriveDesk {
  /** Newest first. */
  list(): Promise<readonly RedriveProgress[]>
}

/** Whose endpoint is to be tested, and with what. */
export interface TestRequest {
  readonly scope: Scope
  readonly endpointId: string
  /** Default: one that the endpoint takes. */
  readonly event: SentEvent | undefined
  /** Id that the event gets. */
  readonly eventId: string
  /** Pipeline time. */
  readonly now: number
}

/** The event, or why there is none. What is another partner's does not exist. */
export type MadeTest =
  | { readonly test: TestEvent }
  | { readonly refused: 'no_such_endpoint' | 'version_too_old' }

/** Makes example events, rendered and sealed for an endpoint. */
export interface TestDesk {
  make(request: TestRequest): Promise<MadeTest>
}

/** Whose secret is to be replaced. */
export interface RotationRequest {
  readonly scope: Scope
  readonly endpointId: string
  /** Names the request: the same one makes the same secret, once. */
  readonly commandId: string
  /** How long the former secret goes on signing. */
  readonly overlapMs: number
  /** Real time. */
  readonly now: number
}

/** What to verify with from now on, or why there is nothing new. What is another partner's does not exist. */
export type RotatedSecret =
  | { readonly secret: string; readonly keyId: string; readonly formerUntil: number }
  | { readonly refused: 'no_such_endpoint' | 'secret_stated' | 'too_many_secrets' }

/** Replaces signing secrets. */
export interface SecretDesk {
  /** Published when it resolves. Rejects when that is not certain: the same request may then be made again. */
  rotate(request: RotationRequest): Promise<RotatedSecret>
}

/** Whose endpoint is to be paused or resumed. */
export interface PauseRequest {
  readonly scope: Scope
  readonly endpointId: string
  readonly paused: boolean
}

/** Knows how endpoints are set up, and pauses them. What is another partner's does not exist. */
export interface EndpointDesk {
  /** By id. */
  list(scope: Scope): Promise<readonly EndpointBody[]>
  /** Published when it resolves. Rejects when that is not certain. */
  setPaused(
    request: PauseRequest,
  ): Promise<EndpointBody | { readonly refused: 'no_such_endpoint' | 'endpoint_disabled' }>
}

/** Makes backups of what the process keeps. */
export interface BackupDesk {
  /** Begins one of this moment; whoever reads the stream no further destroys it. */
  start():
    | { readonly createdAt: number; readonly stream: Readable }
    | { readonly refused: 'backup_running' | 'log_elsewhere' }
}

/** Where log lines go, each a JSON object with a line feed. Bodies, headers and query strings are never among them. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  write(line: string): void
}

export interface ApiOptions {
  readonly deliveryLog: DeliveryLog
  readonly commands: CommandSink
  readonly health: HealthSource
  readonly metrics: MetricsSource
  readonly auth: ApiAuth
  /** Without, there is no `/ingest`. */
  readonly ingest?: IngestDoor | undefined
  /** Without, there is no `/v1/gaps`. */
  readonly gaps?: GapDesk | undefined
  /** Without, there is no `/v1/redrives`. */
  readonly redrives?: RedriveDesk | undefined
  /** Without, there is no `/v1/endpoints/{endpoint_id}/test`. */
  readonly tests?: TestDesk | undefined
  /** Without, endpoints can be neither listed nor paused. */
  readonly endpoints?: EndpointDesk | undefined
  /** Without, there is no `/v1/endpoints/{endpoint_id}/secret/rotate`. */
  readonly secrets?: SecretDesk | undefined
  /** Without, there is no `/v1/backup`. */
  readonly backups?: BackupDesk | undefined
  /** Version of the program. */
  readonly version: string
  /** Pipeline time, for commands. */
  readonly clock: Clock
  readonly random: Random
  /** Told of failures that a client is answered 500 or 503 for. */
  readonly report: (message: string, cause?: unknown) => void
  /** Off without. */
  readonly log?: LogOptions
}
