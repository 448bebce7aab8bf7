/**
 * Talks to the API of a running Waybill. What is answered is checked against the API's own schemas; what goes wrong
 * becomes a `CliError` that says what mends it.
 */
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { Agent, type Dispatcher, request } from 'undici'
import { type ErrorBody, errorBody } from '../../api/contract/error.ts'
import { nameOf } from '../../api/contract/fields.ts'
import { namedSchemas } from '../../api/document.ts'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { ClientConfig } from '../config/client-config.ts'

export interface ApiClient {
  /** Reads; `path` may have a query. */
  get<Schema extends TSchema>(path: string, schema: Schema): Promise<Static<Schema>>
  /** Asks for something to be done; `key` makes it once, however often it is asked. */
  post<Schema extends TSchema>(
    path: string,
    key: string,
    schema: Schema,
    body?: object,
  ): Promise<Static<Schema>>
  /** Reads what is no JSON, as it comes. */
  stream(path: string): Promise<AsyncIterable<Uint8Array>>
  close(): Promise<void>
}

/** A page over a log of millions answers in well under a second. */
const answerTimeoutMs = 15_000

/** Makes the client; it connects when it is used. */
export function createApiClient({ url, token }: ClientConfig, signal: AbortSignal): ApiClient {
  const agent = new Agent({
    connect: { timeout: answerTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  })

  async function ask<Schema extends TSchema>(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    schema: Schema,
    sent?: object,
  ): Promise<Static<Schema>> {
    const target = new URL(path, url)
    // `next` comes from outside: whoever answers must not get us to show the token to somebody else.
    if (target.origin !== url.origin) throw notWaybill(url)
    if (token !== undefined) headers.authorization = `Bearer ${token}`
    let answer: Dispatcher.ResponseData
    let text: string
    try {
      answer = await request(target, {
        method,
        headers: sent ? { ...headers, 'content-type': 'application/json' } : headers,
        body: sent ? JSON.stringify(sent) : null,
        dispatcher: agent,
        signal,
      })
      text = await answer.body.text()
    } catch (cause) {
      throw signal.aborted ? interrupted(cause) : noAnswer(url, cause)
    }
    const body = parse(text)
    if (answer.statusCode >= 400) throw refused(url, answer.statusCode, body)
    if (!Value.Check(context, schema, body)) throw notWaybill(url)
    return body as Static<Schema>
  }

  async function stream(path: string): Promise<AsyncIterable<Uint8Array>> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const broken = (cause: unknown) => (signal.aborted ? interrupted(cause) : noAnswer(url, cause))
    const answer = await request(new URL(path, url), { headers, dispatcher: agent, signal }).catch(
      (cause) => {
        throw broken(cause)
      },
    )
    if (answer.statusCode >= 400) throw refused(url, answer.statusCode, parse(await answer.body.text()))
    return (async function* () {
      try {
        yield* answer.body
      } catch (cause) {
        throw signal.aborted ? interrupted(cause) : brokenOff(url, cause)
      }
    })()
  }

  return {
    stream,
    get: (path, schema) => ask('GET', path, {}, schema),
    post: (path, key, schema, body) => ask('POST', path, { 'idempotency-key': key }, schema, body),
    close: () => agent.close(),
  }
}

/** Schemas refer to each other by name. */
const context = Object.fromEntries(namedSchemas.map((schema) => [`${nameOf(schema)}#`, schema]))

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const interrupted = (cause: unknown): CliError =>
  new CliError(
    exitCode.interrupted,
    {
      what: 'interrupted before the answer came',
      mend: 'what was asked for may have been done all the same',
    },
    { cause },
  )

const noAnswer = (url: URL, cause: unknown): CliError =>
  new CliError(
    exitCode.unreachable,
    {
      what: `nothing answers at ${url.origin}: ${reasonOf(cause)}`,
      mend: 'start it with waybill start, or say where it is with --url or WAYBILL_URL',
    },
    { cause },
  )

const brokenOff = (url: URL, cause: unknown): CliError =>
  new CliError(
    exitCode.unreachable,
    {
      what: `the answer of ${url.origin} broke off: ${reasonOf(cause)}`,
      mend: 'see whether it runs, and ask again',
    },
    { cause },
  )

/** `connect ECONNREFUSED 127.0.0.1:4929`; a host with several addresses fails once for each. */
function reasonOf(cause: unknown): string {
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
  return first instanceof Error ? first.message : String(first)
}

const notWaybill = (url: URL): CliError =>
  new CliError(exitCode.usage, {
    what: `what answers at ${url.origin} is no Waybill, or one of another version`,
    mend: 'check --url and WAYBILL_URL',
  })

function refused(url: URL, status: number, body: unknown): CliError {
  if (!Value.Check(context, errorBody, body)) {
    return status >= 500
      ? new CliError(exitCode.unreachable, {
          what: `${url.origin} answers ${status}`,
          mend: 'try again later',
        })
      : notWaybill(url)
  }
  const { error } = body as ErrorBody
  const problems: Problem[] = error.details
    ? error.details.map(({ where, what }) => ({ what: `${where}: ${what}`, mend: mendOf(status, error) }))
    : [{ what: error.message, mend: mendOf(status, error) }]
  return new CliError(codeOf(status), problems)
}

/** A token that is missing is the caller's to give; one that is overloaded or broken is not the caller's fault. */
const codeOf = (status: number): ExitCode => (status >= 500 ? exitCode.unreachable : exitCode.usage)

const mendOf = (status: number, error: ErrorBody['error']): string =>
  status === 401 ? 'put the token into WAYBILL_TOKEN' : (error.mend ?? 'see docs/api.md')
