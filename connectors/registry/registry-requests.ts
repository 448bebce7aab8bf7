/**
 * Requests to a registry's REST API (Confluent's, which Apicurio and Karapace speak too), for what
 * @kafkajs/confluent-schema-registry has no call: raw schema texts, lists of versions, levels, dry runs.
 */
import { Agent, type Dispatcher, request } from 'undici'
import {
  authorization,
  defaultRegistryTimeoutMs,
  type RegistryAddress,
  registryUrl,
  tlsOptions,
} from './registry-address.ts'
import { noAnswer, RegistryError, refusal } from './registry-error.ts'

/** A schema of a subject, or a whole list of them, is far smaller. */
const answerBytesMax = 16 * 1024 * 1024

export interface RegistryRequests {
  /** Without credentials and trailing slash: for messages. */
  readonly where: string
  /** Asks; `what` names the question in errors. Throws `RegistryError`. */
  ask(method: 'GET' | 'PUT' | 'POST', path: string, what: string, body?: unknown): Promise<unknown>
  close(): Promise<void>
}

/** Makes them; connects when it is used. Throws `RegistryError` when the address is none. */
export function registryRequests(address: RegistryAddress): RegistryRequests {
  const where = registryUrl(address)
  const timeoutMs = address.timeoutMs ?? defaultRegistryTimeoutMs
  const agent = new Agent({
    connect: { timeout: timeoutMs, ...tlsOptions(address) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: answerBytesMax,
  })
  const headers = {
    accept: 'application/vnd.schemaregistry.v1+json, application/json',
    ...authorization(address.auth),
  }

  return {
    where,
    async ask(method, path, what, body) {
      let answer: Dispatcher.ResponseData
      let text: string
      try {
        answer = await request(`${where}${path}`, {
          method,
          dispatcher: agent,
          headers: { ...headers, ...(body !== undefined && { 'content-type': contentType }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
        text = await answer.body.text()
      } catch (cause) {
        throw noAnswer(what, where, cause)
      }
      const parsed = parse(text)
      if (answer.statusCode >= 400) throw refusal({ what, where }, problemOf(answer.statusCode, parsed))
      if (parsed === undefined || answer.statusCode >= 300) {
        throw new RegistryError(
          'foreign',
          `${what}: what answers at ${where} is no schema registry; check registry.url: it ends where /subjects begins`,
          { status: answer.statusCode },
        )
      }
      return parsed
    },
    close: () => agent.close(),
  }
}

const contentType = 'application/vnd.schemaregistry.v1+json'

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The longest part of a registry's own words that is repeated. */
const saidCharactersMax = 500

function problemOf(status: number, body: unknown): { status: number; code?: number; message: string } {
  if (typeof body !== 'object' || body === null) return { status, message: '' }
  const { error_code: code, message } = body as Record<string, unknown>
  return {
    status,
    ...(typeof code === 'number' && { code }),
    message: typeof message === 'string' ? message.replaceAll(/\s+/g, ' ').slice(0, saidCharactersMax) : '',
  }
}
