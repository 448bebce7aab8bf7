/** Why a service of the stack cannot be had, and what would mend it. */
export class StackError extends Error {
  readonly mend: string

  constructor(what: string, mend: string, options?: ErrorOptions) {
    super(`${what} — ${mend}`, options)
    this.name = 'StackError'
    this.mend = mend
  }
}
