/** Reads and checks one endpoint of partners.yaml. */
import type { Vetting } from '../../connectors/webhook/address-vetting.ts'
import { suggestion } from '../cli/nearest.ts'
import { readClientCertificate, readHeaders } from './endpoint-extras.ts'
import { readMaxAge, readMaxConcurrent, readRatePerSecond, readTimeout } from './endpoint-limits.ts'
import { readSecretNumber, readSecretOverlap, readSecrets } from './endpoint-secrets.ts'
import type { Fields } from './fields.ts'
import { type EndpointSettings, endpointDefaults, eventTypes } from './partner-settings.ts'
import type { PartnerSources } from './partner-sources.ts'

export const endpointKeys = [
  'id',
  'url',
  'events',
  'version',
  'secret',
  'secrets',
  'secret_env',
  'signature',
  'secret_number',
  'secret_overlap',
  'state',
  'timeout',
  'max_concurrent',
  'rate_per_second',
  'max_age',
  'acknowledge_on',
  'headers',
  'client_certificate',
  'strict_order',
  'auto_redrive',
] as const

/** An identifier that is safe in topics, URLs and terminals. */
export const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
export const idMend = 'use letters, digits, ".", "_" and "-", at most 64 of them'

const versions = ['v1', 'v2'] as const
const states = ['active', 'paused', 'disabled'] as const
const signatures = ['hmac', 'ed25519'] as const
const acknowledgements = { any_2xx: 'ANY_2XX', only_200: 'ONLY_200' } as const

/** The endpoint, or `undefined` when something in it is wrong; the problems are reported on `fields`. */
export function readEndpoint(fields: Fields, sources: PartnerSources): EndpointSettings | undefined {
  const id = fields.text('id', 'give the endpoint an id that never changes, e.g. "acme-main"')
  if (id !== undefined && !idPattern.test(id)) fields.problem('id', `the id "${id}" will not do`, idMend)
  const version = readWord(fields, 'version', versions, 'v2')
  const acknowledgeOn = readWord(fields, 'acknowledge_on', wordsOf(acknowledgements), 'any_2xx')
  return complete<EndpointSettings>({
    id,
    url: readUrl(fields, sources.vetting),
    version,
    events: readEvents(fields, version),
    secrets: readSecrets(fields, sources.env),
    signature: readWord(fields, 'signature', signatures, endpointDefaults.signature),
    secretNumber: readSecretNumber(fields),
    secretOverlapMs: readSecretOverlap(fields),
    state: readWord(fields, 'state', states, endpointDefaults.state),
    timeoutMs: readTimeout(fields),
    maxConcurrent: readMaxConcurrent(fields),
    ratePerSecond: readRatePerSecond(fields),
    maxAgeMs: readMaxAge(fields),
    acknowledgeOn: acknowledgeOn && acknowledgements[acknowledgeOn],
    headers: readHeaders(fields, sources),
    clientCertificate: readClientCertificate(fields, sources),
    strictOrder: readTruth(fields, 'strict_order', endpointDefaults.strictOrder),
    autoRedrive: readTruth(fields, 'auto_redrive', endpointDefaults.autoRedrive),
  })
}

/** All of it, or `undefined` when a part could not be read. */
function complete<T extends object>(parts: { [K in keyof T]: T[K] | undefined }): T | undefined {
  // Every property is there and none is undefined, which is what T says.
  return Object.values(parts).includes(undefined) ? undefined : (parts as T)
}

const wordsOf = <W extends string>(table: Readonly<Record<W, unknown>>): readonly W[] =>
  Object.keys(table) as W[]

function readUrl(fields: Fields, vetting: Vetting): string | undefined {
  const text = fields.text(
    'url',
    'write the address that takes the webhooks, e.g. https://hooks.example.com/x',
  )
  if (text === undefined) return undefined
  const problem = (what: string, mend: string): undefined => {
    fields.problem('url', what, mend)
    return undefined
  }
  if (!URL.canParse(text)) return problem('the url is not a URL', 'write it in full, starting with https://')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return problem(`the url starts with "${url.protocol}"`, 'webhooks go to https:// (or http://) only')
  }
  if (url.username !== '' || url.password !== '') {
    const mend = 'take it out; partners check the signature, or write it under "headers:"'
    return problem('the url holds a user name or password', mend)
  }
  const forbidden = vetting.url(url)
  if (forbidden === undefined) return text
  return problem(
    `the url will not be called: ${forbidden}`,
    'use a public https:// address, or see "egress:" in app/defaults/waybill.yaml',
  )
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

function readTruth(fields: Fields, name: string, fallback: boolean): boolean | undefined {
  if (!fields.has(name)) return fallback
  const raw = fields.raw(name)
  if (typeof raw === 'boolean') return raw
  fields.problem(name, `${name} must be true or false`, `write "${name}: true"`)
  return undefined
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
