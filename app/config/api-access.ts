/** Who may use the API: refuses settings with which everybody could, or nobody. */
import type { ApiAuth } from '../../api/auth.ts'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import type { ApiSettings, Config } from './config.ts'

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)

/**
 * What `POST /ingest` and the API are served with; `undefined`: there is none. The demo answers this machine without
 * being told to; a service has to be told.
 */
export function apiAuth(config: Config, command: 'start' | 'run'): ApiAuth | undefined {
  const problems: Problem[] = []
  const { api, ingest, origins } = config
  if (!api) {
    if (ingest.tokens.length + ingest.signingSecrets.length === 0) return undefined
    const mend = 'drop --no-api or "api.enabled: false", or the tokens and secrets of ingest'
    throw new CliError(exitCode.usage, { what: 'POST /ingest is part of the API, which is off', mend })
  }
  const none = api.auth === 'none' || (command === 'start' && api.tokens.length === 0 && !origins['api.auth'])
  if (none) problems.push(...problemsOfNone(api))
  else if (api.tokens.length === 0) {
    problems.push({
      what: 'nobody could use the API: it asks for a token, and none is configured',
      mend: 'make one with `waybill tokens new NAME`, or write "auth: none" under "api:", or switch it off with --no-api',
    })
  }
  if (problems.length > 0) throw new CliError(exitCode.usage, problems)
  return none ? 'none' : { tokens: api.tokens }
}

function problemsOfNone({ host, tokens }: ApiSettings): Problem[] {
  const problems: Problem[] = []
  if (tokens.length > 0) {
    const mend = 'drop the tokens, or "auth: none"'
    problems.push({ what: 'tokens are configured, and "auth: none" would ask for none', mend })
  }
  if (!isLoopback(host)) {
    const mend = 'configure tokens (`waybill tokens new NAME`), or listen on 127.0.0.1'
    problems.push({ what: `everybody who reaches ${host} could use the API without a token`, mend })
  }
  return problems
}
