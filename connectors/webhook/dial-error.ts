/** A connection that was not made for a reason that no code of Node or undici names. */
import type { OutcomeClass } from '../../ports/sender.ts'

/** Names its outcome class itself. */
export class DialError extends Error {
  readonly outcome: OutcomeClass
  constructor(outcome: OutcomeClass, message: string, options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}
