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

/** Looks in a row that must find it running: a worker tells the state of before for a moment after it was told. */
const looksMin = 3

export function healthOf(status: ConnectorStatus | undefined): Health {
  if (!status) return { kind: 'starting' }
  const parts = [status, ...status.tasks]
  const failed = parts.find(({ state }) => state === 'FAILED')
  if (failed) return failure(failed.trace)
  if (parts.some(({ state }) => state === 'PAUSED' || state === 'STOPPED')) return { kind: 'stopped' }
  const runs = status.tasks.length > 0 && parts.every(({ state }) => state === 'RUNNING')
  return { kind: runs ? 'running' : 'starting' }
}

/** The health when it is settled, or `starting` when that took too long. */
export async function awaitRunning(
  client: ConnectClient,
  name: string,
  { clock, signal, waitMs = startWaitMs }: { clock: Clock; signal: AbortSignal; waitMs?: number },
): Promise<Health> {
  const until = clock.now() + waitMs
  for (let running = 0; ; ) {
    const health = healthOf(await client.status(name))
    running = health.kind === 'running' ? running + 1 : 0
    const isSettled = running >= looksMin || health.kind === 'failed' || health.kind === 'stopped'
    if (isSettled || clock.now() >= until || signal.aborted) return health
    await pause(clock, lookPauseMs, signal)
  }
}

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
