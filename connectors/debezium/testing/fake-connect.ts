/**
 * A Kafka Connect worker in this process: answers as a real one (4.3) was seen to, state changes only after a look or
 * two, and a rebalance that refuses everything for as long as the test says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeConnect {
  readonly url: string
  /** Every request, `METHOD /path`. */
  readonly requests: string[]
  readonly configs: Map<string, Record<string, string>>
  /** So many requests are answered with 409 first. */
  rebalance(requests: number): void
  /** From now on tasks of the connector fail with this trace; `undefined` mends it. */
  failWith(name: string, trace: string | undefined): void
  /** The same, until its configuration changes; that is noticed a look later. */
  failUntilChanged(name: string, trace: string): void
  /** As PUT /connectors/NAME/stop leaves it. */
  stop(name: string): void
  /** What the plugin has to say about a setting. */
  readonly settingErrors: Map<string, string>
  /** Answers everything with this from now on. */
  answerWith: { status: number; body: string } | undefined
  close(): Promise<void>
}

export interface FakeConnectOptions {
  /** Lets in only who shows this header. */
  readonly authorization?: string
  readonly plugins?: readonly string[]
}

type Answer = readonly [status: number, body: unknown]

const worker = '127.0.0.1:8083'

/** Looks at a changed connector that still see the state of before; a worker applies changes on its own time. */
const staleLooks = 1

export async function startFakeConnect(options: FakeConnectOptions = {}): Promise<FakeConnect> {
  const plugins = options.plugins ?? [
    'io.debezium.connector.mariadb.MariaDbConnector',
    'io.debezium.connector.mysql.MySqlConnector',
    'io.debezium.connector.postgresql.PostgresConnector',
  ]
  const configs = new Map<string, Record<string, string>>()
  const traces = new Map<string, string>()
  const stopped = new Set<string>()
  /** What a change of the configuration does to a failure. */
  const lastTrace = new Map<string, string>()
  const mended = new Map<string, () => void>()
  const pending = new Map<string, { looks: number; state: string | undefined }>()
  let refusals = 0

  const problem = (status: number, message: string): Answer => [status, { error_code: status, message }]

  function stateOf(name: string): Record<string, unknown> | undefined {
    const waiting = pending.get(name)
    if (waiting && waiting.looks > 0) {
      waiting.looks--
      if (waiting.state === undefined) return undefined
      return status(name, waiting.state === 'FAILED' ? 'RUNNING' : waiting.state, [waiting.state])
    }
    if (stopped.has(name)) return status(name, 'STOPPED', [])
    return status(name, 'RUNNING', [traces.has(name) ? 'FAILED' : 'RUNNING'])
  }

  const status = (name: string, state: string, tasks: readonly string[]) => ({
    name,
    connector: { state, worker_id: worker, version: '3.5.0.Final' },
    tasks: tasks.map((task, id) => ({
      id,
      state: task,
      worker_id: worker,
      version: '3.5.0.Final',
      ...(task === 'FAILED' && { trace: traces.get(name) ?? lastTrace.get(name) }),
    })),
    type: 'source',
  })

  const noPlugin = (name: string) =>
    `Failed to find any class that implements Connector and which name matches ${name}, available connectors are: PluginDesc{…}`

  function put(name: string, config: Record<string, string>): Answer {
    const plugin = config['connector.class'] ?? ''
    if (!plugins.includes(plugin))
      return problem(400, `org.apache.kafka.connect.errors.ConnectException: ${noPlugin(plugin)}`)
    const [wrong] = fake.settingErrors
    if (wrong)
      return problem(
        400,
        `Connector configuration is invalid and contains the following 1 error(s):\n${wrong[1]}`,
      )
    const isNew = !configs.has(name)
    configs.set(name, { ...config, name })
    pending.set(name, {
      looks: staleLooks,
      state: isNew ? undefined : traces.has(name) ? 'FAILED' : 'RUNNING',
    })
    if (!isNew) mended.get(name)?.()
    return [isNew ? 201 : 200, { name, config: configs.get(name), tasks: [], type: 'source' }]
  }

  function validate(plugin: string): Answer {
    if (!plugins.includes(plugin)) return problem(500, `…BadRequestException: ${noPlugin(plugin)}`)
    const value = (setting: string, errors: string[]) => ({
      definition: { name: setting },
      value: { name: setting, value: null, recommended_values: [], errors, visible: true },
    })
    return [
      200,
      {
        name: plugin,
        error_count: fake.settingErrors.size,
        groups: [],
        configs: [
          value('tasks.max', []),
          ...[...fake.settingErrors].map(([setting, said]) => value(setting, [said])),
        ],
      },
    ]
  }

  function answer(method: string, url: URL, body: Record<string, string>): Answer {
    const [first, name = '', verb] = url.pathname.slice(1).split('/').map(decodeURIComponent)
    if (first === 'connector-plugins' && method === 'PUT') return validate(name)
    if (first !== 'connectors') return problem(404, 'HTTP 404 Not Found')
    if (name === '') {
      const entries = [...configs].map(([each, config]) => [
        each,
        {
          info: { name: each, config, tasks: [{ connector: each, task: 0 }], type: 'source' },
          status: stateOf(each),
        },
      ])
      return [200, Object.fromEntries(entries)]
    }
    if (verb === 'config' && method === 'PUT') return put(name, body)
    const state = configs.has(name) ? stateOf(name) : undefined
    if (verb === 'status') return state ? [200, state] : problem(404, `No status found for connector ${name}`)
    if (verb === 'stop' || verb === 'resume') {
      if (verb === 'stop') stopped.add(name)
      else stopped.delete(name)
      pending.set(name, { looks: staleLooks, state: verb === 'stop' ? 'RUNNING' : 'STOPPED' })
      return [202, '']
    }
    if (verb === 'offsets' && method === 'DELETE') {
      return state?.connector && stopped.has(name)
        ? [200, { message: 'The offsets for this connector have been reset successfully' }]
        : problem(400, 'Connectors must be in the STOPPED state before their offsets can be modified.')
    }
    if (verb === 'restart' && method === 'POST') {
      if (!configs.has(name)) return problem(404, `Unknown connector: ${name}`)
      if (url.searchParams.get('onlyFailed') !== 'true')
        pending.set(name, { looks: staleLooks, state: 'RESTARTING' })
      return [202, status(name, 'RESTARTING', ['RESTARTING'])]
    }
    return problem(405, 'HTTP 405 Method Not Allowed')
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    fake.requests.push(`${request.method} ${url.pathname}${url.search}`)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body =
      chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>)
    if (fake.answerWith) return void response.writeHead(fake.answerWith.status).end(fake.answerWith.body)
    const allowed =
      options.authorization === undefined || request.headers.authorization === options.authorization
    const [code, answered] = !allowed
      ? problem(401, 'User cannot access the resource.')
      : refusals-- > 0
        ? problem(409, 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)')
        : answer(request.method ?? '', url, body)
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(answered))
  }

  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeConnect = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    configs,
    rebalance: (requests) => {
      refusals = requests
    },
    failWith: (name, trace) => void (trace === undefined ? traces.delete(name) : traces.set(name, trace)),
    failUntilChanged(name, trace) {
      traces.set(name, trace)
      mended.set(name, () => {
        // The look that still tells the old failure comes first.
        lastTrace.set(name, trace)
        traces.delete(name)
      })
    },
    stop: (name) => void stopped.add(name),
    settingErrors: new Map(),
    answerWith: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}
