/** The exit codes of every command, in one table. Scripts rely on them: a number is never given a new meaning. */
export const exitCode = {
  /** Done. Also a service stopped by SIGTERM or by --duration: somebody asked for exactly that. */
  ok: 0,
  /** A bug in Waybill. */
  internal: 1,
  /** Wrong usage, configuration or input: the caller can mend it. */
  usage: 2,
  /** Something we depend on cannot be reached: a database, a broker, a data directory that is in use. */
  unreachable: 3,
  /** It worked, and found something: undecodable records under --strict, pending changes. */
  findings: 100,
  /** Ctrl-C (128 + SIGINT), after a clean stop or a forced one. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]
