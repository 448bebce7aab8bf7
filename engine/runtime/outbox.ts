/**
 * Outputs that go out ahead of the commit. While records are processed, what they emitted is appended to the
 * transaction that the next commit will end, one append at a time, so that the log writes while we compute. Nothing of
 * it is visible before that commit, and all of it is undone by an abort: only the waiting moves, not the promise.
 *
 * Between records only: an output that its record's refusal could still take back is never on its way.
 */
import { type AppendBatch, LogError, type Transaction, type Writer } from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { abort, repeated } from './transaction.ts'

export interface OutboxOptions {
  readonly writer: Writer
  readonly output: Pick<OutputBuffer, 'take' | 'bytes'>
  /** Outputs of so many bytes are worth a request of their own; infinite: everything waits for the commit. */
  readonly aheadBytes: number
  readonly report: Report
  /** Aborted when the process is to be as dead: nothing more is sent. */
  readonly killed: AbortSignal
}

/** A transaction that outputs have gone into already. */
export interface Ahead {
  readonly transaction: Transaction
  /** Settles when they are there; rejects with the log's error. */
  readonly appended: Promise<void>
}

export interface Outbox {
  /** Whether a transaction is open that a commit, or `drop`, must end. */
  isOpen(): boolean
  /** Whether one is open and nothing of it is on its way: a commit would not have to wait. */
  hasArrived(): boolean
  /** Sends what has gathered if it is worth it and the last append is through. Never waits. */
  sendAhead(): void
  /** Hands the open transaction over to a commit; `undefined` when there is none. */
  take(): Ahead | undefined
  /** Aborts the open transaction: its tasks were closed. */
  drop(): void
  /** Resolves when no transaction that was dropped is on its way any more. Never rejects. */
  dropped(): Promise<void>
}

export function makeOutbox({ writer, output, aheadBytes, report, killed }: OutboxOptions): Outbox {
  let open:
    | { transaction: Transaction; appended: Promise<void>; state: 'idle' | 'busy' | 'failed' }
    | undefined
  let dropping: Promise<void> = Promise.resolve()

  function begin() {
    try {
      return writer.begin()
    } catch (error) {
      // A writer that was fenced: the commit asks again, and does what is to be done about it.
      if (error instanceof LogError) return undefined
      throw error
    }
  }

  function send(batches: readonly AppendBatch[], current: NonNullable<typeof open>) {
    current.state = 'busy'
    current.appended = repeated(() => current.transaction.append(batches)).then(
      () => {
        current.state = 'idle'
      },
      (error: unknown) => {
        current.state = 'failed'
        throw error
      },
    )
    // The commit awaits it; until then a failure must not count as unhandled.
    current.appended.catch(() => {})
  }

  return {
    isOpen: () => open !== undefined,
    hasArrived: () => open?.state === 'idle',
    sendAhead() {
      if (output.bytes() < aheadBytes || killed.aborted || (open && open.state !== 'idle')) return
      if (!open) {
        const transaction = begin()
        if (!transaction) return
        open = { transaction, appended: Promise.resolve(), state: 'idle' }
      }
      send(output.take(), open)
    },
    take() {
      const ahead = open
      open = undefined
      return ahead
    },
    drop() {
      const ahead = open
      open = undefined
      if (!ahead || killed.aborted) return
      dropping = ahead.appended.catch(() => {}).then(() => abort(ahead.transaction, report))
    },
    dropped: () => dropping,
  }
}
