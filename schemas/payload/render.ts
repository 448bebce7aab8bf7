/**
 * Renders the body that a partner receives: unseal, project to the endpoint's version, set `schema_version`,
 * write JSON in the schema's field order. Projecting here is what Avro's schema resolution does from the newest
 * version to an older one; a test holds it to that.
 */

import { type PayloadVersion, payloadShapes } from '../generated/payload-shapes.ts'
import type { EventType, OrderPayload } from '../generated/types.ts'
import { maskText } from '../pii.ts'
import type { PayloadField } from './shape.ts'

/** A value as the JSON of a payload has it: no arrays. */
export type Json = string | number | boolean | null | { readonly [name: string]: Json }

/** Every version that can be pinned, oldest first. */
export const payloadVersions: readonly PayloadVersion[] = ['v1', 'v2']

/** Whether text names a payload version. */
export const isPayloadVersion = (text: string): text is PayloadVersion => Object.hasOwn(payloadShapes, text)

const eventSymbols = new Map(
  payloadVersions.map((version) => {
    const field = payloadShapes[version].find(({ name }) => name === 'event')
    return [version, field?.kind === 'enum' ? field.symbols : new Set<string>()]
  }),
)

/** Whether a version of the payload can say this event. `UNKNOWN` is known to none: it is never sent. */
export function isKnownTo(version: PayloadVersion, event: EventType): boolean {
  return event !== 'UNKNOWN' && eventSymbols.get(version)?.has(event) === true
}

/** What is rendered, for whom, and with what key. */
export interface RenderOptions {
  /** `delivery.otp` is sealed, as in every topic. */
  readonly payload: OrderPayload
  readonly version: PayloadVersion
  /** Opens sealed text; throws when it cannot. */
  readonly open: (sealed: string) => string
}

/** The body as UTF-8 JSON. Equal arguments give equal bytes. Rendering what the version does not know is a bug. */
export function renderBody({ payload, version, open }: RenderOptions): Uint8Array {
  if (!isKnownTo(version, payload.event)) {
    throw new Error(`payload ${version} cannot say ${payload.event}; ask isKnownTo before rendering`)
  }
  return Buffer.from(renderText({ payload, version, open }))
}

/** The payload as a partner of that version sees it; an event it does not know becomes `UNKNOWN`. */
export function projectPayload(options: RenderOptions): { readonly [name: string]: Json } {
  return JSON.parse(renderText(options))
}

function renderText({ payload, version, open }: RenderOptions): string {
  return groupText({ ...payload, schema_version: version }, payloadShapes[version], open)
}

function groupText(group: object, fields: readonly PayloadField[], open: (sealed: string) => string): string {
  const values = group as { readonly [name: string]: unknown }
  let text = ''
  for (const field of fields) {
    text += `${text === '' ? '{' : ','}"${field.name}":${valueText(values[field.name], field, open)}`
  }
  return `${text}}`
}

/** The JSON of one field, written directly: an object in between would only be thrown away. */
function valueText(value: unknown, field: PayloadField, open: (sealed: string) => string): string {
  if (value === null) return 'null'
  switch (field.kind) {
    case 'group':
      if (typeof value === 'object' && value !== undefined) return groupText(value, field.fields, open)
      break
    case 'time':
      if (typeof value === 'number') return `"${new Date(value).toISOString()}"`
      break
    case 'sealed':
      if (typeof value === 'string') return JSON.stringify(open(value))
      break
    case 'enum':
      if (typeof value === 'string') return `"${field.symbols.has(value) ? value : field.fallback}"`
      break
    case 'plain':
      if (typeof value === 'string') return JSON.stringify(value)
      if (typeof value === 'boolean' || Number.isFinite(value)) return String(value)
  }
  throw new Error(`payload field ${field.name} (${field.kind}) cannot be a ${typeof value}`)
}

/**
 * A body as text for history and people: the same JSON with every secret masked. One is made for each delivery, so it is
 * done on the text where that is as our renderer writes it; 6 µs against 1 µs for a kilobyte.
 */
export function maskBody(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  let masked = ''
  let from = 0
  sealedFields.lastIndex = 0
  for (let found = sealedFields.exec(text); found; found = sealedFields.exec(text)) {
    const [whole, name, value] = found
    // The name as a value, or white space behind it: for the parser to tell.
    if (value === undefined) return JSON.stringify(maskSealed(JSON.parse(text), payloadShapes.v2))
    if (value === 'null') continue
    masked += `${text.slice(from, found.index)}"${name}":${maskedValue}`
    from = found.index + whole.length
  }
  return from === 0 ? text : masked + text.slice(from)
}

const maskedValue = JSON.stringify(maskText)

const sealedNames = (fields: readonly PayloadField[]): readonly string[] =>
  fields.flatMap((field) => {
    if (field.kind === 'group') return sealedNames(field.fields)
    return field.kind === 'sealed' ? [field.name] : []
  })

/** Each sealed field by its name, with its value where that is null or text. */
const sealedFields = new RegExp(
  `"(${[...new Set(payloadVersions.flatMap((version) => sealedNames(payloadShapes[version])))].join('|')})"` +
    `(?::(null|"(?:[^"\\\\]|\\\\.)*"))?`,
  'g',
)

function maskSealed(json: Json | undefined, fields: readonly PayloadField[]): Json {
  if (typeof json !== 'object' || json === null) return json ?? null
  const masked: Record<string, Json> = { ...json }
  for (const field of fields) {
    const value = masked[field.name]
    if (value === undefined || value === null) continue
    if (field.kind === 'sealed') masked[field.name] = maskText
    if (field.kind === 'group') masked[field.name] = maskSealed(value, field.fields)
  }
  return masked
}
