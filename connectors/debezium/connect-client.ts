/**
 * Kafka Connect's REST API, as far as connectors are planned, applied and looked at. A worker that is rebalancing
 * answers 409 for a moment; that is waited for here, so that nobody else has to know.
 */
import { Agent, type Dispatcher, request } from 'undici'
import type { Clock } from '../../engine/index.ts'
import { ConnectError, kindOfStatus } from './connect-error.ts'
import { type ConnectorConfig, readConfig } from './connector-config.ts'

export interface ConnectClientOptions {
  /** Where a worker listens: scheme, host and port. */
  readonly url: URL
  /** `user:password`, for workers behind basic authentication. */
  readonly credentials?: string
  /** Real time. */
  readonly clock: Clock
  readonly signal: AbortSignal
  /** For how long a rebalance is waited for. */
  readonly rebalanceWaitMs?: number
}

/** `RUNNING`, `FAILED`, `PAUSED`, `STOPPED`, `UNASSIGNED`, `RESTARTING`, or what a later version adds. */
export type ConnectState = string

export interface ConnectorStatus {
  readonly state: ConnectState
  readonly worker: string
  /** Of a failure; the first line says what happened. */
  readonly trace: string | null
  readonly tasks: readonly TaskStatus[]
}

export interface TaskStatus {
  readonly id: number
  readonly state: ConnectState
  readonly worker: string
  readonly trace: string | null
}

/** A connector as the worker has it. */
export interface DeployedConnector {
  readonly name: string
  readonly config: ConnectorConfig
  /** `undefined` in the moment after it was made. */
  readonly status: ConnectorStatus | undefined
}

/** What is wrong with one setting, in the connector's own words. */
export interface SettingError {
  readonly setting: string
  readonly message: string
}

/** Every call throws `ConnectError`. */
export interface ConnectClient {
  /** The address, for messages. */
  readonly where: string
  connectors(): Promise<ReadonlyMap<string, DeployedConnector>>
  /**
   * Has the plugin look at a configuration. It connects to the database for that, so this takes as long as the
   * database takes to answer or to not answer.
   */
  validate(config: ConnectorConfig): Promise<readonly SettingError[]>
  /** Makes the connector, or gives it this configuration; its tasks are started anew by the worker. */
  put(name: string, config: ConnectorConfig): Promise<'created' | 'changed'>
  status(name: string): Promise<ConnectorStatus | undefined>
  /** Restarts the connector and its tasks, or those alone that failed. */
  restart(name: string, options: { readonly onlyFailed: boolean }): Promise<void>
  /** Ends the connector's tasks; it stays, with its configuration and its position. */
  stop(name: string): Promise<void>
  /** Forgets how far a stopped connector had read. */
  forgetPosition(name: string): Promise<void>
  resume(name: string): Promise<void>
  close(): Promise<void>
}

/** Connect itself gives up a request after 90 s. */
const answerTimeoutMs = 100_000
const connectTimeoutMs = 10_000

const defaultRebalanceWaitMs = 60_000
const rebalancePauseMs = 500

/** Makes the client; it connects when it is used. */
export function connectClient(options: ConnectClientOptions): ConnectClient {
  const { url, clock, signal, credentials } = options
  const where = url.origin
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  })
  const headers = {
    accept: 'application/json',
    ...(credentials !== undefined && {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
    }),
  }

  async function askOnce(method: Method, path: string, what: string, body?: unknown): Promise<Answer> {
    let answer: Dispatcher.ResponseData
    let text: string
    try {
      answer = await request(`${where}${path}`, {
        method,
        dispatcher: agent,
        signal,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      text = await answer.body.text()
    } catch (cause) {
      const reason = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
      const said = reason instanceof Error ? reason.message : String(reason)
      throw new ConnectError('unreachable', `${what}: nothing answers at ${where} (${said})`, { cause })
    }
    const { statusCode: status } = answer
    const parsed = parse(text)
    if (status < 300 && (parsed !== undefined || text === '')) return { status, body: parsed }
    if (status < 400)
      throw new ConnectError('foreign', `${what}: what answers at ${where} is no Kafka Connect`, { status })
    // Said with 500 where settings are checked, with 400 where they are applied; both list every plugin there is.
    if (messageOf(parsed).includes('Failed to find any class that implements Connector')) {
      throw new ConnectError('not_found', `${what}: the worker at ${where} has no such plugin`, { status })
    }
    throw new ConnectError(
      kindOfStatus(status),
      `${what}: ${where} says ${status} ${messageOf(parsed)}`.trim(),
      { status },
    )
  }

  async function ask(method: Method, path: string, what: string, body?: unknown): Promise<Answer> {
    const until = clock.now() + (options.rebalanceWaitMs ?? defaultRebalanceWaitMs)
    for (;;) {
      try {
        return await askOnce(method, path, what, body)
      } catch (error) {
        const waits = error instanceof ConnectError && error.kind === 'busy' && clock.now() < until
        if (!waits || signal.aborted) throw error
        await pause(clock, rebalancePauseMs, signal)
      }
    }
  }

  return {
    where,
    async connectors() {
      const { body } = await ask('GET', '/connectors?expand=info&expand=status', 'listing the connectors')
      if (!isRecord(body)) {
        throw new ConnectError(
          'foreign',
          `listing the connectors: what answers at ${where} is no Kafka Connect`,
        )
      }
      return new Map(Object.entries(body).map(([name, entry]) => [name, deployedOf(name, entry)]))
    },

    async validate(config) {
      const plugin = config['connector.class'] ?? ''
      const path = `/connector-plugins/${encodeURIComponent(plugin)}/config/validate`
      const { body } = await ask('PUT', path, `checking the settings of ${plugin}`, config)
      return settingErrors(body)
    },

    async put(name, config) {
      const path = `/connectors/${encodeURIComponent(name)}/config`
      const { status } = await ask('PUT', path, `applying connector ${name}`, config)
      return status === 201 ? 'created' : 'changed'
    },

    async status(name) {
      try {
        const path = `/connectors/${encodeURIComponent(name)}/status`
        return statusOf((await ask('GET', path, `looking at connector ${name}`)).body)
      } catch (error) {
        if (error instanceof ConnectError && error.kind === 'not_found') return undefined
        throw error
      }
    },

    async restart(name, { onlyFailed }) {
      const path = `/connectors/${encodeURIComponent(name)}/restart?includeTasks=true&onlyFailed=${onlyFailed}`
      await ask('POST', path, `restarting connector ${name}`)
    },

    async stop(name) {
      await ask('PUT', `/connectors/${encodeURIComponent(name)}/stop`, `stopping connector ${name}`)
    },

    async forgetPosition(name) {
      const path = `/connectors/${encodeURIComponent(name)}/offsets`
      await ask('DELETE', path, `forgetting the position of connector ${name}`)
    },

    async resume(name) {
      await ask('PUT', `/connectors/${encodeURIComponent(name)}/resume`, `resuming connector ${name}`)
    },

    close: () => agent.close(),
  }
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Waits; a withdrawn wish ends the wait, and the next question says so. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.at(clock.now() + ms, finish)
    if (signal.aborted) finish()
    else signal.addEventListener('abort', finish)
  })
}

function deployedOf(name: string, entry: unknown): DeployedConnector {
  const { info, status } = asRecord(entry)
  return {
    name,
    config: readConfig(asRecord(info).config),
    status: status === undefined ? undefined : statusOf(status),
  }
}

function statusOf(value: unknown): ConnectorStatus {
  const { connector, tasks } = asRecord(value)
  const { state, worker_id: worker, trace } = asRecord(connector)
  return {
    state: String(state),
    worker: String(worker),
    trace: typeof trace === 'string' ? trace : null,
    tasks: (Array.isArray(tasks) ? (tasks as unknown[]) : []).map((task) => {
      const { id, state: taskState, worker_id: taskWorker, trace: taskTrace } = asRecord(task)
      return {
        id: Number(id),
        state: String(taskState),
        worker: String(taskWorker),
        trace: typeof taskTrace === 'string' ? taskTrace : null,
      }
    }),
  }
}

function settingErrors(body: unknown): SettingError[] {
  const { configs } = asRecord(body)
  return (Array.isArray(configs) ? (configs as unknown[]) : []).flatMap((entry) => {
    const { name, errors } = asRecord(asRecord(entry).value)
    return (Array.isArray(errors) ? (errors as unknown[]) : []).map((message) => ({
      setting: String(name),
      message: String(message),
    }))
  })
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const asRecord = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {})

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The longest part of the worker's words that is repeated. */
const saidCharactersMax = 600

function messageOf(body: unknown): string {
  const { message } = asRecord(body)
  return typeof message === 'string' ? message.replaceAll(/\s+/g, ' ').slice(0, saidCharactersMax) : ''
}
