/** Waits until a connector and its tasks run or have failed, and says what a failure means. */
import { type ConnectClient, type ConnectorStatus, pause } from '../../connectors/debezium/connect-client.ts'
import type { Clock } from '../../engine/index.ts'

/** How a connector is, in one word: `stopped` is somebody's wish, `starting` is neither here nor there. */
export type Health =
  | { readonly kind: 'running' }
  | { readonly kind: 'failed'; readonly reason: string; readonly mend: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }

/** A first snapshot's start may take a while; the tasks run then, and read on for as long as they need. */
const startWaitMs = 120_000
const lookPauseMs = 500

/**
 * Looks in a row that must find it running: a worker tells the state of before for a moment after it was told, and a
 * task runs for a second or two before it notices that it cannot.
 */
const looksMin = 8

/** For so long the state of before may still be told; after that it is a new one of the same kind. */
const oldNewsMs = 20_000

/** Reads the health out of what the worker says; undefined: it does not know the connector yet. */
export function healthOf(status: ConnectorStatus | undefined): Health {
  if (!status) return { kind: 'starting' }
  const parts = [status, ...status.tasks]
  const failed = parts.find(({ state }) => state === 'FAILED')
  if (failed) return failure(failed.trace)
  if (parts.some(({ state }) => state === 'PAUSED' || state === 'STOPPED')) return { kind: 'stopped' }
  const runs = status.tasks.length > 0 && parts.every(({ state }) => state === 'RUNNING')
  return { kind: runs ? 'running' : 'starting' }
}

export interface AwaitOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** How it was before something was done about it. */
  readonly before: Health
  /** Whether it was stopped and resumed: that it is stopped is old news too, then. */
  readonly resumed?: boolean
}

/** The health when it is settled, or `starting` when that took too long. */
export async function awaitRunning(
  client: ConnectClient,
  name: string,
  { clock, signal, before, resumed = false }: AwaitOptions,
): Promise<Health> {
  const startedAt = clock.now()
  for (let running = 0; ; ) {
    const health = healthOf(await client.status(name))
    running = health.kind === 'running' ? running + 1 : 0
    const waitedMs = clock.now() - startedAt
    const wasSo = isSameFailure(health, before) || (resumed && health.kind === 'stopped')
    const isOldNews = wasSo && waitedMs < oldNewsMs
    const isOver = running >= looksMin || health.kind === 'failed' || health.kind === 'stopped'
    if ((isOver && !isOldNews) || waitedMs >= startWaitMs || signal.aborted) return health
    await pause(clock, lookPauseMs, signal)
  }
}

/** Waits until the tasks of a stopped connector have ended: only then may its position be changed. */
export async function awaitStopped(
  client: ConnectClient,
  name: string,
  { clock, signal }: Pick<AwaitOptions, 'clock' | 'signal'>,
): Promise<boolean> {
  const until = clock.now() + startWaitMs
  for (;;) {
    const status = await client.status(name)
    if (status?.state === 'STOPPED' && status.tasks.length === 0) return true
    if (clock.now() >= until || signal.aborted) return false
    await pause(clock, lookPauseMs, signal)
  }
}

const isSameFailure = (one: Health, other: Health): boolean =>
  one.kind === 'failed' && other.kind === 'failed' && one.reason === other.reason

/** What is known of failures, by the words in their trace. */
const known: readonly { readonly words: RegExp; readonly mend: string }[] = [
  {
    words: /no longer available on the server|binlog.*(purged|not available)|Could not find first log file/i,
    mend: 'the log behind its position is gone: see "When the log is gone" in docs/capture.md',
  },
  {
    words: /not configured to use a ROW binlog|binlog_format|binlog_row_image/i,
    mend: 'the server must write whole rows: connectors/debezium/sql has the settings and a check of them',
  },
  {
    words:
      /Access denied|password authentication failed|permission denied|must be superuser|need.*privilege/i,
    mend: 'the account lacks a right: connectors/debezium/sql has the ones that it needs',
  },
  {
    words: /replication slot .* (is active|does not exist)|slot .* already exists/i,
    mend: 'another reader holds the slot, or it was dropped: see docs/capture.md',
  },
  {
    words: /publication .* does not exist/i,
    mend: 'make the publication: connectors/debezium/sql/postgresql.sql',
  },
  {
    words: /UnknownHost|Communications link failure|Connection refused|connection attempt failed|timed out/i,
    mend: 'the worker cannot reach the database, or Kafka: check the addresses in its environment',
  },
  {
    words: /db history topic|schema history|history topic is missing/i,
    mend: 'its history topic is gone or not its own: see docs/capture.md',
  },
  {
    words: /RecordTooLarge/i,
    mend: 'a row is larger than the topic or the broker takes: raise max.message.bytes of the topic',
  },
]

function failure(trace: string | null): Health {
  const lines = (trace ?? '').split('\n').map((line) => line.trim())
  // The outermost exception only says that something failed; the innermost says what.
  const causes = lines.filter((line) => line.startsWith('Caused by: '))
  const said = (causes.at(-1) ?? lines[0] ?? '').replace(/^Caused by: /, '')
  const reason = said.replace(/^(?:[\w$]+\.)+(\w*(?:Exception|Error)): /, '$1: ')
  const mend = known.find(({ words }) => words.test(trace ?? ''))?.mend
  return {
    kind: 'failed',
    reason: reason === '' ? 'the worker does not say why' : reason.slice(0, reasonCharactersMax),
    mend: mend ?? 'the log of the worker has the whole trace',
  }
}

/** Messages of databases can be long. */
const reasonCharactersMax = 300
