/**
 * A registry in this process that answers as the real ones do, each in its own way: Confluent's with its codes, and
 * Apicurio's as it was seen to answer (409 for 40901, NONE for a subject without a level of its own). Compatibility
 * is whatever `incompatible` says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isCompatibilityLevel } from '../compatibility-level.ts'

export interface FakeRegistryOptions {
  readonly flavour: 'confluent' | 'apicurio'
  /** Says why a schema must not follow what the subject holds; only asked where a level is in force. */
  readonly incompatible?: (subject: string, text: string) => string | undefined
  /** Lets in only who shows this header. */
  readonly authorization?: string
}

export interface FakeRegistry {
  readonly url: string
  /** Every request, `METHOD /path`. */
  readonly requests: string[]
  /** Puts a schema in without being asked; answers its id. */
  put(subject: string, text: string, extra?: Record<string, unknown>): number
  setGlobalLevel(level: string): void
  ownLevel(subject: string): string | undefined
  /** From now on it answers with this, or (`cut`) hangs up without a word; `undefined` mends it. */
  break(how: { status: number; body: string } | 'cut' | undefined): void
  /** Called before each answer; may wait. */
  onRequest: (path: string) => Promise<void> | undefined
  close(): Promise<void>
}

interface Stored {
  readonly id: number
  readonly subject: string
  readonly version: number
  readonly schema: string
  readonly extra: Record<string, unknown>
}

type Answer = readonly [status: number, body: unknown]

/** Starts it on a free port. */
export async function startFakeRegistry(options: FakeRegistryOptions): Promise<FakeRegistry> {
  const confluent = options.flavour === 'confluent'
  const prefix = confluent ? '' : '/apis/ccompat/v7'
  const stored: Stored[] = []
  const levels = new Map<string, string>()
  let globalLevel = confluent ? 'BACKWARD' : 'NONE'
  let nextId = 71
  let broken: { status: number; body: string } | 'cut' | undefined

  const of = (subject: string) => stored.filter((entry) => entry.subject === subject)
  const levelOf = (subject: string) => levels.get(subject) ?? globalLevel
  const problem = (status: number, code: number, message: string): Answer => [
    status,
    { error_code: code, message },
  ]
  const noSubject = (subject: string) => problem(404, 40401, `Subject '${subject}' not found.`)

  function put(subject: string, schema: string, extra: Record<string, unknown> = {}): number {
    const same = of(subject).find((entry) => entry.schema === schema)
    if (same) return same.id
    const elsewhere = stored.find((entry) => entry.schema === schema)
    const id = elsewhere?.id ?? nextId++
    // Apicurio burns a number where the same content stands under another subject already.
    if (elsewhere && !confluent) nextId++
    stored.push({ id, subject, version: of(subject).length + 1, schema, extra })
    return id
  }

  function register(subject: string, schema: string): Answer {
    if (!isJson(schema)) return problem(422, 42201, 'Invalid schema')
    const known = of(subject).find((entry) => entry.schema === schema)
    const reason = levelOf(subject) === 'NONE' ? undefined : options.incompatible?.(subject, schema)
    if (known || of(subject).length === 0 || reason === undefined) return [200, { id: put(subject, schema) }]
    return confluent
      ? problem(
          409,
          40901,
          `Schema being registered is incompatible with an earlier schema; details: ${reason}`,
        )
      : problem(409, 409, `RuleViolationException: Incompatible artifact: ${subject} [AVRO], ${reason}`)
  }

  function check(subject: string, schema: string): Answer {
    if (of(subject).length === 0) return noSubject(subject)
    const reason = options.incompatible?.(subject, schema)
    const messages = confluent && reason !== undefined ? [reason] : []
    return [200, { is_compatible: reason === undefined, ...(confluent && { messages }) }]
  }

  function config(
    method: string,
    subject: string,
    search: URLSearchParams,
    body: Record<string, unknown>,
  ): Answer {
    if (method === 'PUT') {
      const level = body.compatibility
      if (!isCompatibilityLevel(level)) return problem(422, 42203, 'Invalid compatibility level')
      levels.set(subject, level)
      return [200, { compatibility: level }]
    }
    const own = levels.get(subject)
    if (own !== undefined) return [200, { compatibilityLevel: own }]
    if (subject === '') return [200, { compatibilityLevel: globalLevel }]
    // As Apicurio 3.3.3, whatever is asked for by default.
    if (!confluent && of(subject).length === 0) return noSubject(subject)
    if (search.get('defaultToGlobal') === 'true') return [200, { compatibilityLevel: globalLevel }]
    return confluent
      ? problem(404, 40408, `Subject '${subject}' does not have subject-level compatibility configured`)
      : [200, { compatibilityLevel: 'NONE' }]
  }

  function version(subject: string, name: string): Answer {
    const entries = of(subject)
    if (entries.length === 0) return noSubject(subject)
    const entry = name === 'latest' ? entries.at(-1) : entries.find(({ version: n }) => String(n) === name)
    return entry ? [200, asAnswer(entry)] : problem(404, 40402, 'Version not found.')
  }

  function answer(method: string, url: URL, body: Record<string, unknown>): Answer {
    if (!url.pathname.startsWith(`${prefix}/`)) return [404, '<html>no such page</html>']
    const parts = url.pathname
      .slice(prefix.length + 1)
      .split('/')
      .map(decodeURIComponent)
    const [first, second = '', third, fourth = ''] = parts
    const schema = String(body.schema)
    if (first === 'subjects' && second === '')
      return [200, [...new Set(stored.map(({ subject }) => subject))]]
    if (first === 'subjects' && third === undefined) {
      const found = of(second).find((entry) => entry.schema === schema)
      if (of(second).length === 0) return noSubject(second)
      return found ? [200, asAnswer(found)] : problem(404, 40403, 'Schema not found')
    }
    if (first === 'subjects' && third === 'versions') {
      if (method === 'POST') return register(second, schema)
      if (fourth !== '') return version(second, fourth)
      return of(second).length === 0 ? noSubject(second) : [200, of(second).map(({ version: n }) => n)]
    }
    if (first === 'schemas' && second === 'ids') {
      const entries = stored.filter(({ id }) => String(id) === third)
      const [entry] = entries
      if (!entry) return problem(404, 40403, `Schema ${third} not found`)
      if (fourth === 'versions')
        return [200, entries.map(({ subject, version: n }) => ({ subject, version: n }))]
      return [200, { schema: entry.schema, ...entry.extra }]
    }
    if (first === 'config') return config(method, second, url.searchParams, body)
    if (first === 'compatibility') return check(third ?? '', schema)
    return problem(404, 404, 'HTTP 404 Not Found')
  }

  const server = createServer((request, response) => void serve(request, response))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    fake.requests.push(`${request.method} ${url.pathname.slice(prefix.length)}${url.search}`)
    const body = await bodyOf(request)
    await fake.onRequest(url.pathname)
    if (broken === 'cut') return void request.socket.destroy()
    if (broken) return void response.writeHead(broken.status).end(broken.body)
    const allowed =
      options.authorization === undefined || request.headers.authorization === options.authorization
    const [status, answered] = allowed
      ? answer(request.method ?? '', url, body)
      : problem(401, 40101, 'Unauthorized')
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
    response.end(typeof answered === 'string' ? answered : JSON.stringify(answered))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    requests: [],
    put,
    setGlobalLevel: (level) => {
      globalLevel = level
    },
    ownLevel: (subject) => levels.get(subject),
    break: (how) => {
      broken = how
    },
    onRequest: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

const asAnswer = ({ id, subject, version, schema, extra }: Stored): unknown => ({
  id,
  subject,
  version,
  schema,
  ...extra,
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return chunks.length === 0
    ? {}
    : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>)
}
