/** Projects a body that a partner was sent to an older version, as it would have been sent to an endpoint that pins it. */
import { type PayloadVersion, payloadShapes } from '../generated/payload-shapes.ts'
import { type Json, payloadVersions } from './render.ts'
import type { PayloadField } from './shape.ts'

/** What comes of it. */
export type ProjectedBody =
  /** `known`: whether the version knows the event; one that it does not know is never sent to it. */
  | { readonly kind: 'projected'; readonly body: { readonly [name: string]: Json }; readonly known: boolean }
  /** What keeps it from being a body; paths and what is wrong with them. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] }

/** Projects; the result has the version's fields in its order. A body of an older version cannot be made newer. */
export function projectBody(body: unknown, to: PayloadVersion): ProjectedBody {
  const problems: string[] = []
  if (!isGroup(body)) return { kind: 'refused', problems: ['a payload is an object'] }
  const from = payloadVersions.find((version) => version === body.schema_version)
  if (from === undefined) {
    const named = JSON.stringify(body.schema_version) ?? 'missing'
    return {
      kind: 'refused',
      problems: [`schema_version is ${named}; known are ${payloadVersions.join(', ')}`],
    }
  }
  if (payloadVersions.indexOf(from) < payloadVersions.indexOf(to)) {
    return { kind: 'refused', problems: [`a body of ${from} lacks what ${to} has; project the newer one`] }
  }
  const projected = group(body, payloadShapes[to], '', problems)
  if (problems.length > 0) return { kind: 'refused', problems }
  return {
    kind: 'projected',
    body: { ...projected, schema_version: to },
    known: projected.event === body.event && body.event !== 'UNKNOWN',
  }
}

function group(
  value: Readonly<Record<string, unknown>>,
  fields: readonly PayloadField[],
  path: string,
  problems: string[],
): { readonly [name: string]: Json } {
  return Object.fromEntries(
    fields.map((field) => [field.name, project(value[field.name], field, path + field.name, problems)]),
  )
}

function project(value: unknown, field: PayloadField, path: string, problems: string[]): Json {
  if (value === undefined) {
    problems.push(`${path} is missing: what does not apply is null, and never left out`)
    return null
  }
  if (field.kind === 'group') {
    if (isGroup(value)) return group(value, field.fields, `${path}.`, problems)
    problems.push(`${path} must be an object`)
    return null
  }
  if (
    value !== null &&
    typeof value !== 'string' &&
    typeof value !== 'number' &&
    typeof value !== 'boolean'
  ) {
    problems.push(`${path} must be text, a number, true, false or null`)
    return null
  }
  if (field.kind === 'enum' && typeof value === 'string' && !field.symbols.has(value)) return field.fallback
  return value
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
