/**
 * One transaction from begin to end, with what a client must do about lost replies: the same end again, and never a
 * guess. Whatever the caller puts into it happens between `begin` and `end`.
 */
import { type AppendResult, LogError, type Transaction, type Writer } from '../record-log/port.ts'
import type { Report } from './bulk-sink.ts'

/** How often one call is made before its error is the caller's: a retriable one, or an end whose reply was lost. */
const attempts = 5

export interface TransactionOptions {
  readonly writer: Writer
  readonly report: Report
  /** Aborted when the process is to be as dead: then not even an abort is sent. */
  readonly killed: AbortSignal
  /** One that was begun already. Default: a new one. */
  readonly transaction?: Transaction | undefined
}

/**
 * Runs `fill`, then commits. On an error nothing of it is visible, unless the error is `outcome_unknown`: then it may
 * have taken effect, and the writer must be initialised before the committed offsets tell.
 */
export async function inTransaction(
  { writer, report, killed, transaction = writer.begin() }: TransactionOptions,
  fill: (transaction: Transaction) => Promise<void>,
): Promise<readonly AppendResult[]> {
  let ending = false
  try {
    await fill(transaction)
    ending = true
    return await repeated(async () => {
      killed.throwIfAborted()
      return transaction.end('commit')
    }, ['outcome_unknown', 'retriable'])
  } catch (error) {
    // A commit that the log refused for good (its disk is full) cannot be turned into an abort; its error says it all.
    const decided = ending && error instanceof LogError && error.kind === 'rejected'
    const unknown = error instanceof LogError && error.kind === 'outcome_unknown'
    if (!unknown && !decided && !killed.aborted) await abort(transaction, report)
    throw error
  }
}

/** Makes a call again as long as it fails in a way that allows that. */
export async function repeated<T>(
  call: () => Promise<T>,
  kinds: readonly LogError['kind'][] = ['retriable'],
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      const again = error instanceof LogError && kinds.includes(error.kind)
      if (!again || attempt === attempts) throw error
    }
  }
}

/** Aborts. If this fails too, the log aborts the transaction by itself: by time-out, or at the next init of this id. */
export async function abort(transaction: Transaction, report: Report) {
  try {
    await transaction.end('abort')
  } catch (error) {
    report('a transaction could not be aborted; the log will do it', error)
  }
}
