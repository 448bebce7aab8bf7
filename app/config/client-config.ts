/** The settings of commands that talk to a running Waybill: where it is, and the token that it asks for. */
import { CliError, type Problem } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { defaultApiPort } from './setting-defaults.ts'
import { type Format, readFormat } from './setting-values.ts'

export interface ClientConfig {
  /** Without path. */
  readonly url: URL
  readonly token: string | undefined
  readonly format: Format
}

/** What the command line may set. A token is none of it: everybody on a machine can read the arguments of a process. */
export interface ClientFlags {
  readonly url?: string
  readonly format?: string
  readonly json?: boolean
}

/** Reads the settings; everything that is wrong comes in one `CliError`. */
export function readClientConfig(
  flags: ClientFlags,
  { env }: { readonly env: Readonly<Record<string, string | undefined>> },
): ClientConfig {
  const problems: Problem[] = []
  const named = flags.url === undefined ? 'WAYBILL_URL' : '--url'
  const text = flags.url ?? (env.WAYBILL_URL || `http://127.0.0.1:${defaultApiPort}`)
  const url = parseUrl(text)
  if (!url) {
    problems.push({
      what: `${named} "${text}" is not an address`,
      mend: `write it like http://127.0.0.1:${defaultApiPort}`,
    })
  }
  const token = env.WAYBILL_TOKEN === '' ? undefined : env.WAYBILL_TOKEN
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    const mend = 'write the token alone, without spaces or line breaks'
    problems.push({ what: 'WAYBILL_TOKEN cannot be a token', mend })
  }
  const format = readFormat(
    flags.json ? 'json' : undefined,
    flags.format !== undefined
      ? { text: flags.format, name: '--format' }
      : env.WAYBILL_FORMAT
        ? { text: env.WAYBILL_FORMAT, name: 'WAYBILL_FORMAT' }
        : undefined,
    problems,
  )
  if (problems.length > 0 || !url) throw new CliError(exitCode.usage, problems)
  return Object.freeze({ url, token, format })
}

function parseUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const plain = url.pathname === '/' && url.search === '' && url.username === '' && url.password === ''
  return plain && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined
}
