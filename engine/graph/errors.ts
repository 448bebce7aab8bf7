/** Errors of building a topology: they name the node and the mend, and come before anything runs. */
export class TopologyError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TopologyError'
  }
}

/**
 * The record in hand is refused: its changes are undone and it goes to the dead-letter topic. Thrown by
 * `context.reject`, by operators, and by outputs that are too large for their topic.
 */
export class RecordRejected extends Error {
  readonly reason: string
  constructor(reason: string, detail: string) {
    super(detail)
    this.name = 'RecordRejected'
    this.reason = reason
  }
}
