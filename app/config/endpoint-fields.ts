/** Reads and checks one endpoint of partners.yaml. */
import { suggestion } from '../cli/nearest.ts'
import { formatDuration, parseDuration } from './duration.ts'
import type { Fields } from './fields.ts'
import { type EndpointSettings, endpointDefaults, eventTypes } from './partner-settings.ts'

export const endpointKeys = [
  'id',
  'url',
  'events',
  'version',
  'secret',
  'secrets',
  'secret_env',
  'state',
  'timeout',
  'max_concurrent',
  'max_age',
] as const

/** Where secrets come from that the file does not hold. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The secret that was generated for an endpoint, made now if there is none yet. */
  generated(endpointId: string): string
}

/** An identifier that is safe in topics, URLs and terminals. */
export const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
export const idMend = 'use letters, digits, ".", "_" and "-", at most 64 of them'

const versions = ['v1', 'v2'] as const
const states = ['active', 'paused', 'disabled'] as const

/** The endpoint, or `undefined` when something in it is wrong; the problems are reported on `fields`. */
export function readEndpoint(fields: Fields, sources: SecretSources): EndpointSettings | undefined {
  const id = fields.text('id', 'give the endpoint an id that never changes, e.g. "acme-main"')
  if (id !== undefined && !idPattern.test(id)) fields.problem('id', `the id "${id}" will not do`, idMend)
  const url = readUrl(fields)
  const version = readWord(fields, 'version', versions, 'v2')
  const events = readEvents(fields, version)
  const state = readWord(fields, 'state', states, endpointDefaults.state)
  const timeoutMs = readTimeout(fields)
  const maxConcurrent = readMaxConcurrent(fields)
  const maxAgeMs = readMaxAge(fields)
  const secrets = readSecrets(fields, id, sources)
  if (
    id === undefined ||
    url === undefined ||
    version === undefined ||
    events === undefined ||
    state === undefined ||
    timeoutMs === undefined ||
    maxConcurrent === undefined ||
    maxAgeMs === undefined ||
    secrets === undefined
  ) {
    return undefined
  }
  return { id, url, events, version, secrets, state, timeoutMs, maxConcurrent, maxAgeMs }
}

function readUrl(fields: Fields): string | undefined {
  const text = fields.text(
    'url',
    'write the address that takes the webhooks, e.g. https://hooks.example.com/x',
  )
  if (text === undefined) return undefined
  if (!URL.canParse(text)) {
    fields.problem('url', 'the url is not a URL', 'write it in full, starting with https://')
    return undefined
  }
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    fields.problem(
      'url',
      `the url starts with "${url.protocol}"`,
      'webhooks go to https:// (or http://) only',
    )
    return undefined
  }
  if (url.username !== '' || url.password !== '') {
    fields.problem(
      'url',
      'the url holds a user name or password',
      'take it out; partners check the signature',
    )
    return undefined
  }
  return text
}

/** One of a few words, in any case; `fallback` when it is not given. */
function readWord<W extends string>(fields: Fields, name: string, words: readonly W[], fallback: W) {
  if (!fields.has(name)) return fallback
  const raw = fields.raw(name)
  const found = words.find((word) => word === String(raw).toLowerCase())
  if (found === undefined) {
    fields.problem(name, `"${String(raw)}" is not a ${name}`, suggestion(String(raw), words))
  }
  return found
}

function readEvents(fields: Fields, version: 'v1' | 'v2' | undefined): readonly string[] | undefined {
  if (!fields.has('events')) return endpointDefaults.events
  const raw = fields.raw('events')
  const listed: readonly unknown[] = Array.isArray(raw) ? raw : [raw]
  if (listed.length === 0) {
    fields.problem('events', 'the list of events is empty', 'name some, or write "*" for all')
    return undefined
  }
  const known: readonly string[] = ['*', ...eventTypes]
  const events: string[] = []
  let fine = true
  for (const item of listed) {
    const event = String(item)
    if (!known.includes(event)) {
      fields.problem('events', `unknown event "${event}"`, suggestion(event, known))
      fine = false
    } else if (event === 'return_picked_up' && version === 'v1') {
      fields.problem(
        'events',
        'payload version v1 does not know "return_picked_up"',
        'use version v2, or drop it',
      )
      fine = false
    } else if (!events.includes(event)) {
      events.push(event)
    }
  }
  if (!fine) return undefined
  return events.includes('*') ? ['*'] : events
}

function readTimeout(fields: Fields): number | undefined {
  if (!fields.has('timeout')) return endpointDefaults.timeoutMs
  const ms = parseDuration(fields.raw('timeout'))
  if (ms !== undefined && ms >= 1000 && ms <= 15_000) return Math.round(ms)
  fields.problem('timeout', 'the timeout must be 1 to 15 seconds', 'write e.g. "timeout: 10s"')
  return undefined
}

function readMaxConcurrent(fields: Fields): number | undefined {
  if (!fields.has('max_concurrent')) return endpointDefaults.maxConcurrent
  const raw = fields.raw('max_concurrent')
  if (typeof raw === 'number' && Number.isInteger(raw) && raw >= 1 && raw <= 100) return raw
  fields.problem('max_concurrent', 'max_concurrent must be a whole number from 1 to 100', 'write e.g. 4')
  return undefined
}

/** Longest age that makes sense: after six days ROUTE makes no delivery at all. */
const longestAgeMs = 6 * 86_400_000

function readMaxAge(fields: Fields): Readonly<Record<string, number>> | undefined {
  if (!fields.has('max_age')) return {}
  const raw = fields.raw('max_age')
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    fields.problem('max_age', 'max_age must be a map', 'write e.g. "max_age: { out_for_delivery: 30m }"')
    return undefined
  }
  const ages: Record<string, number> = {}
  let fine = true
  for (const [event, value] of Object.entries(raw)) {
    const ms = parseDuration(value)
    if (!eventTypes.some((type) => type === event)) {
      fields.problem('max_age', `unknown event "${event}"`, suggestion(event, eventTypes))
      fine = false
    } else if (ms === undefined || ms < 1000 || ms > longestAgeMs) {
      const longest = formatDuration(longestAgeMs)
      fields.problem('max_age', `the age of "${event}" must be 1s to ${longest}`, 'write e.g. "30m" or "24h"')
      fine = false
    } else {
      ages[event] = Math.round(ms)
    }
  }
  return fine ? ages : undefined
}

const secretMend = 'write "whsec_" and 24 to 64 bytes in base64, or leave it out to have one generated'

function readSecrets(fields: Fields, id: string | undefined, sources: SecretSources) {
  const given = ['secret', 'secrets', 'secret_env'].filter((name) => fields.has(name))
  if (given.length > 1) {
    fields.problem(given[1], `both "${given[0]}" and "${given[1]}" are given`, 'keep one of them')
    return undefined
  }
  const name = given[0]
  if (name === undefined) return id === undefined ? undefined : [sources.generated(id)]
  const raw = fields.raw(name)
  if (name === 'secret_env') return readSecretFromEnvironment(fields, String(raw), sources)
  const secrets: readonly unknown[] = name === 'secrets' && Array.isArray(raw) ? raw : [raw]
  if (secrets.length === 0 || secrets.length > 5) {
    fields.problem(name, 'one to five secrets are possible', 'the first signs, the others while they overlap')
    return undefined
  }
  if (secrets.every(isSecret)) return secrets
  fields.problem(name, 'this is not a signing secret', secretMend)
  return undefined
}

function readSecretFromEnvironment(fields: Fields, variable: string, sources: SecretSources) {
  const value = sources.env[variable]
  if (value === undefined || value === '') {
    fields.problem(
      'secret_env',
      `the environment variable ${variable} is not set`,
      'set it to the whsec_… secret',
    )
    return undefined
  }
  if (isSecret(value)) return [value]
  fields.problem('secret_env', `${variable} holds no signing secret`, secretMend)
  return undefined
}

/** A Standard Webhooks secret: `whsec_` and 24 to 64 bytes in base64. */
export function isSecret(value: unknown): value is string {
  if (typeof value !== 'string' || !/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(value)) return false
  const bytes = Buffer.from(value.slice('whsec_'.length), 'base64').length
  return bytes >= 24 && bytes <= 64
}
